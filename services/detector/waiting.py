"""The candidates of one batch that are still to be looked at, in the order of rows."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import itemgetter
from typing import NamedTuple


class Candidate(NamedTuple):
    """`account` at `row`, by the typology's number."""

    row: int
    typology: int
    account: int


_place = itemgetter(0, 1)


class Waiting:
    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._all = sorted(candidates, key=_place)
        self._next = 0

    @property
    def row(self) -> int | None:
        """That of the next one; None: there is none."""
        return self._all[self._next].row if self._next < len(self._all) else None

    def take(self, row: int) -> Candidate | None:
        """The next one, if it is of `row`."""
        if self.row != row:
            return None
        self._next += 1
        return self._all[self._next - 1]

    def add(self, candidates: Iterable[Candidate], row: int, typology: int) -> None:
        """Those that come after the typology's turn at `row` and are not there yet."""
        for one in candidates:
            if _place(one) > (row, typology):
                first = bisect_left(self._all, _place(one), self._next, key=_place)
                end = bisect_right(self._all, _place(one), first, key=_place)
                if one not in self._all[first:end]:
                    self._all.insert(end, one)
