import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schemas.account import OUTSIDE
from schemas.batch import SCHEMA
from services.ingest.partition import CACHED_TOKENS, Router, partition_of


def columns_of(pairs):
    """Rows (src, dst); tx_id is the row's number."""
    numbers = range(len(pairs))
    given = {
        "tx_id": [str(number) for number in numbers],
        "src": [src for src, _ in pairs],
        "dst": [dst for _, dst in pairs],
    }
    arrays = [pa.array(given.get(field.name, _blank(field, len(pairs))), field.type) for field in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _blank(field, rows):
    return [0 if pa.types.is_integer(field.type) else ""] * rows


def token(number):
    return number.to_bytes(16, "big")


def routed(router, columns, revision=0):
    return {part: rows.column("tx_id").to_pylist() for part, rows in router.route(columns, revision)}


accounts = st.integers(0, 6).map(token)


@given(
    st.lists(st.tuples(accounts, accounts), max_size=40),
    st.dictionaries(accounts.map(bytes.hex), st.lists(st.sampled_from("PQRST"), max_size=3).map(tuple)),
    st.integers(1, 5),
)
def test_each_row_goes_where_its_institutions_are_and_to_all_where_it_touches_none(pairs, touching, count):
    router = Router(count, lambda one: touching.get(one, ()))
    expected = {}
    for number, ends in enumerate(pairs):
        touched = {one for end in ends if end != OUTSIDE for one in touching.get(end.hex(), ())}
        for part in {partition_of(one, count) for one in touched} or range(count):
            expected.setdefault(part, []).append(str(number))
    assert routed(router, columns_of(pairs)) == expected
    assert routed(router, columns_of(pairs)) == expected  # from the cache


def test_the_outside_world_touches_nobody():
    router = Router(2, lambda _: ("P",))
    only_outside = routed(router, columns_of([(OUTSIDE, OUTSIDE)]))
    assert sorted(only_outside) == [0, 1]


def test_one_partition_costs_nothing():
    columns = columns_of([(token(1), token(2))])

    def never(_):
        raise AssertionError("nothing needs looking up")

    ((part, rows),) = Router(1, never).route(columns, 0)
    assert part == 0
    assert rows is columns


def test_a_registry_change_is_seen_and_nothing_else_is_asked_twice():
    asked = []

    def touching(one):
        asked.append(one)
        return ("P",)

    router = Router(8, touching)
    columns = columns_of([(token(1), token(2)), (token(2), token(1))])
    routed(router, columns, revision=1)
    routed(router, columns, revision=1)
    assert len(asked) == 2
    routed(router, columns, revision=2)
    assert len(asked) == 4


def test_the_cache_is_bounded():
    router = Router(2, lambda _: ())
    number = 0
    for _ in range(3):
        pairs = [(token(number + i), token(number + i)) for i in range(CACHED_TOKENS // 2 + 1)]
        number += len(pairs)
        list(router.route(columns_of(pairs), 0))
        assert len(router._row_of) <= CACHED_TOKENS


def test_institutions_spread_over_the_partitions_the_same_way_everywhere():
    assert [partition_of(f"I{number}", 4) for number in range(8)] == [2, 0, 0, 2, 2, 3, 1, 1]
    counts = np.bincount([partition_of(f"I{number}", 4) for number in range(1000)])
    assert counts.min() > 200
