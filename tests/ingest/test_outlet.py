import pyarrow as pa
import pytest

from schemas.batch import SCHEMA, BatchId, TransferBatch, encode
from schemas.errors import Unavailable
from schemas.topics import MAX_MESSAGE_BYTES, TRANSACTIONS
from services.ingest.outlet import PART_BYTES, parts_of


def columns_of(rows, width):
    """Every text as long as `width`, every one another."""
    arrays = []
    for place, field in enumerate(SCHEMA):
        if field.name in ("src", "dst"):
            values = [number.to_bytes(16, "big") for number in range(rows)]
        elif pa.types.is_integer(field.type):
            values = [0] * rows
        else:
            values = [f"{place}-{number}".rjust(width, "户") for number in range(rows)]
        arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


@pytest.mark.parametrize(("rows", "width"), [(0, 1), (1, 128), (500, 128), (8192, 1), (8192, 128)])
def test_parts_hold_the_rows_in_order_and_fit_a_message(rows, width):
    columns = columns_of(rows, width)
    parts = list(parts_of(columns))
    assert pa.Table.from_batches(parts).to_pylist() == columns.to_pylist()
    for part in parts:
        assert part.nbytes <= PART_BYTES
        assert len(encode(TransferBatch(BatchId("f", "b", 0), part))) < MAX_MESSAGE_BYTES


def test_a_failed_append_does_not_fail_the_next_holder(world):
    outlet = world.ingest.outlet
    world.log.failing_flushes = 1
    with pytest.raises(Unavailable), outlet:
        raise Unavailable("an append failed")
    with outlet:
        outlet.registry_changes([b"{}"])
        outlet.flush()
    assert world.messages(TRANSACTIONS)[-1].value == b"[{}]"
