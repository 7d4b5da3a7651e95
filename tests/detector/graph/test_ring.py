from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.detector.graph.ring import (
    BLOCK_BITS,
    FARTHEST_LINK,
    SEGMENT,
    Segments,
    first_since,
    link,
    new_ring,
    slot_of,
)

BLOCK = 1 << BLOCK_BITS


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(0, 60), st.integers(0, 40 * BLOCK))
def test_nothing_young_enough_lies_below_first_since(steps: list[int], since: int, oldest: int) -> None:
    """`steps`: how far the clock went on from block to block."""
    ring = new_ring(100_000)
    clock = 0
    for block, step in enumerate(steps):
        clock += step
        ring.clocks[block] = clock
    ring.cursor["next"] = len(steps) * BLOCK
    oldest = min(oldest, len(steps) * BLOCK - 1)
    found = first_since(ring, since, oldest)
    assert found >= oldest
    for block in range(oldest // BLOCK, found // BLOCK):
        assert ring.clocks[block + 1] < since  # the next block begins no younger, so this one ends so
    later = [block for block in range(found // BLOCK + 1, len(steps)) if ring.clocks[block] < since]
    assert not later, "a block that could have been left out"


def test_segments_in_use_follow_what_is_live() -> None:
    ring = new_ring(10 * SEGMENT)
    segments = Segments(ring)
    places = set()
    for seq in range(0, 100 * SEGMENT, SEGMENT):
        segments.make_room(SEGMENT, oldest=max(0, seq - 2 * SEGMENT))
        assert len(
            {slot_of(ring, held) for held in range(max(0, seq - 2 * SEGMENT), seq + 1, SEGMENT)}
        ) == min(3, seq // SEGMENT + 1)
        places.add(slot_of(ring, seq) // SEGMENT)
        ring.cursor["next"] = seq + SEGMENT
    assert len(places) == 3


@pytest.mark.parametrize(
    ("seq", "earlier", "distance"),
    [(9, 8, 1), (9, -1, 0), (FARTHEST_LINK, 0, FARTHEST_LINK), (FARTHEST_LINK + 1, 0, 0)],
)
def test_link(seq: int, earlier: int, distance: int) -> None:
    assert link(seq, earlier) == distance
