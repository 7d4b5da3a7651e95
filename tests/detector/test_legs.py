"""Lists of transfers, merged."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.graph import Edges
from services.detector.graph.lists import EDGE
from services.detector.legs import merged

TIMES = [3, 1, 1, 2, 9, 3, 3, 0, 2, 2]
"""By sequence number."""
chosen = st.lists(st.sets(st.integers(0, len(TIMES) - 1)), min_size=1, max_size=4)


def edges(seqs: Any, truncated: bool = False) -> Edges:
    found = np.zeros(len(seqs), EDGE)
    for place, seq in enumerate(sorted(seqs, key=lambda seq: (TIMES[seq], seq))):
        found[place]["seq"], found[place]["ts_us"], found[place]["amount_minor"] = seq, TIMES[seq], 7 * seq
    return Edges(found, truncated)


@given(chosen, st.integers(-1, 3))
def test_each_transfer_comes_once_in_order(lists: Any, truncated: int) -> None:
    found = merged(*(edges(seqs, place == truncated) for place, seqs in enumerate(lists)))
    assert found.records.tolist() == edges(set().union(*lists)).records.tolist()
    assert found.truncated == (0 <= truncated < len(lists))
