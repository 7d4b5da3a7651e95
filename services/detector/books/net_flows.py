"""Net flows of watched accounts since the log began, and the lowest they were: a floor for balances."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Bools, Int32s, Int64s
from services.detector.typology import Step

Key = tuple[int, int]
"""(account, currency code)."""

_NOTHING: Final = np.empty(0, np.int64)


class _Waiting(NamedTuple):
    """One entry for each end of a row that is watched, in row order."""

    rows: Int64s
    clocks_us: Int64s
    accounts: Int32s
    currencies: Int32s
    signed_minor: Int64s


_NONE: Final = _Waiting(_NOTHING, _NOTHING, _NOTHING.astype(np.int32), _NOTHING.astype(np.int32), _NOTHING)


class NetFlows:
    """Rows of a batch count one by one, in order: open() a batch, advance within it, close() it.

    The opening balance is not known, so what an account holds is bounded from below: it was never
    less than nothing, so it now holds at least what came in net since its lowest noted point.
    """

    def __init__(self) -> None:
        self._net: dict[Key, int] = {}
        self._lowest: dict[Key, int] = {}
        self._waiting = _NONE
        self._at = 0

    def open(self, step: Step, into: Bools, out_of: Bools) -> None:
        """`into`, `out_of`: rows whose payee, or payer, is watched."""
        applied = step.applied
        paid, drawn = np.flatnonzero(into), np.flatnonzero(out_of)
        rows = np.concatenate((paid, drawn))
        order = np.argsort(rows, kind="stable")
        accounts = np.concatenate((applied.dst[paid], applied.src[drawn]))
        minor = np.concatenate((applied.amount_minor[paid], -applied.amount_minor[drawn]))
        rows = rows[order]
        self._waiting = _Waiting(
            rows,
            applied.clock_us[rows],
            accounts[order],
            applied.currency[rows].astype(np.int32),
            minor[order],
        )
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
        for key in self.keys(account):
            self._lowest[key] = min(self._lowest.get(key, 0), self._net[key])

    def keys(self, account: int) -> list[Key]:
        return [key for key in self._net if key[0] == account]

    def held_minor(self, key: Key) -> int:
        """At least so much is there."""
        return self._net[key] - self._lowest.get(key, 0)

    def _count(self, until: int) -> None:
        if until <= self._at:
            return
        waiting, part = self._waiting, slice(self._at, until)
        keys = waiting.accounts[part].astype(np.int64) << 16 | waiting.currencies[part]
        found, places = np.unique(keys, return_inverse=True)
        sums = np.zeros(found.size, np.int64)
        np.add.at(sums, places, waiting.signed_minor[part])
        for key, minor in zip(found.tolist(), sums.tolist(), strict=True):
            held = key >> 16, key & 0xFFFF
            self._net[held] = self._net.get(held, 0) + minor
        self._at = until
