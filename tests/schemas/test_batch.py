import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.batch import MAX_ROWS, SCHEMA, BatchId, TransferBatch, decode, encode
from schemas.errors import MalformedBatch

token = st.binary(min_size=16, max_size=16)
int64 = st.integers(0, 2**63 - 1)
row = st.tuples(st.text(max_size=8), int64, token, token, int64, st.sampled_from(["CNY", "USD"]))


def batch_of(rows):
    columns = {name: [] for name in SCHEMA.names}
    for tx_id, ts_us, src, dst, amount_minor, currency in rows:
        values = {
            "tx_id": tx_id, "ts_us": ts_us, "src": src, "dst": dst,
            "amount_minor": amount_minor, "currency": currency, "purpose": 0,
        }  # fmt: skip
        for name, column in columns.items():
            column.append(values.get(name, ""))
    arrays = [pa.array(columns[field.name], type=field.type) for field in SCHEMA]
    return TransferBatch(BatchId("bank_a", "00", 0), pa.record_batch(arrays, schema=SCHEMA))


@given(st.lists(row, max_size=20))
def test_round_trip(rows):
    batch = batch_of(rows)
    again = decode(encode(batch))
    assert again.id == batch.id
    assert again.columns.to_pylist() == batch.columns.to_pylist()


@given(st.lists(row, min_size=2, max_size=20))
def test_views_are_the_columns_also_of_a_slice(rows):
    whole = batch_of(rows)
    part = TransferBatch(whole.id, whole.columns.slice(1))
    assert [t.tobytes() for t in part.tokens("src")] == [r[2] for r in rows[1:]]
    assert part.int64("amount_minor").tolist() == [r[4] for r in rows[1:]]
    assert part.purposes().tolist() == [0] * (len(rows) - 1)


@pytest.mark.parametrize("message", [b"", b"{}", b"\xff" * 100])
def test_other_bytes_are_malformed(message):
    with pytest.raises(MalformedBatch):
        decode(message)


@given(st.data())
def test_a_damaged_message_is_malformed_or_still_a_batch(data):
    message = bytearray(encode(batch_of([("a", 1, b"\1" * 16, b"\2" * 16, 3, "CNY")])))
    cut = data.draw(st.integers(0, len(message)))
    try:
        decode(bytes(message[:cut]))
    except MalformedBatch:
        return
    assert cut > 0


def test_the_bound_on_rows_is_kept():
    columns = batch_of([("a", 1, b"\1" * 16, b"\2" * 16, 3, "CNY")]).columns
    many = pa.Table.from_batches([columns] * (MAX_ROWS + 1)).combine_chunks().to_batches()[0]
    with pytest.raises(MalformedBatch, match="bound"):
        encode(TransferBatch(BatchId("bank_a", "00", 0), many))


def test_another_schema_is_refused():
    columns = pa.record_batch({"tx_id": ["a"]})
    with pytest.raises(MalformedBatch, match="columns"):
        encode(TransferBatch(BatchId("bank_a", "00", 0), columns))
