from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.detector.graph import table as tables
from services.detector.graph.table import FREE, SHARDS, STRIPE, Table, new_table


def put(table: Table, key: int, value: int) -> None:
    assert tables.make_room(table, np.uint64(key))
    tables.put(table, np.uint64(key), value)


def get(table: Table, key: int) -> int | None:
    slot = tables.find(table, np.uint64(key))
    return None if slot < 0 else int(table.slots[slot]["value"])


def held(table: Table) -> dict[int, int]:
    taken = table.slots[table.slots["key"] != FREE]
    return dict(zip(taken["key"].tolist(), taken["value"].tolist(), strict=True))


def keys_of_one_shard(count: int) -> list[int]:
    candidates = (np.uint64(key) for key in range(1, 10**6))
    ours = (key for key in candidates if tables.shard_of(np.uint64(tables.mix(key))) == 5)
    return [int(key) for key in islice(ours, count)]


@given(st.lists(st.tuples(st.sampled_from(keys_of_one_shard(40)), st.booleans()), max_size=200))
def test_it_is_a_dictionary(steps: list[tuple[int, bool]]) -> None:
    table, expected = new_table(100), dict[int, int]()
    table.sizes[5] = 48  # crowded, so that probes are long and wrap round
    for value, (key, is_removal) in enumerate(steps):
        if is_removal and key in expected:
            tables.remove(table, tables.find(table, np.uint64(key)))
            del expected[key]
        elif key not in expected:
            put(table, key, value)
            expected[key] = value
        assert get(table, key) == expected.get(key)
    assert held(table) == expected
    assert {key: get(table, key) for key in expected} == expected
    assert table.used.sum() == len(expected)


def test_it_grows_and_keeps_all() -> None:
    table = new_table(100_000)
    for key in range(1, 100_001):
        put(table, key, key % 1000)
    assert held(table) == {key: key % 1000 for key in range(1, 100_001)}
    assert all(get(table, key) == key % 1000 for key in range(1, 100_001, 97))
    assert table.sizes.sum() * table.slots.itemsize < 20 * 100_000
    longest = table.sizes.max()
    assert longest < 2 * 100_000 / SHARDS * 25 / 16


def test_equal_keys_are_found_one_after_the_other() -> None:
    table = new_table(100)
    put(table, 7, 1)
    put(table, 8, 2)
    put(table, 7, 3)
    first = tables.find(table, np.uint64(7))
    second = tables.find_next(table, np.uint64(7), first)
    assert {int(table.slots[slot]["value"]) for slot in (first, second)} == {1, 3}
    assert tables.find_next(table, np.uint64(7), second) == -1


def test_a_full_shard_has_no_room() -> None:
    table = new_table(1)
    keys = iter(keys_of_one_shard(2 * STRIPE))
    put_in = 0
    while tables.make_room(table, np.uint64(key := next(keys))):
        tables.put(table, np.uint64(key), 0)
        put_in += 1
    assert put_in == table.scratch.size - 1


@pytest.mark.parametrize("position", [0, 1, STRIPE - 1, STRIPE, 7 * STRIPE + 3])
@pytest.mark.parametrize("shard", [0, 1, SHARDS - 1])
def test_position_of_an_address(shard: int, position: int) -> None:
    assert tables.position_of(tables.address(shard, position)) == position
