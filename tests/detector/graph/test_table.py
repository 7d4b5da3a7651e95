from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.detector.graph import table as tables
from services.detector.graph.table import (
    BUCKET,
    LEAST_SHARDS,
    MOST_IN_SHARD,
    STRIPE,
    Table,
    new_table,
    shards_for,
)

MOST_COUNT = 2**31 - 1


def put(table: Table, key: int, value: int) -> None:
    assert tables.make_room(table, np.uint64(key))
    tables.put(table, np.uint64(key), value)


def get(table: Table, key: int) -> int | None:
    slot = tables.find(table, np.uint64(key))
    return None if slot < 0 else int(table.values[slot])


def held(table: Table) -> dict[int, int]:
    taken = np.flatnonzero(table.digests)
    return dict(zip(table.digests[taken].tolist(), table.values[taken].tolist(), strict=True))


def mixed(entries: dict[int, int]) -> dict[int, int]:
    return {int(tables.mix(np.uint64(key))): value for key, value in entries.items()}


def keys_of_one_shard(count: int) -> list[int]:
    """Of a table with as few shards as any."""
    table, candidates = new_table(1), (np.uint64(key) for key in range(1, 10**6))
    ours = (key for key in candidates if tables.shard_of(table, np.uint64(tables.mix(key))) == 5)
    return [int(key) for key in islice(ours, count)]


@given(st.lists(st.tuples(st.sampled_from(keys_of_one_shard(60)), st.booleans()), max_size=250))
def test_it_is_a_dictionary_of_counts(steps: list[tuple[int, bool]]) -> None:
    """Counts as of pairs: an entry with none is dead, and its slot is free or may be used again."""
    table, expected = new_table(100), dict[int, int]()
    table.buckets[5] = 6  # crowded, so that searches go on from bucket to bucket and wrap round
    for key, is_more in steps:
        if is_more:
            assert tables.make_room_reusing(table, np.uint64(key), 1, MOST_COUNT)
            slot = tables.seek_reusing(table, np.uint64(key), 1, MOST_COUNT)
            count = expected.get(key, 0) + 1
            tables.take(table, slot, np.uint64(key), count)
            expected[key] = count
        elif expected.get(key):
            slot = tables.find(table, np.uint64(key))
            table.values[slot] -= 1
            expected[key] -= 1
            if not expected[key]:
                tables.retire(table, 5, slot)
        assert (get(table, key) or 0) == expected.get(key, 0)
    assert {key: get(table, key) or 0 for key in expected} == expected
    live = {digest: count for digest, count in held(table).items() if count}
    assert live == mixed({key: count for key, count in expected.items() if count})
    assert table.used.sum() == np.count_nonzero(table.digests)


def test_dead_slots_are_used_again() -> None:
    """A window of 3,000 sequence numbers moves over 100,000 keys, through the numbers' wrap round."""
    table, span, start = new_table(3000), 3000, 2**32 - 50_000
    for seq in range(start, start + 100_000):
        key = np.uint64(seq)
        assert tables.make_room_reusing(table, key, seq - span, span)
        slot = tables.seek_reusing(table, key, seq - span, span)
        tables.take(table, slot, key, seq)
    assert all(get(table, start + 99_999 - back) is not None for back in range(span))
    assert (table.buckets == new_table(3000).buckets).all()


@pytest.mark.parametrize(
    ("value", "least", "live"),
    [(10, 7, False), (9, 7, True), (7, 7, True), (6, 7, False), (-1, 2**32 - 2, True), (0, 2**32 - 2, True)],
)
def test_is_live(value: int, least: int, live: bool) -> None:
    assert tables.is_live(value, least, 3) is live


def test_it_grows_and_keeps_all() -> None:
    table = new_table(100_000)
    for key in range(1, 100_001):
        put(table, key, key % 1000)
    assert held(table) == mixed({key: key % 1000 for key in range(1, 100_001)})
    assert all(get(table, key) == key % 1000 for key in range(1, 100_001, 97))
    assert table.buckets.sum() * BUCKET * 12 < 20 * 100_000
    assert table.buckets.max() * BUCKET < 2 * 100_000 / LEAST_SHARDS


def test_equal_keys_are_found_one_after_the_other() -> None:
    table = new_table(100)
    put(table, 7, 1)
    put(table, 8, 2)
    put(table, 7, 3)
    found = [tables.find_ranked(table, np.uint64(7), step) for step in range(3)]
    assert {int(table.values[slot]) for slot in found[:2]} == {1, 3}
    assert found[2] == -1


def test_a_full_shard_has_no_room() -> None:
    table = new_table(1)
    keys = iter(keys_of_one_shard(2 * STRIPE * BUCKET))
    put_in = 0
    while tables.make_room(table, np.uint64(key := next(keys))):
        tables.put(table, np.uint64(key), 0)
        put_in += 1
    assert put_in == table.waiting_values.size - 1


def test_shards_stay_small_however_large_the_table() -> None:
    for most in (1, 2_000_000, 2_097_153, 4_000_000, 10_000_000, 1 << 30):
        shards = shards_for(most)
        assert shards & (shards - 1) == 0
        assert shards == LEAST_SHARDS or most / shards > MOST_IN_SHARD // 2
        assert most / shards <= MOST_IN_SHARD


def test_a_table_of_many_shards_keeps_all() -> None:
    table = new_table(4_000_000)
    for key in range(1, 50_001):
        put(table, key, key)
    assert table.used.size == 128
    assert all(table.used > 250)
    assert held(table) == mixed({key: key for key in range(1, 50_001)})


def test_shards_grow_one_after_the_other() -> None:
    """Each a little beyond the largest there was."""
    table, reach = new_table(1_000_000), 0
    for key in range(1, 300_001):
        before = int(table.buckets.max())
        put(table, key, key)
        reach = max(reach, int(table.buckets.max()) - before)
        if key < 30_000:
            reach = 0
    assert 0 < reach < table.buckets.max() / 10
