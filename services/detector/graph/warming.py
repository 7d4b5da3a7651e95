"""Bringing near what rows to come will read. Nothing here has an effect but on time.

One list can only be read a transfer after the other, each a wait for memory; the lists of several
rows can be waited for together (group prefetching: Chen, Ailamaki, Gibbons, Mowry, 2004).
"""

from __future__ import annotations

from typing import Final

from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.hunt import LISTS_A_ROW, LISTS_AHEAD, Hunt
from services.detector.graph.kernel import kernel, prefetch, signed
from services.detector.graph.lists import INWARD, OUTWARD, earlier_than, newest_of
from services.detector.graph.neighbours import pair_key
from services.detector.graph.ring import slot_of
from services.detector.graph.state import Rows, State
from services.detector.graph.table import bring_near, bring_next_near

APPLY_AHEAD: Final = 8
"""Rows from when a row's memory is asked for to when it is used."""
_DEPTH: Final = 24
"""Transfers of a list that are brought near at most."""


@kernel
def warm_lists(state: State, rows: Rows, hunt: Hunt, first: int) -> None:
    """The lists at both ends of LISTS_AHEAD rows from `first` on."""
    last = min(first + LISTS_AHEAD, rows.ts_us.size)
    lists = 0
    for row in range(first, last):
        for place in range(LISTS_A_ROW):
            account = signed(rows.src[row] if place < 2 else rows.dst[row])
            if account > 0:
                seq = newest_of(state, account, INWARD if place % 2 == 0 else OUTWARD)
                hunt.warmed[lists] = (seq << 1) | (place % 2)
                prefetch(state.ring.legs, slot_of(state.ring, max(seq, 0)))
                lists += seq >= 0
    for _ in range(_DEPTH):
        kept = 0
        for place in range(lists):
            held = hunt.warmed[place]
            seq = held >> 1
            leg = state.ring.legs[slot_of(state.ring, seq)]
            seq = earlier_than(leg, seq, OUTWARD if held & 1 else INWARD)
            if seq >= state.ring.cursor[0].head:
                prefetch(state.ring.legs, slot_of(state.ring, seq))
                hunt.warmed[kept] = (seq << 1) | (held & 1)
                kept += 1
        lists = kept


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
