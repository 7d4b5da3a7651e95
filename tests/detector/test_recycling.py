"""What borrowers repay with new loans, against the same said plainly."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.flows.recycling import recycled
from services.detector.graph.lists import EDGE

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
