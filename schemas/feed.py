"""What a bank declares with a batch, and what it gets back: the receipt."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.instant import Instant
from schemas.record import Identifier, Record
from schemas.registry import FeedFormat

Count = Annotated[int, Field(ge=0)]
Total = Annotated[Decimal, Field(ge=0, max_digits=30, decimal_places=5, allow_inf_nan=False)]
"""Sum of the amounts in major units, whatever their currencies: ISO 20022's control sum."""


class BatchHeader(Record):
    """What comes with a batch. `sequence` counts up by one per feed; None for files without one."""

    feed_id: Identifier
    sequence: Annotated[int, Field(ge=0, le=2**62)] | None = None
    format: FeedFormat
    control_count: Count | None = None
    control_sum: Total | None = None


class BatchStatus(StrEnum):
    accepted = "accepted"
    partial = "partial"
    rejected = "rejected"


class ControlTotals(Record):
    count: Count
    sum: Total


class Receipt(Record):
    """What became of one batch. `rejects` names the first 100 of `rejected`; the rest are listable.

    `digest` is the SHA-256 of the bytes received. `batch_id` derives from feed and sequence (or
    from the digest where there is no sequence), so pushing again gives the same receipt back, with
    `duplicate` set. `gap_before` counts the sequence numbers missing before this one. `balances` were
    stated besides the records, as in camt.053; no other count includes them.
    """

    feed_id: Identifier
    batch_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    sequence: int | None
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    format: FeedFormat
    status: BatchStatus
    received_at: Instant
    records: Count
    accepted: Count
    rejected: Count
    declared: ControlTotals | None
    actual: ControlTotals
    first_ts: Instant | None = None
    last_ts: Instant | None = None
    reason: str = ""
    rejects: tuple[str, ...] = Field(default=(), max_length=100)
    gap_before: Count = 0
    balances: Count = 0
    balances_rejected: Count = 0
    duplicate: bool = False
