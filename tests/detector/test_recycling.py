"""What borrowers repay with new loans, against the same said plainly."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.flows.recycling import recycled
from services.detector.graph.lists import EDGE
from services.detector.typologies import ponzi

WITHIN_US = 7
legs = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 4), st.integers(1, 20)), max_size=30)


def records(legs: Any, borrower: str) -> Any:
    found = np.zeros(len(legs), EDGE)
    for place, (ts_us, account, minor) in enumerate(sorted(legs, key=lambda leg: leg[0])):
        found[place]["seq"] = place
        found[place]["ts_us"], found[place][borrower], found[place]["amount_minor"] = ts_us, account, minor
    return found


def plainly(loans: Any, instalments: Any) -> int:
    lent = [[*leg] for leg in sorted(loans, key=lambda leg: leg[0])]
    repaid = 0
    for at_us, borrower, minor in sorted(instalments, key=lambda leg: leg[0]):
        for loan in lent:
            if loan[1] == borrower and at_us - WITHIN_US <= loan[0] < at_us:
                used = min(minor, loan[2])
                loan[2] -= used
                minor -= used
                repaid += used
    return repaid


@given(legs, legs)
def test_each_part_of_a_loan_counts_once(loans: Any, instalments: Any) -> None:
    found = recycled(records(loans, "dst"), records(instalments, "src"), WITHIN_US)
    assert found == plainly(loans, instalments)


class Case(ponzi._Case):
    """What was paid out, what the loans brought and what investors did; of each account what was lent, and
    how much of it was recycled."""

    def __init__(self, sums: tuple[int, int, int], lent: dict[int, tuple[int, int]]) -> None:
        self._p = ponzi.Parameters(min_paid_minor=50)
        self._paid, self._asset, self._invested = sums
        self._payers, self._lent = list(lent), lent

    def _lent_at(self, account: int) -> Any:
        return records([(0, 1, self._lent[account][0])], "dst")

    def _recycled_at(self, account: int, lent: Any) -> int:
        return min(self._lent[account])


@given(
    st.tuples(*[st.integers(0, 200)] * 3),
    st.dictionaries(st.integers(1, 3), st.tuples(*[st.integers(1, 80)] * 2), max_size=3),
)
def test_nothing_is_suspect_that_would_not_be_if_all_that_was_lent_were_recycled(
    sums: tuple[int, int, int], lent: dict[int, tuple[int, int]]
) -> None:
    case, asset = Case(sums, lent), sums[1]
    left = asset - min(asset, sum(map(min, lent.values())))
    assert asset - case._recycled_in_all() in (asset, left)
    assert case._is_suspect_at(asset - case._recycled_in_all()) == case._is_suspect_at(left)
