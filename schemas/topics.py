"""The topics, as data: who writes each, who reads it, how it is keyed, cut and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.instant import DAY

KIND_HEADER: Final = "kind"
"""Header of every message on `transactions`: one of the kinds below."""
TRANSFERS: Final = b"transfers"  # an Arrow IPC batch, schemas.batch
REGISTRY: Final = b"registry"  # a JSON array of registry records, schemas.registry
BALANCES: Final = b"balances"  # a JSON array of statements of balances, schemas.balance

MAX_MESSAGE_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """`key` and `value` say what they hold; `partitions` is the deployed default.

    record: the name in schemas.catalogue, where each message is one such record as JSON.
    retention_us None: kept for ever. compacted: the newest value of each key is kept for ever.
    """

    name: str
    key: str
    value: str
    producer: str
    consumers: tuple[str, ...]
    partitions: int
    retention_us: int | None
    compacted: bool = False
    record: str | None = None


DIRECT_FEEDS: Final = Topic(
    name="feed-batches",
    key="feed id",
    value="a batch in the feed's own format; headers feed, format, sequence, control-count, control-sum",
    producer="custody banks",
    consumers=("ingest",),
    partitions=4,
    retention_us=7 * DAY,
)
DIRECT_REGISTRY: Final = Topic(
    name="registry-changes",
    key="free",
    value="registry records, one JSON object a line, clear account numbers",
    producer="supervisors' registers",
    consumers=("ingest",),
    partitions=1,
    retention_us=7 * DAY,
)
TRANSACTIONS: Final = Topic(
    name="transactions",
    key="feed id",
    value="kind=transfers: Arrow IPC batch; kind=registry, kind=balances: JSON array of such records",
    producer="ingest",
    consumers=("detector", "recorder"),
    partitions=4,
    retention_us=120 * DAY,
)
REGISTRY_TOPIC: Final = Topic(
    name="registry",
    key="schemas.registry.version_key",
    value="one registry record, JSON, tokenised",
    producer="ingest",
    consumers=("ingest", "recorder"),
    partitions=1,
    retention_us=None,
    compacted=True,
)
RECEIPTS: Final = Topic(
    name="receipts",
    key="feed id:batch id",
    value="schemas.feed.Receipt, JSON",
    producer="ingest",
    consumers=("ingest", "recorder"),
    partitions=1,
    retention_us=None,
    compacted=True,
    record="receipt",
)
REJECTS: Final = Topic(
    name="rejects",
    key="reject id",
    value="schemas.reject.Reject, JSON",
    producer="ingest",
    consumers=("recorder",),
    partitions=1,
    retention_us=400 * DAY,
    record="reject",
)
ALERTS: Final = Topic(
    name="alerts",
    key="alert id",
    value="schemas.alert.Alert, JSON",
    producer="detector",
    consumers=("recorder",),
    partitions=4,
    retention_us=400 * DAY,
    record="alert",
)
RISK_SCORES: Final = Topic(
    name="risk-scores",
    key="institution id",
    value="schemas.risk.RiskScore, JSON",
    producer="detector",
    consumers=("recorder",),
    partitions=4,
    retention_us=400 * DAY,
    record="risk-score",
)

TOPICS: Final = (
    DIRECT_FEEDS,
    DIRECT_REGISTRY,
    TRANSACTIONS,
    REGISTRY_TOPIC,
    RECEIPTS,
    REJECTS,
    ALERTS,
    RISK_SCORES,
)
