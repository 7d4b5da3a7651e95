from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Unknown
from services.detector.graph.fingerprints import fingerprints
from services.detector.graph.transfer_ids import PACKED_TOGETHER, TransferIds


def test_ids_and_their_feeds() -> None:
    ids = TransferIds()
    ids.append(0, "one", pa.array(["a", "c"]))
    ids.append(2, "two", pa.array([], pa.string()))
    ids.append(2, "two", pa.array(["d"]))
    assert [ids.of(seq) for seq in range(3)] == [("one", "a"), ("one", "c"), ("two", "d")]
    with pytest.raises(Unknown, match="transfer 3"):
        ids.of(3)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 7_000), st.booleans()), min_size=1, max_size=6)
)
def test_packed_or_not_they_are_the_same(batches: list[tuple[str, int, bool]]) -> None:
    ids, expected = TransferIds(), list[tuple[str, str]]()
    for feed, count, same_width in batches:
        name = "编号{:09d}" if same_width else "编号{}"
        column = [name.format(len(expected) + place) for place in range(count)]
        ids.append(len(expected), feed, pa.array(column))
        expected += [(feed, name) for name in column]
    asked = range(0, len(expected), 97)
    assert [ids.of(seq) for seq in asked] == [expected[seq] for seq in asked]
    assert ids.of_all(asked) == [expected[seq] for seq in asked]
    assert ids.of_all(reversed(asked)) == [expected[seq] for seq in reversed(asked)]
    for beyond in (-1, len(expected)):
        with pytest.raises(Unknown):
            ids.of_all((0, beyond))


def test_old_ones_are_forgotten() -> None:
    ids, count = TransferIds(), PACKED_TOGETHER
    for number in range(40):
        first = number * count
        ids.append(first, str(number), pa.array([f"t{seq}" for seq in range(first, first + count)]))
        ids.drop_below(first)
        assert ids.of(first) == (str(number), f"t{first}")
    assert len(ids._packets) <= 4
    assert len(ids._feeds) <= 4
    with pytest.raises(Unknown, match="transfer 0"):
        ids.of(0)


def test_ids_do_not_pin_their_message() -> None:
    column = pa.array([f"t{number}" for number in range(1000)])
    before = pa.total_allocated_bytes()
    ids = TransferIds()
    ids.append(0, "one", column.slice(10, 2))
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
