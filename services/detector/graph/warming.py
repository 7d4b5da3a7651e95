"""Bringing near what rows to come will read and write. Nothing here has an effect but on time."""

from __future__ import annotations

from typing import Final

from compiled import kernel, prefetch, signed
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.pairs import bring_leg_near, pair_key
from services.detector.graph.ring import slot_of
from services.detector.graph.state import Rows, State
from services.detector.graph.table import bring_near, bring_next_near

APPLY_AHEAD: Final = 8
"""Rows from when a row's memory is asked for to when it is used."""


@kernel
def warm_row(state: State, rows: Rows, row: int) -> None:
    """What applying the rows to come after `row` touches: their accounts, and their entries in the tables."""
    far, near = row + 2 * APPLY_AHEAD, row + APPLY_AHEAD
    if far < rows.ts_us.size:
        src, dst = max(signed(rows.src[far]), OUTSIDE_INDEX), max(signed(rows.dst[far]), OUTSIDE_INDEX)
        prefetch(state.accounts.records, src)
        prefetch(state.accounts.records, dst)
        bring_near(state.pairs, pair_key(src, dst))
        bring_near(state.ids, rows.digests[far])
    if near < rows.ts_us.size:
        bring_next_near(state.pairs, pair_key(rows.src[near], rows.dst[near]))
        bring_leg_near(state, rows.src[near], rows.dst[near])
        bring_next_near(state.ids, rows.digests[near])


@kernel
def warm_expiring(state: State) -> None:
    """What the transfers touch that expire after the oldest."""
    ring = state.ring
    far, near = ring.cursor[0].head + 2 * APPLY_AHEAD, ring.cursor[0].head + APPLY_AHEAD
    if far < ring.cursor[0].next:
        leg = ring.legs[slot_of(ring, far)]
        prefetch(state.accounts.records, signed(leg.src))
        prefetch(state.accounts.records, signed(leg.dst))
        bring_near(state.pairs, pair_key(leg.src, leg.dst))
        leg = ring.legs[slot_of(ring, near)]
        bring_next_near(state.pairs, pair_key(leg.src, leg.dst))
