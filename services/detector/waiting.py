"""The candidates of one batch that are still to be looked at, in the order of rows."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import TypeAlias

from services.detector.typology import Candidates

Candidate: TypeAlias = tuple[int, int, int]
"""Row, number of the typology, account."""

_place = itemgetter(0, 1)


class Waiting:
    def __init__(self, found: Sequence[Candidates]) -> None:
        """`found[i]` by typology i."""
        self._all: list[Candidate] = [
            (row, number, account)
            for number, one in enumerate(found)
            if one.rows.size
            for row, account in zip(one.rows.tolist(), one.accounts.tolist(), strict=True)
        ]
        self._all.sort(key=_place)
        self._next = 0

    @property
    def row(self) -> int | None:
        """That of the next one; None: there is none."""
        return self._all[self._next][0] if self._next < len(self._all) else None

    def of_row(self, row: int) -> Iterator[Candidate]:
        """Those of `row`, which is that of the next one; what is added to them meanwhile too."""
        while self._next < len(self._all) and (one := self._all[self._next])[0] == row:
            self._next += 1
            yield one

    def add(self, typology: int, found: Candidates, row: int, turn: int) -> None:
        """Those by `typology` that come after the turn of typology `turn` at `row` and are not there yet."""
        for place, account in zip(found.rows.tolist(), found.accounts.tolist(), strict=True):
            one = (place, typology, account)
            if _place(one) > (row, turn):
                first = bisect_left(self._all, _place(one), self._next, key=_place)
                end = bisect_right(self._all, _place(one), first, key=_place)
                if one not in self._all[first:end]:
                    self._all.insert(end, one)
