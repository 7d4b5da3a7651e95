"""What certain accounts brought others, against the same of the transfers that are listed."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.transaction import Purpose
from services.detector.graph import Brought
from tests.detector.graph.logs import Event, cuts, events
from tests.detector.graph.test_sums import inserted_rows


@settings(max_examples=100)
@given(
    events(),
    cuts(),
    st.integers(0, 40),
    st.integers(1, 6),
    st.sets(st.integers(0, 6)),
    st.booleans(),
    st.tuples(st.integers(0, 1), st.integers(0, 2 ** len(Purpose) - 1), st.integers(1, 900)),
)
def test_whether_enough_was_brought(
    log: list[Event],
    ends: set[int],
    since: int,
    limit: int,
    payers: set[int],
    but_these: bool,
    asked: tuple[int, int, int],
) -> None:
    for graph, applied, row in inserted_rows(log, ends):
        until_us = int(applied.ts_us[row])
        window = until_us - since, until_us, int(applied.as_of[row]), limit
        takers = np.unique(np.array([applied.src[row], applied.dst[row]], np.int32))
        brought = Brought(takers, np.array(sorted(payers), np.int32), but_these, *asked)
        lists = [graph.edges_in(taker, *window) for taker in takers.tolist()]
        minor = sum(
            amount
            for came in lists
            for _, _, amount, src, _, _, currency, purpose in came.records.tolist()
            if (src in payers) != but_these
            and currency == brought.currency
            and brought.purposes >> purpose & 1
        )
        may = minor >= brought.least_minor or any(came.truncated for came in lists)
        assert graph.may_be_brought(brought, *window) == may
