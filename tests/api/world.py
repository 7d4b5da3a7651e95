"""A small world of records, as the recorder would have written them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.alert import Alert, Severity
from schemas.feed import Receipt
from schemas.instant import DAY, HOUR, to_micros
from schemas.record import content_id
from schemas.registry import Account, AccountRole, Feed, RegistryRecord
from schemas.reject import Reject, RejectStatus
from schemas.risk import RiskClass
from schemas.transaction import Purpose
from services.api import examples
from store import rows
from store.database import Database

NOW_US = to_micros("2016-06-01")
START_US = to_micros("2016-05-04T01:30:00Z")
BEIJING, SHANGHAI = ("CN-11", "CN-37"), ("CN-31",)

PAYMENTS = (
    (0, "investor", "custody", 1000),
    (1, "saver", "custody", 1000),
    (2, "custody", "borrower", 1500),
    (3, "borrower", "shareholder", 1200),
)
"""(hours after START_US, payer, payee, minor units) of bank_b: a platform's money on its way."""

KEYS = (
    {"name": "all", "sectors": "*", "regions": "*", "feeds": "*", "rejects": True},
    {"name": "beijing", "sectors": ["cbrc"], "regions": ["CN-11"], "feeds": ["bank_b"], "rejects": True},
    {"name": "shanghai", "sectors": ["pboc"], "regions": ["CN-31"], "feeds": ["bank_x"], "rejects": True},
    {"name": "no-rejects", "sectors": "*", "regions": "*", "feeds": "*"},
    {"name": "nothing", "sectors": [], "regions": [], "rejects": True},
    {"name": "wrong-region", "sectors": ["cbrc"], "regions": ["CN-31"]},
)


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key of {name}"}


def insert(database: Database, table: str, records: Sequence[rows.Row]) -> None:
    database.insert(table, {name: [record[name] for record in records] for name in records[0]})


def insert_registry(database: Database, records: Sequence[RegistryRecord]) -> None:
    insert(database, "registry", [rows.registry(record, 1) for record in records])


def insert_rejects(database: Database, records: Sequence[Reject], appended_us: int = 1) -> None:
    insert(database, "rejects", [rows.reject(record, appended_us) for record in records])


class World:
    """What is in the store at first; `add_*` put more there, as the recorder does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.alerts = [
            alert("a1", 1),
            alert("a1", 2, detected_at=START_US + 3 * DAY, severity=Severity.critical, severity_points=90),
            alert("a2", 1, typology="pooling", confidence=40, severity=Severity.low),
            alert(
                "a3", 1, institution_id="pay-01", sector="pboc", regions=SHANGHAI, typology="reserve_misuse"
            ),
            alert("a4", 1, institution_id=None, sector=None, regions=(), typology="gather_scatter"),
        ]
        self.add_alerts(self.alerts)
        self._add_registry()
        self._add_scores()
        self._add_feeds()
        self.add_payments("bank_b", PAYMENTS)
        self.add_payments("bank_x", ((0, "across", "elsewhere", 10),))

    def add_payments(self, feed_id: str, payments: Sequence[tuple[int, str, str, int]]) -> None:
        """Of (hours after START_US, payer, payee, minor units); accounts by name."""
        records = [
            transfer(feed_id, f"{feed_id}-{src}-{dst}-{hours}", hours, src, dst, minor)
            for hours, src, dst, minor in payments
        ]
        insert(self.database, "transactions", records)

    def add_alerts(self, alerts: Sequence[Alert]) -> None:
        insert(self.database, "alerts", [rows.alert(one, 1) for one in alerts])

    def add_receipts(self, receipts: Sequence[Receipt]) -> None:
        insert(self.database, "receipts", [rows.receipt(one, 1) for one in receipts])

    def _add_registry(self) -> None:
        p2p = examples.INSTITUTION
        records: list[RegistryRecord] = [
            p2p,
            p2p.model_copy(update={"valid_from": NOW_US + DAY, "name": "not yet"}),
            p2p.model_copy(update={"institution_id": "p2p-002", "name": "安静平台"}),
            p2p.model_copy(
                update={
                    "institution_id": "pay-01",
                    "sector": "pboc",
                    "registered_region": "CN-31",
                    "operating_regions": (),
                }
            ),
            Account(
                account_id=token("shareholder"),
                party_id="P-007",
                bank="bank_b",
                role=AccountRole.own,
                institution_id="p2p-001",
            ),
            Feed(feed_id="bank_a", bank="bank_a"),
            Feed(feed_id="bank_b", bank="bank_b", key_sha256="5e" * 32),
        ]
        insert_registry(self.database, records)

    def _add_scores(self) -> None:
        score = examples.SCORE
        scores = [
            score.model_copy(update={"at": START_US, "score": 20, "risk_class": RiskClass.compliant}),
            score.model_copy(update={"at": START_US + DAY}),
            score.model_copy(update={"at": START_US + 2 * DAY, "score": 85, "risk_class": RiskClass.ban}),
            score.model_copy(update={"institution_id": "pay-01", "at": START_US + DAY, "sector": "pboc"}),
        ]
        insert(self.database, "risk_scores", [rows.risk_score(one, 1) for one in scores])

    def _add_feeds(self) -> None:
        self.add_receipts(
            [
                *(receipt("bank_b", sequence) for sequence in (3, 4, 7, 9, 10, 15)),
                *(receipt("bank_x", sequence) for sequence in (0, 1)),
                receipt("bank_x", None),
            ]
        )
        reject = examples.REJECT
        rejects = [
            reject,
            reject.model_copy(update={"reject_id": content_id("r2"), "received_at": reject.received_at + 1}),
            reject.model_copy(
                update={"reject_id": content_id("r3"), "status": RejectStatus.resent, "resent_as": "T-1"}
            ),
            reject.model_copy(update={"reject_id": content_id("r4"), "feed_id": "bank_x"}),
        ]
        insert_rejects(self.database, rejects)


def token(name: str) -> str:
    return content_id("account", name)


def transfer(feed_id: str, tx_id: str, hours: int, src: str, dst: str, minor: int) -> rows.Row:
    texts = ("product", "channel", "src_bank", "dst_bank", "instruction", "reversal_of", "batch_id")
    return {
        "tx_id": tx_id,
        "ts_us": START_US + hours * HOUR,
        "src": token(src),
        "dst": token(dst),
        "amount_minor": minor,
        "currency": "CNY",
        "purpose": Purpose.transfer.value,
        **dict.fromkeys(texts, ""),
        "feed_id": feed_id,
        "appended_us": 1,
    }


def alert(name: str, version: int, **changes: Any) -> Alert:
    detected = {"detected_at": START_US + int(name[1:], 36) * 1_000_000}
    identity = {"alert_id": content_id(name), "version": version}
    return examples.ALERT.model_copy(update=identity | detected | changes)


def receipt(feed_id: str, sequence: int | None) -> Receipt:
    changed = {
        "feed_id": feed_id,
        "sequence": sequence,
        "batch_id": content_id(feed_id, str(sequence)),
        "received_at": START_US + (sequence or 0),
    }
    return examples.RECEIPT.model_copy(update=changed)
