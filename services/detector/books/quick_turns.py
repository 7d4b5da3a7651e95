"""How often nearly all that came into an account has left again at once: counted as transfers come.

A turn begins with money that comes in while none is under way, takes in whatever else comes, and ends
well when as much has gone out within the time allowed, give or take a share; it is given up when the time
is over, or when far more goes out than came in. One currency at a time: that of the money that began it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int8s, Int16s, Int32s, Int64s, Record, direct, kernel
from services.detector.growing import with_room
from services.detector.legs import Leg

_WHOLE: Final = 10_000
_MOST: Final = 63
"""Turns that are counted in one epoch."""

TURN: Final = np.dtype(
    [
        ("start_us", "i8"),
        ("came_minor", "i8"),
        ("left_minor", "i8"),
        ("epoch", "i4"),
        ("currency", "i2"),
        ("now", "i1"),
        ("before", "i1"),
    ]
)
"""`came_minor` 0: no turn is under way. Turns are counted by epochs of the window's length: this one's
and the one's before it, which together reach over any window that ends now."""


class Rule(NamedTuple):
    """A turn's floor, share and time, and the window over which turns are counted."""

    floor_minor: int
    share_bp: int
    within_us: int
    window_us: int


class Rows(NamedTuple):
    src: Int32s
    dst: Int32s
    ts_us: Int64s
    amount_minor: Int64s
    currency: Int16s
    comes: Bools
    """It counts as money that comes in at its payee."""
    leaves: Bools
    """It counts as money that leaves its payer."""


class QuickTurns:
    """Memory: 32 bytes an account."""

    def __init__(self) -> None:
        self._turns: Array = np.zeros(1024, TURN)

    def count(self, accounts: int, rows: Rows, rule: Rule) -> Int8s:
        """Take in the rows of a batch, of the first so many accounts. For each that ends a turn of its
        payer: how many ended well within the window, or a little before it, this one among them; else 0."""
        self._turns = with_room(self._turns, accounts + 1)
        ended = np.zeros(rows.src.size, np.int8)
        count_turns(self._turns, rows, rule, ended)
        return ended


@direct
@kernel
def count_turns(turns: Array, rows: Rows, rule: Rule, ended: Int8s) -> None:
    for row in range(ended.size):
        ts_us = rows.ts_us[row]
        if rows.leaves[row]:
            turn = turns[rows.src[row]]
            is_open = turn.came_minor > 0 and ts_us - turn.start_us <= rule.within_us
            if is_open and turn.currency == rows.currency[row]:
                turn.left_minor += rows.amount_minor[row]
                if turn.left_minor >= share_of(turn.came_minor, rule.share_bp):
                    if is_even(turn.came_minor, turn.left_minor, rule):
                        note(turn, ts_us // rule.window_us)
                        ended[row] = turn.now + turn.before
                    turn.came_minor = 0
        if rows.comes[row]:
            turn = turns[rows.dst[row]]
            if turn.came_minor == 0 or ts_us - turn.start_us > rule.within_us:
                turn.start_us = ts_us
                turn.came_minor = 0
                turn.left_minor = 0
                turn.currency = rows.currency[row]
            if turn.currency == rows.currency[row]:
                turn.came_minor += rows.amount_minor[row]


@kernel
def note(turn: Record, epoch: int) -> None:
    """One more that ended well."""
    if epoch > turn.epoch:
        turn.before = turn.now if epoch == turn.epoch + 1 else 0
        turn.now = 0
        turn.epoch = epoch
    turn.now = min(turn.now + 1, _MOST)


@kernel
def is_even(came_minor: int, left_minor: int, rule: Rule) -> bool:
    """It was worth looking at, and not far more left than had come."""
    spare = share_of(came_minor, _WHOLE - rule.share_bp)
    return came_minor >= rule.floor_minor and left_minor - came_minor <= spare


@kernel
def share_of(minor: int, share_bp: int) -> int:
    """Rounded down; within int64 whatever the amount."""
    return minor // _WHOLE * share_bp + minor % _WHOLE * share_bp // _WHOLE


class Turn(NamedTuple):
    came: tuple[Leg, ...]
    left: tuple[Leg, ...]

    @property
    def came_minor(self) -> int:
        return sum(leg.amount_minor for leg in self.came)

    @property
    def left_minor(self) -> int:
        return sum(leg.amount_minor for leg in self.left)


def turns_of(legs: Iterable[Leg], account: int, rule: Rule) -> Iterator[Turn]:
    """Those of `account` that ended well among its `legs` of one currency, in the order of time."""
    came: list[Leg] = []
    left: list[Leg] = []
    for leg in legs:
        if came and leg.ts_us - came[0].ts_us > rule.within_us:
            came, left = [], []
        if leg.src != account:
            came.append(leg)
        elif came:
            left.append(leg)
            turn = Turn(tuple(came), tuple(left))
            if turn.left_minor >= share_of(turn.came_minor, rule.share_bp):
                if is_even(turn.came_minor, turn.left_minor, rule):
                    yield turn
                came, left = [], []
