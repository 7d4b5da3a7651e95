"""Reading the graph as it was just after one row: an account's transfers, and their columns."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int32s, Int64s, Record, kernel, prefetch, signed
from services.detector.graph.ordering import put_in_order
from services.detector.graph.ring import Ring, first_since, slot_of
from services.detector.graph.state import Walkable

INWARD: Final = 1
"""Against the flow: from a payee to its payers, from late to early."""
OUTWARD: Final = -1


class View(NamedTuple):
    """What a query may see: transfers of a range of sequence numbers and of time, both inclusive."""

    oldest: int
    newest: int
    since_us: int
    until_us: int


@kernel
def newest_of(state: Walkable, account: int, direction: int) -> int:
    record = state.accounts.records[account]
    return signed(record.last_in if direction == INWARD else record.last_out)


@kernel
def earlier_than(leg: Record, seq: int, direction: int) -> int:
    """The account's transfer logged before `seq` in this direction, or -1."""
    back = signed(leg.back_in if direction == INWARD else leg.back_out)
    return seq - back if back != 0 else -1


@kernel
def is_in_view(view: View, leg: Record, seq: int) -> bool:
    """Of a leg that is not older than the oldest."""
    return bool(seq <= view.newest and view.since_us <= leg.ts_us <= view.until_us)


@kernel
def lowest(state: Walkable, view: View) -> int:
    return first_since(state.ring, view.since_us, view.oldest)


@kernel
def bring_lists_near(
    state: Walkable, newest: Int64s, count: int, direction: int, low: int, most: int
) -> None:
    """Ask for up to `most` transfers, from `low` on, of each of the first `count` lists, whose newest these
    are, side by side: whoever reads one list after another waits for each of its transfers. `newest` is
    scratch from then on."""
    for place in range(count):
        prefetch(state.ring.legs, slot_of(state.ring, newest[place]))
    for _ in range(most):
        left = 0
        for place in range(count):
            seq = newest[place]
            if seq >= low:
                newest[left] = earlier_than(state.ring.legs[slot_of(state.ring, seq)], seq, direction)
                prefetch(state.ring.legs, slot_of(state.ring, newest[left]))
                left += 1
        count = left


EDGE: Final = np.dtype(
    [
        ("seq", "<i8"),
        ("ts_us", "<i8"),
        ("amount_minor", "<i8"),
        ("src", "<i4"),
        ("dst", "<i4"),
        ("product", "<i4"),
        ("currency", "<i2"),
        ("purpose", "i1"),
    ]
)


@kernel
def list_transfers(
    ring: Ring, accounts: Array, account: int, direction: int, view: View, room: Array
) -> tuple[int, bool]:
    """Fill `room` from its end, newest logged first; how many there are, one more than there is room
    for if more, and whether they lie in the order of time."""
    record = accounts[account]
    seq = signed(record.last_in if direction == INWARD else record.last_out)
    return list_from(ring, seq, direction, view, room, 0, True)


@kernel
def list_from(
    ring: Ring, seq: int, direction: int, view: View, room: Array, count: int, ordered: bool
) -> tuple[int, bool]:
    """list_transfers(), going on at an account's transfer `seq`, after `count` later ones."""
    low = first_since(ring, view.since_us, view.oldest)
    while seq >= low and count <= room.size:
        slot = slot_of(ring, seq)
        leg = ring.legs[slot]
        if is_in_view(view, leg, seq):
            if count < room.size:
                place = room.size - 1 - count
                write_edge(ring, slot, seq, room[place])
                ordered = ordered and (count == 0 or room[place].ts_us <= room[place + 1].ts_us)
            count += 1
        seq = earlier_than(leg, seq, direction)
    return count, ordered


class Reading(NamedTuple):
    """Of one account."""

    ring: Ring
    accounts: Array
    account: int
    view: View


@kernel
def read_both(
    ring: Ring, accounts: Array, account: int, view: View, into: Array, out_of: Array, spare: Array
) -> tuple[tuple[int, bool], tuple[int, bool]]:
    """Fill `into` and `out_of` from their ends with the account's transfers in the order of time, of too many
    those logged last; how many each way, and whether there were more. `spare`: room for one."""
    came, ordered = list_transfers(ring, accounts, account, INWARD, view, into)
    listed = min(came, into.size)
    if not ordered:
        put_in_order(into[into.size - listed :], spare)
    went, ordered = list_transfers(ring, accounts, account, OUTWARD, view, out_of)
    left = min(went, out_of.size)
    if not ordered:
        put_in_order(out_of[out_of.size - left :], spare)
    return (listed, came > listed), (left, went > left)


@kernel
def list_around(
    ring: Ring,
    accounts: Array,
    chosen: Int32s,
    directions: tuple[int, ...],
    view: View,
    limit: int,
    room: Int64s,
) -> tuple[int, bool]:
    """Fill `room` with the numbers of the transfers of each account `chosen` in the `directions`, newest
    logged first, at most `limit` each way; how many there are, whether there is room for them or not, and
    whether some were left off."""
    count = 0
    truncated = False
    low = first_since(ring, view.since_us, view.oldest)
    for place in range(chosen.size):
        record = accounts[chosen[place]]
        for direction in directions:
            listed = 0
            seq = signed(record.last_in if direction == INWARD else record.last_out)
            while seq >= low:
                leg = ring.legs[slot_of(ring, seq)]
                if is_in_view(view, leg, seq):
                    if listed == limit:
                        truncated = True
                        break
                    if count < room.size:
                        room[count] = seq
                    listed += 1
                    count += 1
                seq = earlier_than(leg, seq, direction)
    return count, truncated


@kernel
def read_transfers(ring: Ring, seqs: Int64s, oldest: int, room: Array) -> int:
    """How many were read up to one that is older than the oldest, or was never logged."""
    for place in range(seqs.size):
        if not oldest <= seqs[place] < ring.cursor[0].next:
            return place
        write_edge(ring, slot_of(ring, seqs[place]), seqs[place], room[place])
    return seqs.size


@kernel
def write_edge(ring: Ring, slot: int, seq: int, edge: Record) -> None:
    leg = ring.legs[slot]
    edge.seq = seq
    edge.ts_us = leg.ts_us
    edge.amount_minor = leg.amount_minor
    edge.src = leg.src
    edge.dst = leg.dst
    edge.product = ring.products[slot]
    edge.currency = ring.currencies[slot]
    edge.purpose = ring.purposes[slot]
