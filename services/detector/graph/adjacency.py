"""Each account's legs side by side in memory, for what is searched on every transfer.

A leg is a live transfer between two accounts. The ring links an account's transfers, and each link
followed is a wait for memory; a list here is read in a row, newest logged first. Lists are kept row
by row while every batch is searched; after a batch that was not, they are built anew from the ring.

A list lies in a block whose size is a power of two and less than 8/3 of what is live of it. Blocks
given back wait by size, and a larger one is halved where a smaller is wanted (Knuth, TAOCP vol. 1,
2.5). Where blocks of the sizes wanted run out, all is built anew, which always fits.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import LINE_BYTES, Array, Int64s, Record, aligned, kernel, prefetch, signed
from services.detector.graph.arcs import ARC, MOST_AGE_US, OTHER_CURRENCY, code_of, word_of
from services.detector.graph.neighbours import are_neighbours
from services.detector.graph.ring import BLOCK_BITS, slot_of
from services.detector.graph.state import Rows, State

OUT: Final = 0
IN: Final = 1
"""Sides of an account. The number of its list on a side is 2 x its index + side."""

LIST: Final = np.dtype(
    [
        ("block", "<u4"),  # half the place in `arcs` where it begins
        ("size", "<i4"),  # binary logarithm of the block's; 0: it has none
        ("count", "<i4"),  # legs written, of which the last `live` are not expired
        ("live", "<i4"),
    ]
)
CURSOR: Final = np.dtype([("head", "<i8"), ("next", "<i8"), ("taken", "<i8"), ("eldest_us", "<i8")])
"""The sequence numbers that the lists hold, the arcs that were ever part of a block, and a time before
that of every leg that is held."""

_SIZES: Final = 40
_ARCS_A_LINE: Final = LINE_BYTES // ARC.itemsize
_SMALLEST: Final = 1
_ARCS_A_TRANSFER: Final = 8
"""When all is built anew, on each side a list and the blocks it grew out of: twice twice what it holds."""
_LOW_32: Final = 2**32 - 1
_AHEAD: Final = 8
"""Rows from when an account's lists are asked for to when they are read."""
LEGS_AHEAD: Final = 16
"""Legs of a list from when one is asked for to when it is read: four cache lines."""


class Adjacency(NamedTuple):
    arcs: Array
    lists: Array
    free: Int64s
    """Of each size: the first block that waits, -1: none."""
    cursor: Array


def new_adjacency(max_transfers: int, max_accounts: int) -> Adjacency:
    """Of nothing yet; what is not touched of it is not resident."""
    cursor = np.zeros(1, CURSOR)
    cursor["head"] = cursor["next"] = -1
    return Adjacency(
        aligned(_ARCS_A_TRANSFER * max_transfers, ARC),
        aligned(2 * (max_accounts + 1), LIST),
        np.full(_SIZES, -1, np.int64),
        cursor,
    )


# -- reading -------------------------------------------------------------------------------------


@kernel
def end_of(held: Record) -> int:
    """The place in `arcs` after the list's newest."""
    return 2 * signed(held.block) + signed(held.count)


@kernel
def seq_of(kept: Adjacency, arc: Record) -> int:
    head = signed(kept.cursor[0].head)
    return head + ((signed(arc.seq) - head) & _LOW_32)


@kernel
def youngest_until(state: State, seq: int) -> int:
    """No transfer logged up to `seq` is younger: the clock at a place of the log a little later."""
    cursor = state.ring.cursor[0]
    following = ((seq >> BLOCK_BITS) + 1) << BLOCK_BITS
    if following >= cursor.next:
        return signed(cursor.clock_us)
    return signed(state.ring.clocks[(following >> BLOCK_BITS) & (state.ring.clocks.size - 1)])


@kernel
def bring_list_near(kept: Adjacency, number: int) -> None:
    """Ask for the newest legs of a list: those that are not asked for while others of it are read."""
    end = end_of(kept.lists[number])
    for newest in range(1, LEGS_AHEAD, _ARCS_A_LINE):
        prefetch(kept.arcs, end - newest)


@kernel
def bring_lists_near(state: State, kept: Adjacency, rows: Rows, row: int) -> None:
    """The lists at both ends of rows to come, first where they are, some rows later themselves; and of
    a transfer that will have expired by then."""
    cursor = state.ring.cursor[0]
    if cursor.head + _AHEAD < cursor.next:
        leg = state.ring.legs[slot_of(state.ring, signed(cursor.head) + _AHEAD)]
        prefetch(kept.lists, 2 * signed(leg.src))
        prefetch(kept.lists, 2 * signed(leg.dst))
    if row + _AHEAD < rows.ts_us.size:
        prefetch(kept.lists, 2 * signed(rows.src[row + _AHEAD]))
        prefetch(kept.lists, 2 * signed(rows.dst[row + _AHEAD]))
    coming = row + _AHEAD // 2
    if coming < rows.ts_us.size:
        for account in (max(signed(rows.src[coming]), 0), max(signed(rows.dst[coming]), 0)):
            bring_list_near(kept, 2 * account + OUT)
            bring_list_near(kept, 2 * account + IN)


# -- keeping -------------------------------------------------------------------------------------


@kernel
def begin_lists(state: State, kept: Adjacency) -> None:
    """Before the first row of a batch: all live legs."""
    ring, cursor = state.ring.cursor[0], kept.cursor[0]
    if cursor.head != ring.head or cursor.next != ring.next:
        wipe(state, kept)
        keep_lists(state, kept)


@kernel
def keep_lists(state: State, kept: Adjacency) -> None:
    """Forget what has expired, add what is new."""
    ring, cursor = state.ring.cursor[0], kept.cursor[0]
    while cursor.head < ring.head:
        leg = state.ring.legs[slot_of(state.ring, signed(cursor.head))]
        if are_neighbours(leg.src, leg.dst):
            forget_oldest(kept, 2 * signed(leg.src) + OUT)
            forget_oldest(kept, 2 * signed(leg.dst) + IN)
        cursor.head += 1
    cursor.eldest_us = ring.clock_us - MOST_AGE_US
    while cursor.next < ring.next:
        if add(state, kept, signed(cursor.next)):
            cursor.next += 1
        else:
            wipe(state, kept)


@kernel
def wipe(state: State, kept: Adjacency) -> None:
    for number in range(2 * state.accounts.known[0]):
        held = kept.lists[number]
        held.size = 0
        held.count = 0
        held.live = 0
    kept.free[:] = -1
    cursor = kept.cursor[0]
    cursor.head = state.ring.cursor[0].head
    cursor.next = cursor.head
    cursor.taken = 0


@kernel
def add(state: State, kept: Adjacency, seq: int) -> bool:
    """False when there is no block for it."""
    slot = slot_of(state.ring, seq)
    leg = state.ring.legs[slot]
    if not are_neighbours(leg.src, leg.dst):
        return True
    summed = state.ring.currencies[slot] == state.rules[0].sum_currency
    word = word_of(leg.ts_us, code_of(leg.amount_minor) + (0 if summed else OTHER_CURRENCY))
    for side in (OUT, IN):
        number = 2 * signed(leg.src if side == OUT else leg.dst) + side
        held = kept.lists[number]
        if (held.size == 0 or held.count == 1 << held.size) and not make_place(kept, number):
            return False
        arc = kept.arcs[end_of(held)]
        arc.word = word
        arc.far = leg.dst if side == OUT else leg.src
        arc.seq = np.uint32(seq & _LOW_32)
        held.count += 1
        held.live += 1
    return True


@kernel
def make_place(kept: Adjacency, number: int) -> bool:
    """Let a list whose block is full take one more: expired legs go, or the block doubles."""
    held = kept.lists[number]
    if held.size > 0 and 8 * held.live <= 7 << held.size:
        write_to(kept, held, 2 * signed(held.block))
        return True
    return move(kept, number, max(held.size + 1, _SMALLEST))


@kernel
def forget_oldest(kept: Adjacency, number: int) -> None:
    held = kept.lists[number]
    held.live -= 1
    if held.live == 0:
        give_back(kept, 2 * signed(held.block), held.size)
        held.size = 0
        held.count = 0
    elif held.size > _SMALLEST and 8 * held.live <= 3 << held.size:
        move(kept, number, held.size - 1)


@kernel
def move(kept: Adjacency, number: int, size: int) -> bool:
    """To a block of another size; False when there is none."""
    place = take_block(kept, size)
    if place < 0:
        return False
    held = kept.lists[number]
    old, old_size = 2 * signed(held.block), held.size
    write_to(kept, held, place)
    if old_size > 0:
        give_back(kept, old, old_size)
    held.size = size
    return True


@kernel
def write_to(kept: Adjacency, held: Record, place: int) -> None:
    """The live legs to a block, which may be their own."""
    first = end_of(held) - held.live
    for each in range(held.live):
        kept.arcs[place + each] = kept.arcs[first + each]
    held.block = np.uint32(place >> 1)
    held.count = held.live


@kernel
def take_block(kept: Adjacency, size: int) -> int:
    """Where a block of this size lies; -1: there is none."""
    found = size
    while found < _SIZES and kept.free[found] < 0:
        found += 1
    if found == _SIZES:
        cursor = kept.cursor[0]
        place = signed(cursor.taken)
        if place + (1 << size) > kept.arcs.size:
            return -1
        cursor.taken += 1 << size
        return place
    place = signed(kept.free[found])
    kept.free[found] = kept.arcs[place].word
    while found > size:
        found -= 1
        give_back(kept, place + (1 << found), found)
    return place


@kernel
def give_back(kept: Adjacency, place: int, size: int) -> None:
    kept.arcs[place].word = kept.free[size]
    kept.free[size] = place
