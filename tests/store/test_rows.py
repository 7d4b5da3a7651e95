from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from eventlog.log import Message
from schemas import examples
from schemas.account import OUTSIDE
from schemas.alert import Alert
from schemas.batch import SCHEMA, BatchId, TransferBatch
from schemas.feed import Receipt
from schemas.registry import KINDS, REGISTRY_RECORD, key_of
from schemas.reject import Reject
from schemas.risk import RiskScore
from store import rows

RECORDS = {
    "alert": (Alert, rows.alert, "alert_id"),
    "risk-score": (RiskScore, rows.risk_score, "institution_id"),
    "receipt": (Receipt, rows.receipt, "batch_id"),
    "reject": (Reject, rows.reject, "reject_id"),
}

TIMES = {
    "at_us": "at",
    "episode_us": "episode_at",
    "detected_us": "detected_at",
    "received_us": "received_at",
}


def as_stored(column: str, value: Any) -> Any:
    """No column of ours is nullable."""
    if value is None:
        return rows.NO_SEQUENCE if column == "sequence" else ""
    return value


@pytest.mark.parametrize("name", RECORDS)
def test_the_body_is_the_whole_record_and_the_columns_agree(name: str) -> None:
    model, to_row, key = RECORDS[name]
    for example in examples.valid(name):
        record = model.model_validate(example)
        row = to_row(record, 9)  # type: ignore[operator]  # the pairs match
        assert model.model_validate_json(row["body"]) == record
        assert row[key] == example[key]
        assert row["appended_us"] == 9
        for column in row.keys() & example.keys():
            assert row[column] == as_stored(column, example[column])
        for column in row.keys() & TIMES.keys():
            assert row[column] == getattr(record, TIMES[column])


@pytest.mark.parametrize("kind", KINDS)
def test_registry_rows(kind: str) -> None:
    for example in examples.valid(kind):
        record = REGISTRY_RECORD.validate_python({"kind": kind} | example)
        row = rows.registry(record, 9)
        assert REGISTRY_RECORD.validate_json(row["body"]) == record
        assert (row["kind"], row["key"]) == (kind, key_of(record))
        assert (row["valid_from_us"], row["valid_to_us"]) == (record.valid_from, record.valid_to)
        assert row["institution_id"] == (example.get("institution_id") or "")
        assert all(value is not None for value in row.values())


def test_first_and_last_times() -> None:
    alert = Alert.model_validate(examples.valid("alert")[0])
    row = rows.alert(alert, 1)
    assert (row["first_us"], row["last_us"]) == (alert.first_at, alert.last_at)
    spanned: dict[str, Any] = examples.valid("receipt")[0]
    receipt = Receipt.model_validate(spanned | {"first_ts": 5, "last_ts": 6})
    assert (rows.receipt(receipt, 1)["first_us"], rows.receipt(receipt, 1)["last_us"]) == (5, 6)
    empty = Receipt.model_validate(spanned | {"first_ts": None, "last_ts": None})
    assert (rows.receipt(empty, 1)["first_us"], rows.receipt(empty, 1)["last_us"]) == (0, 0)


def test_registry_columns_of_a_kind() -> None:
    tie = {"kind": "relation", "from_id": "P-1", "to_id": "C-9", "relation": "shareholder", "share_bp": 5100}
    row = rows.registry(REGISTRY_RECORD.validate_python(tie), 1)
    assert (row["party_id"], row["to_party_id"], row["role"]) == ("P-1", "C-9", "shareholder")
    firm: dict[str, Any] = examples.valid("institution")[0]
    firm |= {"kind": "institution", "registered_region": "CN-31", "operating_regions": ["CN-11", "CN-31"]}
    assert rows.registry(REGISTRY_RECORD.validate_python(firm), 1)["regions"] == ["CN-31", "CN-11"]


def test_transfers_keep_their_values_and_get_their_batch() -> None:
    tokens = [OUTSIDE, bytes(range(16)), b"\xff" * 16]
    values: dict[str, list[Any]] = {name: ["", "x", "穿透"] for name in SCHEMA.names}
    values |= {"ts_us": [0, -(2**63), 2**63 - 1], "amount_minor": [1, 0, 2**63 - 1], "purpose": [0, 18, -1]}
    values |= {"src": tokens, "dst": tokens[::-1]}
    arrays = [pa.array(values[field.name], field.type) for field in SCHEMA]
    batch = TransferBatch(BatchId("bank-a", "0" * 32, 1), pa.record_batch(arrays, schema=SCHEMA))
    table = rows.transactions(batch, 9)
    hexed = [token.hex() for token in tokens]
    expected = values | {"src": hexed, "dst": hexed[::-1]}
    expected |= {"feed_id": ["bank-a"] * 3, "batch_id": ["0" * 32] * 3, "appended_us": [9] * 3}
    assert table.to_pydict() == expected


def test_transfers_of_a_slice() -> None:
    count = 5
    tokens = [bytes([number]) * 16 for number in range(count)]
    columns = {name: pa.array(["x"] * count).cast(SCHEMA.field(name).type) for name in ("tx_id", "currency")}
    values = {
        field.name: columns.get(field.name, pa.array([""] * count)).cast(field.type)
        if field.type not in (pa.int64(), pa.int8(), pa.binary(16))
        else pa.array(tokens if field.type == pa.binary(16) else np.arange(count), field.type)
        for field in SCHEMA
    }
    whole = pa.record_batch(list(values.values()), schema=SCHEMA)
    table = rows.transactions(TransferBatch(BatchId("a", "b", 0), whole.slice(2, 2)), 1)
    assert table.column("src").to_pylist() == [tokens[2].hex(), tokens[3].hex()]
    assert table.column("ts_us").to_pylist() == [2, 3]


def test_an_unreadable_message_is_kept_byte_for_byte() -> None:
    message = Message("alerts", 2, 7, b"\xff", b"\x00\x01not JSON", appended_us=5)
    row = rows.unreadable(message, "why")
    assert (row["topic"], row["log_partition"], row["log_offset"], row["appended_us"]) == ("alerts", 2, 7, 5)
    assert (row["key_base64"], row["value_base64"]) == ("/w==", "AAFub3QgSlNPTg==")
    assert json.dumps(row)
