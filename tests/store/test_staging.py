from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from eventlog.log import Message
from schemas import batch, examples
from schemas.topics import ALERTS, RECEIPTS, REGISTRY_TOPIC, REJECTS, RISK_SCORES, TRANSACTIONS
from store.staging import Staging

MakeBatch = Callable[..., batch.TransferBatch]


def message(topic: str, value: bytes, kind: bytes | None = None, offset: int = 0) -> Message:
    headers = {} if kind is None else {"kind": kind}
    return Message(topic, 0, offset, b"key", value, headers, appended_us=1)


def record(name: str, **changes: Any) -> bytes:
    return json.dumps(examples.valid(name)[0] | changes).encode()


def tables(staging: Staging) -> dict[str, Any]:
    return dict(staging.tables())


def test_each_topic_goes_to_its_table(transfer_batch: MakeBatch) -> None:
    staging = Staging()
    sent = [
        message(ALERTS.name, record("alert")),
        message(RISK_SCORES.name, record("risk-score")),
        message(RECEIPTS.name, record("receipt")),
        message(REJECTS.name, record("reject")),
        message(REGISTRY_TOPIC.name, record("account", kind="account")),
        message(TRANSACTIONS.name, batch.encode(transfer_batch(3)), b"transfers"),
        message(TRANSACTIONS.name, batch.encode(transfer_batch(4, batch_id="b2")), b"transfers"),
        message(TRANSACTIONS.name, b"[]", b"registry"),
    ]
    assert all(staging.add(each) for each in sent)
    assert {table: len(columns["appended_us"]) for table, columns in tables(staging).items()} == {
        **dict.fromkeys(("alerts", "risk_scores", "receipts", "rejects", "registry"), 1),
        "transactions": 7,
    }
    assert staging.count == 12


def test_what_is_done_is_forgotten_and_nothing_else(transfer_batch: MakeBatch) -> None:
    staging = Staging()
    staging.add(message(ALERTS.name, record("alert")))
    staging.add(message(TRANSACTIONS.name, batch.encode(transfer_batch(3)), b"transfers"))
    assert staging.done("transactions") == 3
    assert list(tables(staging)) == ["alerts"]
    assert staging.done("alerts") == 1
    assert tables(staging) == {}
    assert staging.count == 0


UNREADABLE = {
    "not json": (ALERTS.name, b"\xff\x00", None),
    "empty": (RECEIPTS.name, b"", None),
    "deep": (REJECTS.name, b"[" * 100_000, None),
    "another record": (RISK_SCORES.name, record("reject"), None),
    "unknown kind": (REGISTRY_TOPIC.name, b'{"kind": "planet"}', None),
    "surrogate": (REJECTS.name, record("reject", raw="\ud800"), None),
    "past 64 bits": (RECEIPTS.name, record("receipt", sequence=2**63), None),
    "no kind": (TRANSACTIONS.name, b"", None),
    "other kind": (TRANSACTIONS.name, b"", b"transfer"),
    "not arrow": (TRANSACTIONS.name, b"ARROW?", b"transfers"),
    "cut short": (TRANSACTIONS.name, b"CUT", b"transfers"),
}


@pytest.mark.parametrize(("topic", "value", "kind"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_message_that_cannot_be_read_is_kept(
    topic: str, value: bytes, kind: bytes | None, transfer_batch: MakeBatch
) -> None:
    if value == b"CUT":
        value = batch.encode(transfer_batch(100))[:-200]
    staging = Staging()
    assert staging.add(message(ALERTS.name, record("alert")))
    assert not staging.add(message(topic, value, kind, offset=5))
    columns = tables(staging)["unreadable_messages"]
    assert (columns["topic"], columns["log_offset"]) == ([topic], [5])
    assert 0 < len(columns["reason"][0]) <= 500
    assert len(tables(staging)["alerts"]["alert_id"]) == 1
