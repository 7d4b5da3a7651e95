"""Who may stand in front of an account, against plainer words of the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.transaction import Purpose
from services.detector.distinct import numbers_for
from services.detector.flows.fronts import sum_payers
from services.detector.legs import Leg
from services.detector.parties.marks import CLIENT, CUSTODY, KEEPER
from tests.detector.transfers import edges_of

POT, LARGE_MINOR = 1, 100
MARKS = [0, 0, CLIENT, CUSTODY, 0, CLIENT | CUSTODY, 1 << 31, 0]


@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from([99, 100, 250])), max_size=30))
def test_large_payments_of_those_who_kept_nothing_for_others(rows: list[tuple[int, int]]) -> None:
    came = edges_of(
        Leg(at, at, src, POT, minor, Purpose.unknown, 0, 0) for at, (src, minor) in enumerate(rows)
    )
    payers, passed = np.empty(len(came), np.int32), np.zeros(len(came), np.int64)
    marks = np.array(MARKS, np.uint32)
    count = sum_payers(came.records, marks, POT, LARGE_MINOR, numbers_for(len(came)), payers, passed)
    expected: Counter[int] = Counter()
    for src, minor in rows:
        if minor >= LARGE_MINOR and src not in (0, POT) and not MARKS[src] & KEEPER:
            expected[src] += minor
    assert list(zip(payers[:count].tolist(), passed[:count].tolist(), strict=True)) == [*expected.items()]
