"""Each account's legs side by side in memory, for what is searched on every transfer.

A leg is a live transfer between two accounts. The ring links an account's transfers, and each link
followed is a wait for memory; a list here is read in a row, newest logged first. Lists are kept row
by row while every batch is searched; after a batch that was not, they are built anew from the ring.

A list lies in a block of its own, an eighth larger than what was live when it was moved there; it moves when
that is full of what is live, and gives up the end of the block once a third of it is of no use. Where no
block is long enough, all is built anew, which always fits.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import LINE_BYTES, Array, Int64s, Record, kernel, prefetch, reserved, signed
from services.detector.graph.arcs import ARC, MOST_AGE_US, OTHER_CURRENCY, code_of, tick_of, word_of
from services.detector.graph.blocks import CLASSES, NONE, free_all, give_back, mark_taken, take_block
from services.detector.graph.neighbours import are_neighbours
from services.detector.graph.ordering import before
from services.detector.graph.ring import BLOCK_BITS, slot_of, time_of
from services.detector.graph.state import Rows, State

OUT: Final = 0
IN: Final = 1
"""Sides of an account. The number of its list on a side is 2 x its index + side."""

LIST: Final = np.dtype(
    [
        ("block", "<u4"),  # half the place in `arcs` where it begins
        ("room", "<i4"),  # the block's, in legs; 0: it has none
        ("count", "<i4"),  # legs written, of which the last `live` are not expired
        ("live", "<i4"),
    ]
)
CURSOR: Final = np.dtype([("head", "<i8"), ("next", "<i8"), ("eldest_tick", "<i8")])
"""The sequence numbers that the lists hold, and a tick that no leg that is held is before."""

_ARCS_A_LINE: Final = LINE_BYTES // ARC.itemsize
_ARCS_A_TRANSFER: Final = 6
"""Reserved. When all is built anew, no list has more room than for twice what it holds, on either side; and
the last block, which is cut from what is left, may need a quarter more than its length."""
_LOW_32: Final = 2**32 - 1
_AHEAD: Final = 8
"""Rows from when an account's lists are asked for to when they are read."""
LEGS_AHEAD: Final = 16
"""Legs of a list from when one is asked for to when it is read: three cache lines."""


class Adjacency(NamedTuple):
    arcs: Array
    lists: Array
    free: Int64s
    """Of each class of free blocks: the first."""
    cursor: Array


def new_adjacency(max_transfers: int, max_accounts: int) -> Adjacency:
    """Of nothing yet; what is not touched of it is not resident."""
    cursor = np.zeros(1, CURSOR)
    cursor["head"] = cursor["next"] = -1
    return Adjacency(
        reserved(_ARCS_A_TRANSFER * max_transfers, ARC),
        reserved(2 * (max_accounts + 1), LIST),
        np.full(CLASSES, NONE, np.int64),
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
    """A tick that no transfer logged up to `seq` is after: the clock's, a little later in the log."""
    cursor = state.ring.cursor[0]
    following = ((seq >> BLOCK_BITS) + 1) << BLOCK_BITS
    if following >= cursor.next:
        return tick_of(signed(cursor.clock_us))
    return tick_of(signed(state.ring.clocks[(following >> BLOCK_BITS) & (state.ring.clocks.size - 1)]))


@kernel
def is_earlier(state: State, tick: int, seq: int, other_tick: int, other_seq: int) -> bool:
    """before() of two transfers of which the ticks are at hand. A tick that none has need not be of one."""
    if tick != other_tick:
        return tick < other_tick
    return before(time_of(state.ring, seq), seq, time_of(state.ring, other_seq), other_seq)


@kernel
def bring_list_near(kept: Adjacency, number: int) -> None:
    """Ask for the newest legs of a list: those that are not asked for while others of it are read."""
    end = end_of(kept.lists[number])
    for newest in range(1, LEGS_AHEAD + 1, _ARCS_A_LINE):
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
        make_room(state, kept)
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
    cursor.eldest_tick = tick_of(ring.clock_us - MOST_AGE_US)
    while cursor.next < ring.next:
        if add(state, kept, signed(cursor.next)):
            cursor.next += 1
        else:
            make_room(state, kept)


@kernel
def make_room(state: State, kept: Adjacency) -> None:
    """Empty lists, each with room for its legs that are live."""
    known = 2 * state.accounts.known[0]
    for number in range(known):
        kept.lists[number].live = 0
    ring, cursor = state.ring.cursor[0], kept.cursor[0]
    for seq in range(ring.head, ring.next):
        leg = state.ring.legs[slot_of(state.ring, seq)]
        if are_neighbours(leg.src, leg.dst):
            kept.lists[2 * signed(leg.src) + OUT].live += 1
            kept.lists[2 * signed(leg.dst) + IN].live += 1
    free_all(kept.arcs, kept.free)
    for number in range(known):
        held = kept.lists[number]
        held.room = room_for(held.live) if held.live > 0 else 0
        if held.room > 0:
            held.block = np.uint32(take_block(kept.arcs, kept.free, held.room >> 1))
        held.count = 0
        held.live = 0
    cursor.head = ring.head
    cursor.next = ring.head


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
        held = kept.lists[2 * signed(leg.src if side == OUT else leg.dst) + side]
        if held.count == held.room and not make_place(kept, held):
            return False
        arc = kept.arcs[end_of(held)]
        arc.word = word
        arc.far = leg.dst if side == OUT else leg.src
        arc.seq = np.uint32(seq & _LOW_32)
        held.count += 1
        held.live += 1
    return True


@kernel
def room_for(live: int) -> int:
    """Even, and for one more at least."""
    return (live + (live >> 3) + 2) & ~1


@kernel
def make_place(kept: Adjacency, held: Record) -> bool:
    """Let a list whose block is full take one more: expired legs go, or it moves to a larger block."""
    if 16 * held.live <= 15 * held.room and held.room > 0:
        write_to(kept, held, signed(held.block))
        return True
    room = room_for(held.live)
    block = take_block(kept.arcs, kept.free, room >> 1)
    if block == NONE:
        return False
    old = signed(held.block)
    write_to(kept, held, block)
    if held.room > 0:
        give_back(kept.arcs, kept.free, old, held.room >> 1)
    held.room = room
    return True


@kernel
def forget_oldest(kept: Adjacency, number: int) -> None:
    held = kept.lists[number]
    held.live -= 1
    if held.live == 0:
        give_back(kept.arcs, kept.free, signed(held.block), held.room >> 1)
        held.room = 0
        held.count = 0
    elif 3 * held.room > 4 * room_for(held.live):
        shorten(kept, held)


@kernel
def shorten(kept: Adjacency, held: Record) -> None:
    """Give back the end of its block."""
    block, room = signed(held.block), room_for(held.live)
    write_to(kept, held, block)
    mark_taken(kept.arcs, block, room >> 1)
    give_back(kept.arcs, kept.free, block + (room >> 1), (held.room - room) >> 1)
    held.room = room


@kernel
def write_to(kept: Adjacency, held: Record, block: int) -> None:
    """The live legs to a block, which may be their own."""
    first = end_of(held) - held.live
    for each in range(held.live):
        kept.arcs[2 * block + each] = kept.arcs[first + each]
    held.block = np.uint32(block)
    held.count = held.live
