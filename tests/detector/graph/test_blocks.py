from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compiled import reserved
from services.detector.graph import blocks
from services.detector.graph.arcs import ARC

LENGTH = 300
steps = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40), st.booleans()), max_size=120)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_blocks_never_overlap_and_all_that_is_given_back_is_one_again(
    given_steps: list[tuple[int, int, bool]],
) -> None:
    """Blocks are taken, given up in part, and given back; each is full of legs as long as it is taken."""
    arcs, free = reserved(2 * LENGTH, ARC), np.empty(blocks.CLASSES, np.int64)
    blocks.free_all(arcs, free)
    taken: dict[int, int] = {}
    for which, length, is_taking in given_steps:
        if is_taking or not taken:
            place = int(blocks.take_block(arcs, free, length))
            if place == blocks.NONE:
                assert LENGTH - sum(taken.values()) < 2 * length * (len(taken) + 1)
                continue
            arcs["far"][2 * place : 2 * (place + length)] = 1 + place
        else:
            place = sorted(taken)[which % len(taken)]
            held = taken.pop(place)
            assert (arcs["far"][2 * place : 2 * (place + held) - 1] == 1 + place).all()
            left = min(length, held) - 1
            if left > 0:
                blocks.mark_taken(arcs, place, left)
            blocks.give_back(arcs, free, place + left, held - left)
            if left == 0:
                continue
            length = left
        others = np.array([[at, at + long] for at, long in taken.items()]).reshape(-1, 2)
        assert np.all((others[:, 1] <= place) | (others[:, 0] >= place + length))
        taken[place] = length
    for place, length in taken.items():
        blocks.give_back(arcs, free, place, length)
    assert int(blocks.take_block(arcs, free, LENGTH * 3 // 4)) == 0


@given(st.integers(1, 2**31))
def test_a_class_that_fits_has_no_shorter_block(length: int) -> None:
    fits, own = int(blocks.class_of_all_from(length)), int(blocks.class_of(length))
    assert own <= fits <= own + 1 < blocks.CLASSES
    assert int(blocks.class_of(length - 1)) < fits
