"""Accounts that move again after a long rest, and what they move in the days after: counted as it comes."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int16s, Int32s, Int64s, Record, direct, kernel, prefetch, signed
from services.detector.beijing import day_at
from services.detector.growing import with_room

_AHEAD: Final = 8
"""Movements from when a row's memory is asked for to when it is used."""

SLEEPER: Final = np.dtype(
    [
        ("came_minor", "i8"),
        ("left_minor", "i8"),
        ("last_minor", "i8"),
        ("before_minor", "i8"),
        ("last_day", "i4"),
        ("last_other", "i4"),
        ("woke_day", "i4"),
        ("idle_days", "i4"),
        ("before", "i4"),
        ("currency", "i2"),
    ]
)
"""`last_day` 0: it never moved; `woke_day` 0: it is not within the days after waking. `before`: with whom
its last transfer before the rest was, and of how much."""

WOKEN: Final = np.dtype(
    [
        ("row", "i4"),
        ("account", "i4"),
        ("woke_day", "i4"),
        ("idle_days", "i4"),
        ("before", "i4"),
        ("before_minor", "i8"),
    ]
)
"""An account that has woken and moved enough, just after a row."""


class Rule(NamedTuple):
    """At least so long a rest; within so many days of waking, so much in and so much out."""

    idle_days: int
    within_days: int
    floor_minor: int


class Rows(NamedTuple):
    src: Int32s
    dst: Int32s
    ts_us: Int64s
    amount_minor: Int64s
    currency: Int16s


class Sleepers:
    """Memory: 54 bytes an account."""

    def __init__(self) -> None:
        self._sleepers: Array = np.zeros(1024, SLEEPER)

    def count(self, accounts: int, rows: Rows, moves: Int64s, rule: Rule) -> Array:
        """Take in the rows of a batch, of the first so many accounts: `moves` are movements of both their
        accounts. Of WOKEN, by row, the payer first."""
        self._sleepers = with_room(self._sleepers, accounts + 1)
        woken = np.empty(2 * moves.size, WOKEN)
        return woken[: count_moves(self._sleepers, rows, moves, rule, woken)]


@direct
@kernel
def count_moves(sleepers: Array, rows: Rows, moves: Int64s, rule: Rule, woken: Array) -> int:
    """How many of `woken` were told."""
    told = 0
    for place in range(moves.size):
        if place + _AHEAD < moves.size:
            coming = moves[place + _AHEAD]
            prefetch(sleepers, max(signed(rows.src[coming]), 0))
            prefetch(sleepers, max(signed(rows.dst[coming]), 0))
        row = moves[place]
        src, dst, minor = rows.src[row], rows.dst[row], rows.amount_minor[row]
        if src > 0:
            payer = sleepers[src]
            if is_woken(payer, rows, row, rule):
                payer.left_minor += minor
                told += tell(payer, rule, row, src, woken, told)
            payer.last_other = dst
            payer.last_minor = minor
        if dst > 0:
            payee = sleepers[dst]
            if is_woken(payee, rows, row, rule):
                payee.came_minor += minor
                told += tell(payee, rule, row, dst, woken, told)
            payee.last_other = src
            payee.last_minor = minor
    return told


@kernel
def is_woken(sleeper: Record, rows: Rows, row: int, rule: Rule) -> bool:
    """It moves: whether that counts for a waking, this row's or an earlier one's."""
    day = day_at(rows.ts_us[row])
    if sleeper.last_day > 0 and day - sleeper.last_day >= rule.idle_days:
        sleeper.woke_day = day
        sleeper.idle_days = day - sleeper.last_day
        sleeper.before = sleeper.last_other
        sleeper.before_minor = sleeper.last_minor
        sleeper.currency = rows.currency[row]
        sleeper.came_minor = 0
        sleeper.left_minor = 0
    elif sleeper.woke_day > 0 and day - sleeper.woke_day > rule.within_days:
        sleeper.woke_day = 0
    sleeper.last_day = max(sleeper.last_day, day)
    counts: bool = sleeper.woke_day > 0 and sleeper.currency == rows.currency[row]
    return counts


@kernel
def tell(sleeper: Record, rule: Rule, row: int, account: int, woken: Array, place: int) -> bool:
    if min(sleeper.came_minor, sleeper.left_minor) < rule.floor_minor:
        return False
    one = woken[place]
    one.row = row
    one.account = account
    one.woke_day = sleeper.woke_day
    one.idle_days = sleeper.idle_days
    one.before = sleeper.before
    one.before_minor = sleeper.before_minor
    return True
