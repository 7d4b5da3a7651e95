"""Who pays whom: distinct live payers and payees, and which of the payers carry a mark."""

from __future__ import annotations

import numpy as np

from compiled import kernel
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.pairs import drop_newest, find_newest, note_newest
from services.detector.graph.ring import slot_of
from services.detector.graph.state import State


@kernel
def are_neighbours(src: int, dst: int) -> bool:
    return src != dst and src != OUTSIDE_INDEX and dst != OUTSIDE_INDEX


@kernel
def count_pair(state: State, src: int, dst: int, seq: int) -> None:
    """`seq` is a new transfer from `src` to `dst`; the first makes them neighbours."""
    if are_neighbours(src, dst) and note_newest(state, src, dst, seq):
        count_neighbour(state, src, dst, 1)


@kernel
def uncount_pair(state: State, src: int, dst: int, seq: int) -> None:
    """`seq` has expired; they are neighbours while a later one is live."""
    if are_neighbours(src, dst) and drop_newest(state, src, dst, seq):
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
        if are_neighbours(index, leg.dst) and find_newest(state, index, leg.dst, seq) >= 0:
            state.accounts.records[leg.dst].marked_payers += 1
        if leg.back_out == 0:
            break
        seq -= leg.back_out
