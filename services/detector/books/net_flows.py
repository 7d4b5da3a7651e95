"""Net flows of watched accounts since the log began, and the lowest they were: a floor for balances."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple

import numpy as np

from compiled import Int64s
from services.detector.typology import Step

Key = tuple[int, int]
"""(account, currency code)."""


class _Waiting(NamedTuple):
    """One entry for each end of a row that is watched, in row order."""

    rows: list[int]
    clocks_us: list[int]
    accounts: list[int]
    currencies: list[int]
    signed_minor: list[int]


_NONE: Final = _Waiting([], [], [], [], [])


class NetFlows:
    """Rows of a batch count one by one, in order: open() a batch, advance within it, close() it.

    The opening balance is not known, so what an account holds is bounded from below: it was never
    less than nothing, so it now holds at least what came in net since its lowest noted point.
    """

    def __init__(self) -> None:
        self._net: dict[int, dict[int, int]] = {}
        """By account and currency code."""
        self._lowest: dict[Key, int] = {}
        self._waiting = _NONE
        self._at = 0

    def open(self, step: Step, into: Int64s, out_of: Int64s) -> None:
        """`into`, `out_of`: rows whose payee, or payer, is watched, ascending."""
        applied = step.applied
        rows = np.concatenate((into, out_of))
        order = np.argsort(rows, kind="stable")
        accounts = np.concatenate((applied.dst[into], applied.src[out_of]))
        minor = np.concatenate((applied.amount_minor[into], -applied.amount_minor[out_of]))
        rows = rows[order]
        columns = (rows, applied.clock_us[rows], accounts[order], applied.currency[rows], minor[order])
        self._waiting = _Waiting(*(column.tolist() for column in columns))
        self._at = 0

    def advance(self, row: int) -> None:
        """Count what moved up to and including `row`."""
        self._count(bisect_right(self._waiting.rows, row))

    def advance_before(self, clock_us: int) -> None:
        """Count what moved before the clock reached `clock_us`."""
        self._count(bisect_left(self._waiting.clocks_us, clock_us))

    def close(self, rows: int) -> None:
        self.advance(rows)
        self._waiting, self._at = _NONE, 0

    def note_lowest(self, account: int) -> None:
        """Its balances may now be the lowest so far."""
        for currency, net in self._net.get(account, {}).items():
            key = account, currency
            self._lowest[key] = min(self._lowest.get(key, 0), net)

    def keys(self, account: int) -> list[Key]:
        return [(account, currency) for currency in self._net.get(account, {})]

    def held_minor(self, key: Key) -> int:
        """At least so much is there."""
        account, currency = key
        return self._net[account][currency] - self._lowest.get(key, 0)

    def _count(self, until: int) -> None:
        waiting = self._waiting
        for place in range(self._at, until):
            net = self._net.setdefault(waiting.accounts[place], {})
            currency = waiting.currencies[place]
            net[currency] = net.get(currency, 0) + waiting.signed_minor[place]
        self._at = max(self._at, until)
