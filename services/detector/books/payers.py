"""How many distinct payers an account has whose payments say something: counted as they come, and of these
those whose payments say it wherever they are made, which are stated.

Each pair of payer and payee is kept with the period of its latest payment of either kind, and each payee
counts its payers by that period; the sum over the periods that reach into the window is never less than
the payers in the window, and more by those of one period at most.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int8s, Int32s, Int64s, direct, kernel, prefetch, read_only, signed
from schemas.instant import DAY
from services.detector.graph import Applied
from services.detector.growing import with_room

PERIOD_US: Final = 5 * DAY
_PERIODS: Final = 8
SPAN_US: Final = (_PERIODS - 1) * PERIOD_US
"""The longest window whose payers are all counted."""

_MANY: Final = 2**31 - 1
"""Where what was counted has been forgotten since."""
_HASH: Final = np.uint64(0x9E3779B97F4A7C15)
"""2 ** 64 ÷ the golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)."""
_FIRST_CAPACITY: Final = 1 << 12
_LONG_AGO: Final = -(2**30)
"""A period in which nothing is counted."""
_TELLING: Final = 0
_STATED: Final = _PERIODS
_WIDTH: Final = 2 * _PERIODS
_AHEAD: Final = 8
"""Rows from when a row's memory is asked for to when it is used."""

_PAIR: Final = np.dtype([("key", "<u8"), ("telling", "<i4"), ("stated", "<i4")])
"""With the periods of the latest payment and of the latest stated one. Key 0, which no pair has, is an empty
slot."""


class _Pairs(NamedTuple):
    """Open addressing with linear probing."""

    slots: Array
    used: Int64s
    """One number: slots that are not empty."""


class _Counts(NamedTuple):
    by_period: Int32s
    """Per account _WIDTH: from _TELLING on, period modulo _PERIODS, payers whose latest payment was in it;
    from _STATED on, those whose latest stated one was."""
    newest: Int32s
    """Per account: the period up to which its counts are swept."""


class Telling(NamedTuple):
    """Which payments say something of their payers: those for one of the `purposes` (as bits), but for one of
    `fees` only more than `small_fee_minor`. Stated are those for one of `stated`, and all that name a
    product."""

    purposes: int
    stated: int
    fees: int
    small_fee_minor: int


class _Rows(NamedTuple):
    src: Int32s
    dst: Int32s
    purpose: Int8s
    product: Int32s
    amount_minor: Int64s
    clock_us: Int64s
    counts: Bools
    payers: Int32s


def _new_pairs(capacity: int) -> _Pairs:
    return _Pairs(np.zeros(capacity, _PAIR), np.zeros(1, np.int64))


class Payers:
    """Memory: 16 bytes a slot, two slots or more a pair of the last SPAN_US; 68 bytes an account."""

    def __init__(self) -> None:
        self._pairs = _new_pairs(_FIRST_CAPACITY)
        self._counts = _Counts(np.zeros(1024 * _WIDTH, np.int32), np.zeros(1024, np.int32))

    def count(self, applied: Applied, counts: Bools, telling: Telling, least: int) -> Int32s:
        """Take in the rows of a batch that count and say something; for each row the payers of its payee just
        after it, where the graph knows of `least` payers or more. Rows without a payer's or payee's index
        (0, -1) have none."""
        found = np.zeros(applied.src.size, np.int32)
        rows = _Rows(
            applied.src,
            applied.dst,
            read_only(applied.purpose),
            applied.product,
            read_only(applied.amount_minor),
            applied.clock_us,
            counts,
            applied.payers,
        )
        self._make_room(found.size, applied.accounts, int(applied.clock_us[0]) // PERIOD_US)
        count_rows(self._pairs, self._counts, rows, telling, least, found)
        return found

    def at_most(self, account: int, now_us: int, window_us: int, *, stated: bool = False) -> int:
        """No fewer than its payers in the window up to `now_us`, a time of the batch counted last; `stated`:
        those who made a stated payment."""
        if account >= self._counts.newest.size:
            return 0
        kept = int(self._counts.newest[account]) - _PERIODS + 1
        if (now_us - window_us) // PERIOD_US < kept:
            return _MANY
        first = account * _WIDTH + (_STATED if stated else _TELLING)
        return sum(self._counts.by_period[first : first + _PERIODS].tolist())

    def _make_room(self, rows: int, account: int, period: int) -> None:
        self._counts = _Counts(
            with_room(self._counts.by_period, (account + 1) * _WIDTH),
            with_room(self._counts.newest, account + 1),
        )
        if 2 * (int(self._pairs.used[0]) + rows) > self._pairs.slots.size:
            live = int(np.count_nonzero(self._pairs.slots["telling"] > period - _PERIODS))
            capacity = _FIRST_CAPACITY
            while capacity < 4 * (live + rows):
                capacity *= 2
            pairs = _new_pairs(capacity)
            keep_live(self._pairs, pairs, period)
            self._pairs = pairs


@direct
@kernel
def count_rows(
    pairs: _Pairs, counts: _Counts, rows: _Rows, telling: Telling, least: int, found: Int32s
) -> None:
    """`found`: of each row its payee's payers."""
    for row in range(found.size):
        if row + _AHEAD < found.size:
            bring_near(pairs, counts, rows, telling, least, row + _AHEAD)
        payee = signed(rows.dst[row])
        if payee <= 0:
            continue
        period = rows.clock_us[row] // PERIOD_US
        if tells(rows, telling, row) and rows.src[row] > 0 and rows.src[row] != payee:
            sweep(counts, payee, period)
            key = pair_key(rows.src[row], payee)
            slot = slot_for(pairs, key)
            pair = pairs.slots[slot]
            if pair.key != key:
                pair.key = key
                pair.telling = pair.stated = _LONG_AGO
                pairs.used[0] += 1
            move(counts, payee, _TELLING, pair.telling, period)
            pair.telling = period
            if telling.stated >> rows.purpose[row] & 1 != 0 or rows.product[row] != 0:
                move(counts, payee, _STATED, pair.stated, period)
                pair.stated = period
        if rows.payers[row] >= least:
            found[row] = payers_of(counts, payee, period)


@kernel
def tells(rows: _Rows, telling: Telling, row: int) -> bool:
    bit = 1 << rows.purpose[row]
    is_small = telling.fees & bit != 0 and rows.amount_minor[row] <= telling.small_fee_minor
    return bool(rows.counts[row] and telling.purposes & bit != 0 and not is_small)


@kernel
def bring_near(pairs: _Pairs, counts: _Counts, rows: _Rows, telling: Telling, least: int, row: int) -> None:
    payee = max(signed(rows.dst[row]), 0)
    will_tell = tells(rows, telling, row)
    if will_tell or rows.payers[row] >= least:
        prefetch(counts.newest, payee)
        prefetch(counts.by_period, payee * _WIDTH)
    if will_tell:
        prefetch(pairs.slots, signed(home_of(pairs, pair_key(rows.src[row], payee))))


@kernel
def move(counts: _Counts, account: int, kind: int, before: int, period: int) -> None:
    """A payer whose latest payment was in the period `before` has made another."""
    first = account * _WIDTH + kind
    if before > period - _PERIODS:
        counts.by_period[first + before % _PERIODS] -= 1
    counts.by_period[first + period % _PERIODS] += 1


@kernel
def pair_key(payer: int, payee: int) -> np.uint64:
    return (np.uint64(payer) << np.uint64(32)) | np.uint64(payee)


@kernel
def home_of(pairs: _Pairs, key: np.uint64) -> np.uint64:
    """Where `key` is looked for first."""
    return (key * _HASH >> np.uint64(20)) & np.uint64(pairs.slots.size - 1)


@kernel
def slot_for(pairs: _Pairs, key: np.uint64) -> np.uint64:
    """Where `key` is, else the empty slot where it belongs."""
    last = np.uint64(pairs.slots.size - 1)
    slot = home_of(pairs, key)
    while pairs.slots[slot].key != 0 and pairs.slots[slot].key != key:
        slot = (slot + np.uint64(1)) & last
    return slot


@kernel
def sweep(counts: _Counts, account: int, period: int) -> None:
    """Empty the counts of periods that have come round."""
    stale = min(period - counts.newest[account], _PERIODS)
    for back in range(stale):
        place = account * _WIDTH + (period - back) % _PERIODS
        counts.by_period[place + _TELLING] = 0
        counts.by_period[place + _STATED] = 0
    counts.newest[account] = period


@kernel
def payers_of(counts: _Counts, account: int, period: int) -> int:
    total = 0
    first = period - _PERIODS + 1
    for each in range(first, counts.newest[account] + 1):
        total += counts.by_period[account * _WIDTH + _TELLING + each % _PERIODS]
    return total


@kernel
def keep_live(pairs: _Pairs, into: _Pairs, period: int) -> None:
    for slot in range(pairs.slots.size):
        pair = pairs.slots[slot]
        if pair.key != 0 and pair.telling > period - _PERIODS:
            into.slots[slot_for(into, pair.key)] = pair
            into.used[0] += 1
