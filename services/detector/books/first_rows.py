"""Which rows of a batch come after an account's first of some kind, over the whole log."""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Bools, Int32s, Int64s

_NEVER: Final = 2**62


class FirstRows:
    """Accounts are the graph's indexes; rows are counted over all batches. Memory: 8 bytes an account."""

    def __init__(self) -> None:
        self._first: Int64s = np.full(1024, _NEVER, np.int64)
        self._rows = 0

    def note(self, accounts: Int32s, rows: Bools) -> None:
        """`accounts[row]` has one at each of `rows` of the batch."""
        self._reach(accounts)
        chosen = np.flatnonzero(rows)
        new = chosen[self._first[accounts[chosen]] == _NEVER][::-1]
        self._first[accounts[new]] = self._rows + new  # of an account's rows the last in this order stays

    def had(self, accounts: Int32s) -> Bools:
        """By row of the batch: whether `accounts[row]` has had one by then, that row included."""
        self._reach(accounts)
        had: Bools = self._first[accounts] <= self._rows + np.arange(accounts.size)
        return had

    def close(self, rows: int) -> None:
        """The batch is over."""
        self._rows += rows

    def _reach(self, accounts: Int32s) -> None:
        more = int(accounts.max(initial=0)) + 1 - self._first.size
        if more > 0:
            self._first = np.concatenate(
                (self._first, np.full(max(more, self._first.size), _NEVER, np.int64))
            )
