"""Who pays whom: distinct live payers and payees, and which of the payers carry a mark."""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import kernel
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.ring import slot_of
from services.detector.graph.state import State
from services.detector.graph.table import find, is_held, make_room_reusing, retire, seek_reusing, take

_MOST_COUNT: Final = 2**31 - 1
"""Of the live transfers of a pair; a pair lives while its count is 1 or more."""


@kernel
def pair_key(src: int, dst: int) -> np.uint64:
    return (np.uint64(src) << np.uint64(32)) | np.uint64(dst)


@kernel
def are_neighbours(src: int, dst: int) -> bool:
    return src != dst and src != OUTSIDE_INDEX and dst != OUTSIDE_INDEX


@kernel
def make_room_for_pair(state: State, src: int, dst: int) -> bool:
    return make_room_reusing(state.pairs, pair_key(src, dst), 1, _MOST_COUNT)


@kernel
def count_pair(state: State, src: int, dst: int) -> None:
    """One more live transfer from `src` to `dst`; the first makes them neighbours."""
    if not are_neighbours(src, dst):
        return
    key = pair_key(src, dst)
    slot = seek_reusing(state.pairs, key, 1, _MOST_COUNT)
    if not is_held(state.pairs, slot, key):
        take(state.pairs, slot, key, 0)
    state.pairs.values[slot] += 1
    if state.pairs.values[slot] == 1:
        count_neighbour(state, src, dst, 1)


@kernel
def uncount_pair(state: State, src: int, dst: int) -> None:
    if not are_neighbours(src, dst):
        return
    slot = find(state.pairs, pair_key(src, dst))
    state.pairs.values[slot] -= 1
    if state.pairs.values[slot] == 0:
        retire(state.pairs, slot)
        count_neighbour(state, src, dst, -1)


@kernel
def count_neighbour(state: State, src: int, dst: int, sign: int) -> None:
    payer = state.accounts.records[src]
    payee = state.accounts.records[dst]
    payer.payees += sign
    payee.payers += sign
    if payer.marks & state.rules[0].counted_marks != 0:
        payee.marked_payers += sign


@kernel
def add_marks(state: State, index: int, marks: int) -> None:
    """Set mark bits; an account that becomes a counted one is counted at each of its live payees."""
    account = state.accounts.records[index]
    counted = state.rules[0].counted_marks
    was_counted = account.marks & counted != 0
    account.marks |= np.uint32(marks)
    if index == OUTSIDE_INDEX or was_counted or account.marks & counted == 0:
        return
    seq = account.last_out
    while seq >= state.ring.cursor[0].head:
        leg = state.ring.legs[slot_of(state.ring, seq)]
        slot = find(state.pairs, pair_key(index, leg.dst)) if are_neighbours(index, leg.dst) else -1
        if slot >= 0 and state.pairs.values[slot] > 0:
            state.accounts.records[leg.dst].marked_payers += 1
            state.pairs.values[slot] *= -1  # seen
        if leg.back_out == 0:
            break
        seq -= leg.back_out
    unsee(state, index)


@kernel
def unsee(state: State, index: int) -> None:
    """Undo the sign by which add_marks() knows a payee it has seen."""
    account = state.accounts.records[index]
    seq = account.last_out
    while seq >= state.ring.cursor[0].head:
        leg = state.ring.legs[slot_of(state.ring, seq)]
        slot = find(state.pairs, pair_key(index, leg.dst)) if are_neighbours(index, leg.dst) else -1
        if slot >= 0:
            state.pairs.values[slot] = abs(state.pairs.values[slot])
        if leg.back_out == 0:
            break
        seq -= leg.back_out
