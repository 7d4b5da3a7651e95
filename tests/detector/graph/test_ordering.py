from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.graph.lists import EDGE
from services.detector.graph.ordering import distinct_in_order, put_in_order

times = st.lists(st.integers(0, 9), min_size=1, max_size=30)
"""Of transfers by sequence number: out of order, and several at a time."""


@given(times, st.data())
def test_each_transfer_once_in_the_order_of_time(times: list[int], data: st.DataObject) -> None:
    """Listed as accounts' lists are, newest first, and some by both of their ends; or in any order."""
    lists = data.draw(st.lists(st.lists(st.integers(0, len(times) - 1), unique=True), max_size=6))
    if data.draw(st.booleans()):
        lists = [sorted(each, reverse=True) for each in lists]
    listed = [seq for each in lists for seq in each]
    edges = np.zeros(len(listed) + 3, EDGE)  # room for more than was listed
    edges["seq"][: len(listed)], edges["ts_us"][: len(listed)] = listed, [times[seq] for seq in listed]
    (places, spare), ordered = np.empty((2, len(listed)), np.int32), np.empty(len(listed), EDGE)
    kept = distinct_in_order(edges, places, spare, ordered)
    assert ordered["seq"][:kept].tolist() == sorted(set(listed), key=lambda seq: (times[seq], seq))


@given(times)
def test_where_they_lie_they_are_put_in_the_order_of_time(times: list[int]) -> None:
    edges = np.zeros(len(times), EDGE)
    edges["seq"], edges["ts_us"], edges["amount_minor"] = range(len(times)), times, range(len(times))
    put_in_order(edges, np.empty(1, EDGE))
    assert edges["seq"].tolist() == sorted(range(len(times)), key=lambda seq: (times[seq], seq))
    assert edges["amount_minor"].tolist() == edges["seq"].tolist()
