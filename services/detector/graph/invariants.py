"""What must hold of the state after every batch, checked the slow way. For tests and debug runs."""

from __future__ import annotations

from collections import Counter

import numpy as np

from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.pairs import find_pair, seq_at
from services.detector.graph.ring import slot_of
from services.detector.graph.state import State
from services.detector.graph.table import FREE


def check(state: State) -> None:
    """Raises AssertionError where an aggregate differs from what the live transfers add up to."""
    cursor = state.ring.cursor[0]
    slots = [slot_of(state.ring, seq) for seq in range(int(cursor["head"]), int(cursor["next"]))]
    legs = state.ring.legs[slots]
    records = state.accounts.records[: int(state.accounts.known[0])]
    summed = state.ring.currencies[slots] == state.rules[0]["sum_currency"]
    for end, degree, total in (("src", "out_degree", "out_minor"), ("dst", "in_degree", "in_minor")):
        degrees = np.bincount(legs[end], minlength=records.size)
        assert np.array_equal(records[degree][1:], degrees[1:]), degree
        sums = np.zeros(records.size, np.int64)
        np.add.at(sums, legs[end][summed], legs["amount_minor"][summed])
        assert np.array_equal(records[total][1:], sums[1:]), total
    _check_pairs(state, legs)
    assert cursor["next"] - cursor["head"] <= state.rules[0]["max_transfers"]
    assert np.all(records[OUTSIDE_INDEX : OUTSIDE_INDEX + 1]["in_degree"] == 0)


def _check_pairs(state: State, legs: np.ndarray[tuple[int], np.dtype[np.void]]) -> None:
    pairs = Counter(
        (int(src) << 32) | int(dst)
        for src, dst in zip(legs["src"], legs["dst"], strict=True)
        if src != dst and OUTSIDE_INDEX not in (src, dst)
    )
    head = int(state.ring.cursor[0]["head"])
    newest = {(int(leg["src"]), int(leg["dst"])): head + place for place, leg in enumerate(legs)}
    for src, dst in ((pair >> 32, pair & 0xFFFFFFFF) for pair in pairs):
        assert seq_at(state, find_pair(state, src, dst)) == newest[src, dst]
    ages = (state.pairs.values[state.pairs.digests != FREE].astype(np.int64) - head) & 0xFFFFFFFF
    assert np.count_nonzero(ages < legs.size) == len(pairs)
    assert int(state.pairs.used.sum()) == np.count_nonzero(state.pairs.digests)
    marked = state.accounts.records["marks"] & state.rules[0]["counted_marks"] != 0
    expected = {name: Counter[int]() for name in ("payers", "payees", "marked_payers")}
    for pair in pairs:
        src, dst = pair >> 32, pair & 0xFFFFFFFF
        expected["payees"][src] += 1
        expected["payers"][dst] += 1
        expected["marked_payers"][dst] += int(marked[src])
    for name, counts in expected.items():
        known = int(state.accounts.known[0])
        assert state.accounts.records[name][:known].tolist() == [counts[index] for index in range(known)]
