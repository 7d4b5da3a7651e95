from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from schemas.errors import Unknown
from services.detector.graph.fingerprints import fingerprints
from services.detector.graph.transfer_ids import TransferIds


def test_ids_of_inserted_rows_only() -> None:
    ids = TransferIds()
    ids.append(0, "one", pa.array(["a", "b", "c"]), np.array([True, False, True]))
    ids.append(2, "two", pa.array(["x"]), np.array([False]))
    ids.append(2, "two", pa.array(["d"]), np.array([True]))
    assert [ids.of(seq) for seq in range(3)] == [("one", "a"), ("one", "c"), ("two", "d")]
    with pytest.raises(Unknown, match="transfer 3"):
        ids.of(3)


def test_old_batches_are_forgotten() -> None:
    ids = TransferIds()
    for seq in range(100):
        ids.append(seq, "one", pa.array([f"t{seq}"]), np.array([True]))
        ids.drop_below(seq - 9)
    assert ids.of(90) == ("one", "t90")
    assert len(ids._columns) <= 20


def test_ids_do_not_pin_their_message() -> None:
    column = pa.array([f"t{number}" for number in range(1000)])
    before = pa.total_allocated_bytes()
    ids = TransferIds()
    ids.append(0, "one", column.slice(10, 2), np.array([True, True]))
    del column
    assert pa.total_allocated_bytes() < before
    assert ids.of(1) == ("one", "t11")


def test_fingerprints_are_of_feed_and_id() -> None:
    column = pa.array(["", "a", "b", "ab", "a"])
    one, two = fingerprints("one", column), fingerprints("two", column)
    assert len({*one.tolist(), *two.tolist()}) == 8
    assert one[1] == one[4]
    assert fingerprints("one", column.slice(1, 2)).tolist() == one[1:3].tolist()
    assert fingerprints("one", pa.array([], pa.string())).size == 0
    assert fingerprints("a", pa.array(["bc"]))[0] != fingerprints("ab", pa.array(["c"]))[0]
