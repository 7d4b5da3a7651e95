"""How many distinct payers an account has whose payments say something: counted as they come.

Each pair of payer and payee is kept with the period of its latest payment, and each payee counts its
payers by that period; the sum over the periods that reach into the window is never less than the
payers in the window, and more by those of one period at most.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, Int64s, kernel
from schemas.instant import DAY

PERIOD_US: Final = 5 * DAY
_PERIODS: Final = 8
SPAN_US: Final = (_PERIODS - 1) * PERIOD_US
"""The longest window whose payers are all counted."""

_MANY: Final = 2**31 - 1
"""Where what was counted has been forgotten since."""
_HASH: Final = np.uint64(0x9E3779B97F4A7C15)
"""2 ** 64 ÷ the golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)."""
_FIRST_CAPACITY: Final = 1 << 12


class _Pairs(NamedTuple):
    """Open addressing with linear probing; key 0 is an empty slot, and no pair has it."""

    keys: Array
    periods: Int32s
    used: Int64s
    """One number: slots that are not empty."""


class _Counts(NamedTuple):
    by_period: Int32s
    """Per account, period modulo _PERIODS: payers whose latest payment was in it."""
    newest: Int32s
    """Per account: the period up to which its counts are swept."""


def _new_pairs(capacity: int) -> _Pairs:
    return _Pairs(np.zeros(capacity, np.uint64), np.zeros(capacity, np.int32), np.zeros(1, np.int64))


class Payers:
    """Memory: 12 bytes a slot, two slots or more a pair of the last SPAN_US; 36 bytes an account."""

    def __init__(self) -> None:
        self._pairs = _new_pairs(_FIRST_CAPACITY)
        self._counts = _Counts(np.zeros((1024, _PERIODS), np.int32), np.zeros(1024, np.int32))

    def count(self, src: Int32s, dst: Int32s, telling: Bools, clock_us: Int64s) -> Int32s:
        """Take in the rows of a batch; for each, the payers of its payee just after it. Rows that are
        not `telling` are not taken in. Rows without a payer's or payee's index (0, -1) have none."""
        found = np.zeros(src.size, np.int32)
        self._take(src, dst, telling, clock_us, found)
        return found

    def note(self, src: Int32s, dst: Int32s, telling: Bools, clock_us: Int64s) -> None:
        """Take in the rows of a batch, as count() does."""
        self._take(src, dst, telling, clock_us, np.zeros(0, np.int32))

    def _take(self, src: Int32s, dst: Int32s, telling: Bools, clock_us: Int64s, found: Int32s) -> None:
        periods = (clock_us // PERIOD_US).astype(np.int32)
        self._make_room(src.size, int(max(src.max(initial=0), dst.max(initial=0))), int(periods[0]))
        count_rows(self._pairs, self._counts, (src, dst), telling, periods, found)

    def at_most(self, account: int, now_us: int, window_us: int) -> int:
        """No fewer than its payers in the window up to `now_us`, a time of the batch counted last."""
        if account >= self._counts.newest.size:
            return 0
        kept = int(self._counts.newest[account]) - _PERIODS + 1
        if (now_us - window_us) // PERIOD_US < kept:
            return _MANY
        return int(self._counts.by_period[account].sum())

    def _make_room(self, rows: int, account: int, period: int) -> None:
        held = self._counts.newest.size
        if account >= held:
            more = max(account + 1 - held, held)
            self._counts = _Counts(
                np.concatenate((self._counts.by_period, np.zeros((more, _PERIODS), np.int32))),
                np.concatenate((self._counts.newest, np.zeros(more, np.int32))),
            )
        if 2 * (int(self._pairs.used[0]) + rows) > self._pairs.keys.size:
            live = int(np.count_nonzero(self._pairs.periods > period - _PERIODS))
            capacity = _FIRST_CAPACITY
            while capacity < 4 * (live + rows):
                capacity *= 2
            pairs = _new_pairs(capacity)
            keep_live(self._pairs, pairs, period)
            self._pairs = pairs


@kernel
def count_rows(
    pairs: _Pairs,
    counts: _Counts,
    ends: tuple[Int32s, Int32s],
    telling: Bools,
    periods: Int32s,
    found: Int32s,
) -> None:
    """`found`: of each row its payee's payers; empty where nobody asks."""
    src, dst = ends
    for row in range(telling.size):
        payee = dst[row]
        if payee <= 0:
            continue
        period = periods[row]
        if telling[row] and src[row] > 0 and src[row] != payee:
            sweep(counts, payee, period)
            key = (np.uint64(src[row]) << np.uint64(32)) | np.uint64(payee)
            slot = slot_for(pairs, key)
            if pairs.keys[slot] != key:
                pairs.keys[slot] = key
                pairs.used[0] += 1
            elif pairs.periods[slot] > period - _PERIODS:
                counts.by_period[payee, pairs.periods[slot] % _PERIODS] -= 1
            pairs.periods[slot] = period
            counts.by_period[payee, period % _PERIODS] += 1
        if found.size:
            found[row] = payers_of(counts, payee, period)


@kernel
def slot_for(pairs: _Pairs, key: np.uint64) -> np.uint64:
    """Where `key` is, else the empty slot where it belongs."""
    last = np.uint64(pairs.keys.size - 1)
    slot = (key * _HASH >> np.uint64(20)) & last
    while pairs.keys[slot] != 0 and pairs.keys[slot] != key:
        slot = (slot + np.uint64(1)) & last
    return slot


@kernel
def sweep(counts: _Counts, account: int, period: int) -> None:
    """Empty the counts of periods that have come round."""
    stale = min(period - counts.newest[account], _PERIODS)
    for back in range(stale):
        counts.by_period[account, (period - back) % _PERIODS] = 0
    counts.newest[account] = period


@kernel
def payers_of(counts: _Counts, account: int, period: int) -> int:
    total = 0
    first = period - _PERIODS + 1
    for each in range(first, counts.newest[account] + 1):
        total += counts.by_period[account, each % _PERIODS]
    return total


@kernel
def keep_live(pairs: _Pairs, into: _Pairs, period: int) -> None:
    for slot in range(pairs.keys.size):
        if pairs.keys[slot] != 0 and pairs.periods[slot] > period - _PERIODS:
            place = slot_for(into, pairs.keys[slot])
            into.keys[place] = pairs.keys[slot]
            into.periods[place] = pairs.periods[slot]
            into.used[0] += 1
