"""Net flows of watched accounts since the log began, and the lowest they were: a floor for balances."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Int32s, Int64s
from services.detector.growing import with_room
from services.detector.typology import Step

_NOTHING: Final = np.empty(0, np.int64)


class _Waiting(NamedTuple):
    """One entry for each end of a row that is watched, in row order."""

    rows: Int64s
    clocks_us: Int64s
    slots: Int64s
    currencies: Int64s
    signed_minor: Int64s


_NONE: Final = _Waiting(_NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING)


class NetFlows:
    """Rows of a batch count one by one, in order: open() a batch, advance within it, close() it.

    The opening balance is not known, so what an account holds is bounded from below: it was never
    less than nothing, so it now holds at least what came in net since its lowest noted point.
    Memory: 4 bytes an account, and 16 for each currency of a watched one.
    """

    def __init__(self) -> None:
        self._slots: Int32s = np.full(1024, -1, np.int32)
        """By account; -1: it was never watched."""
        self._count_of_slots = 0
        self._net = np.zeros((16, 1), np.int64)
        """By slot and currency code."""
        self._lowest = np.zeros_like(self._net)
        self._waiting = _NONE
        self._at = 0

    def open(self, step: Step, into: Int64s, out_of: Int64s) -> None:
        """`into`, `out_of`: rows whose payee, or payer, is watched, ascending."""
        applied = step.applied
        rows = np.concatenate((into, out_of))
        order = np.argsort(rows, kind="stable")
        accounts = np.concatenate((applied.dst[into], applied.src[out_of]))[order]
        minor = np.concatenate((applied.amount_minor[into], -applied.amount_minor[out_of]))[order]
        rows = rows[order]
        currencies = applied.currency[rows].astype(np.int64)
        slots = self._slots_of(accounts)
        self._make_room(int(currencies.max(initial=0)) + 1)
        self._waiting = _Waiting(rows, applied.clock_us[rows], slots, currencies, minor)
        self._at = 0

    def advance(self, row: int) -> None:
        """Count what moved up to and including `row`."""
        self._count(int(np.searchsorted(self._waiting.rows, row, side="right")))

    def advance_before(self, clock_us: int) -> None:
        """Count what moved before the clock reached `clock_us`."""
        self._count(int(np.searchsorted(self._waiting.clocks_us, clock_us)))

    def close(self, rows: int) -> None:
        self.advance(rows)
        self._waiting, self._at = _NONE, 0

    def note_lowest(self, account: int) -> None:
        """Its balances may now be the lowest so far."""
        slot = self._slots[account]
        self._lowest[slot] = np.minimum(self._lowest[slot], self._net[slot])

    def held_minor(self, account: int) -> list[int]:
        """By currency code: of an account that was watched, at least so much is there."""
        slot = self._slots[account]
        held: list[int] = (self._net[slot] - self._lowest[slot]).tolist()
        return held

    def _count(self, until: int) -> None:
        if until > self._at:
            part, waiting = slice(self._at, until), self._waiting
            places = waiting.slots[part], waiting.currencies[part]
            np.add.at(self._net, places, waiting.signed_minor[part])
            self._at = until

    def _slots_of(self, accounts: Int32s) -> Int64s:
        self._slots = with_room(self._slots, int(accounts.max(initial=0)) + 1, -1)
        for account in dict.fromkeys(accounts[self._slots[accounts] < 0].tolist()):
            self._slots[account] = self._count_of_slots
            self._count_of_slots += 1
        return self._slots[accounts].astype(np.int64)

    def _make_room(self, currencies: int) -> None:
        slots, width = self._net.shape
        if self._count_of_slots > slots or currencies > width:
            shape = max(slots, 2 * self._count_of_slots), max(width, currencies)
            room = (shape[0] - slots, shape[1] - width)
            self._net, self._lowest = (
                np.pad(kept, ((0, room[0]), (0, room[1]))) for kept in (self._net, self._lowest)
            )
