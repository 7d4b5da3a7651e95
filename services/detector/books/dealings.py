"""Since when two accounts deal with each other: longer than the graph's window remembers.

A relation begins with the first transfer between two accounts, whichever pays. A shape made of
relations that all begin within it was made for the occasion; honest life repeats itself between people
who have dealt with each other before (assumption, as in studies of money mules: their accounts are
strangers to those who pay them).

Two generations of at most `max_pairs` each: when the younger is full the older is forgotten, and a pair
that deals again moves up with its beginning. Any two accounts not remembered are strangers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int32s, Int64s, direct, kernel, prefetch, signed
from services.detector.graph import Applied, Status

NEVER_US: Final = -(2**62)
_FREE: Final = np.uint64(0)
_HALF: Final = np.uint64(32)
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_INSERTED: Final = int(Status.inserted)
_LEAST: Final = 1 << 12
_AHEAD: Final = 8
"""Rows from when a row's memory is asked for to when it is used."""


class Dealt(NamedTuple):
    """Row by row, just after it; of rows not inserted and of transfers that are not between two accounts
    nothing is noted, and `since_us` is NEVER_US."""

    since_us: Int64s
    """When payer and payee began to deal: the row's own time where they were strangers."""
    fed_us: Int64s
    """When a relation with somebody who pays the row's payer last began; NEVER_US: none is known."""


class Dealings:
    def __init__(self, max_pairs: int = 1 << 22) -> None:
        self._max = max_pairs
        self._older = _Pairs.empty(_LEAST)
        self._younger = _Pairs.empty(_LEAST)
        self._fed: Int64s = np.empty(0, np.int64)

    def note(self, applied: Applied) -> Dealt:
        """Take a batch in."""
        rows = applied.ts_us.size
        self._cover(applied.accounts)
        dealt = Dealt(np.full(rows, NEVER_US), np.full(rows, NEVER_US))
        row = 0
        while True:
            row = int(
                _note(
                    applied.status,
                    applied.src,
                    applied.dst,
                    applied.ts_us,
                    row,
                    *self._tables(),
                    self._fed,
                    *dealt,
                )
            )
            if row == rows:
                return dealt
            self._make_room()

    def since_us(self, accounts: Int32s, other: int) -> Int64s:
        """When each of `accounts` and `other` began to deal, as of the last batch; a pair's beginning
        does not change while it has transfers in the graph."""
        since = np.empty(accounts.size, np.int64)
        _look_up(np.ascontiguousarray(accounts), other, *self._tables(), since)
        return since

    def _tables(self) -> tuple[Array, Int64s, Int64s, Array, Int64s]:
        young, old = self._younger, self._older
        return young.keys, young.since_us, young.known, old.keys, old.since_us

    def _make_room(self) -> None:
        young = self._younger
        if int(young.known[0]) >= self._max:
            self._older, self._younger = young, _Pairs.empty(_LEAST)
            return
        self._younger = _Pairs.empty(2 * young.keys.size)
        _copy(young.keys, young.since_us, self._younger.keys, self._younger.since_us)
        self._younger.known[0] = young.known[0]

    def _cover(self, account: int) -> None:
        size = self._fed.size
        if account >= size:
            more = max(account + 1 - size, size, _LEAST)
            self._fed = np.concatenate((self._fed, np.full(more, NEVER_US)))


class _Pairs(NamedTuple):
    """Open addressing with linear probing (Knuth, TAOCP vol. 3, 6.4), at most half full."""

    keys: Array
    since_us: Int64s
    known: Int64s

    @classmethod
    def empty(cls, slots: int) -> _Pairs:
        return cls(np.zeros(slots, np.uint64), np.zeros(slots, np.int64), np.zeros(1, np.int64))


@kernel
def _key(a: int, b: int) -> np.uint64:
    return (np.uint64(min(a, b)) << _HALF) | np.uint64(max(a, b))


@kernel
def _home(keys: Array, key: np.uint64) -> int:
    """Where the key is looked for first."""
    return signed((key * _SPREAD) >> _HALF) & (keys.size - 1)


@kernel
def _slot(keys: Array, key: np.uint64) -> int:
    """Where the key is, or the free slot where it belongs."""
    last = keys.size - 1
    slot = _home(keys, key)
    while keys[slot] != key and keys[slot] != _FREE:
        slot = (slot + 1) & last
    return slot


@direct
@kernel
def _note(
    status: Array,
    src: Int32s,
    dst: Int32s,
    ts_us: Int64s,
    row: int,
    keys: Array,
    since: Int64s,
    count: Int64s,
    older_keys: Array,
    older_since: Int64s,
    fed: Int64s,
    since_us: Int64s,
    fed_us: Int64s,
) -> int:
    """Go on from `row`; the row before which the younger table needs room, or the number of rows."""
    for here in range(row, src.size):
        if here + _AHEAD < src.size:
            u, v = max(signed(src[here + _AHEAD]), 0), max(signed(dst[here + _AHEAD]), 0)
            prefetch(fed, u)
            prefetch(fed, v)
            home = _home(keys, _key(u, v))
            prefetch(keys, home)
            prefetch(since, home)
        u, v = signed(src[here]), signed(dst[here])
        if status[here] != _INSERTED or u <= 0 or v <= 0 or u == v:
            continue
        if 2 * count[0] >= keys.size:
            return here
        key = _key(u, v)
        slot = _slot(keys, key)
        if keys[slot] == _FREE:
            older = _slot(older_keys, key)
            keys[slot] = key
            since[slot] = ts_us[here] if older_keys[older] == _FREE else older_since[older]
            count[0] += 1
        since_us[here] = since[slot]
        fed_us[here] = fed[u]
        fed[v] = max(fed[v], since[slot])
    return src.size


@kernel
def _look_up(
    accounts: Int32s,
    other: int,
    keys: Array,
    since: Int64s,
    _count: Int64s,
    older_keys: Array,
    older_since: Int64s,
    found: Int64s,
) -> None:
    for place in range(accounts.size):
        key = _key(signed(accounts[place]), other)
        slot, older = _slot(keys, key), _slot(older_keys, key)
        if keys[slot] == key:
            found[place] = since[slot]
        else:
            found[place] = older_since[older] if older_keys[older] == key else NEVER_US


@kernel
def _copy(keys: Array, since: Int64s, to_keys: Array, to_since: Int64s) -> None:
    for place in range(keys.size):
        if keys[place] != _FREE:
            slot = _slot(to_keys, keys[place])
            to_keys[slot] = keys[place]
            to_since[slot] = since[place]
