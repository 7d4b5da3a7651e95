"""Of each payer and payee with live transfers between them: the newest.

An entry is the low 32 bits of that transfer's sequence number, beside 8 bits of the pair's digest: which pair
it is of, the transfer's leg tells. A pair dies with its newest transfer, so nothing is counted.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import kernel, lowest_lane, prefetch, signed, within
from services.detector.graph.ring import slot_of
from services.detector.graph.state import State
from services.detector.graph.table import (
    EVERY_LANE,
    FREE,
    first_slot,
    following,
    has_room,
    held_in,
    home,
    is_crowded,
    mix,
    release,
    retire,
    shard_of,
    spread,
    take_out,
)

_NOT_FREE: Final = np.uint64(1)
_LOW_32: Final = 2**32 - 1
_LEGS_AHEAD: Final = 16


@kernel
def pair_key(src: int, dst: int) -> np.uint64:
    return (np.uint64(src) << np.uint64(32)) | np.uint64(dst)


@kernel
def digest_of(src: int, dst: int) -> np.uint64:
    """Its low byte, which the table keeps, is not FREE's."""
    return mix(pair_key(src, dst)) | _NOT_FREE


@kernel
def find_pair(state: State, src: int, dst: int) -> int:
    """The slot of the pair, or -1: no transfer between them is live."""
    table, digest = state.pairs, digest_of(src, dst)
    shard = shard_of(table, digest)
    bucket = home(digest, table.buckets[shard])
    while True:
        first = first_slot(table, shard, bucket)
        slot = held_of(state, first, digest, src, dst)
        if slot >= 0 or held_in(table, first, FREE):
            return slot
        bucket = following(table, shard, bucket)


@kernel
def find_newest(state: State, src: int, dst: int, seq: int) -> int:
    """The slot of the pair if its newest transfer is `seq`, which may just have expired; or -1."""
    table, digest = state.pairs, digest_of(src, dst)
    shard = shard_of(table, digest)
    bucket = home(digest, table.buckets[shard])
    while True:
        first = first_slot(table, shard, bucket)
        match = held_in(table, first, digest) & within(table.values, first, seq, 1)
        if match:
            return first + lowest_lane(match)
        if held_in(table, first, FREE):
            return -1
        bucket = following(table, shard, bucket)


@kernel
def held_of(state: State, first: int, digest: np.uint64, src: int, dst: int) -> int:
    """The slot of the pair in the bucket that begins at `first`, or -1."""
    alike = held_in(state.pairs, first, digest)
    while alike:
        slot = first + lowest_lane(alike)
        seq = seq_at(state, slot)
        if seq < state.ring.cursor[0].next:
            leg = state.ring.legs[slot_of(state.ring, seq)]
            if leg.src == src and leg.dst == dst:
                return slot
        alike &= alike - 1
    return -1


@kernel
def seq_at(state: State, slot: int) -> int:
    """Of the transfer in a slot; one that is not live seems yet to come."""
    head = signed(state.ring.cursor[0].head)
    return head + ((signed(state.pairs.values[slot]) - head) & _LOW_32)


@kernel
def bring_leg_near(state: State, src: int, dst: int) -> None:
    """Ask for the leg that a search for the pair is likely to read. Its home is near."""
    table, digest = state.pairs, digest_of(src, dst)
    shard = shard_of(table, digest)
    first = first_slot(table, shard, home(digest, table.buckets[shard]))
    alike = held_in(table, first, digest)
    if alike:
        prefetch(state.ring.legs, slot_of(state.ring, seq_at(state, first + lowest_lane(alike))))


@kernel
def note_newest(state: State, src: int, dst: int, seq: int) -> bool:
    """Note their newest transfer, when there was room for the pair; True: no other is live. The dead of the
    bucket where the search ends are released, as by table.seek_reusing()."""
    table, digest, cursor = state.pairs, digest_of(src, dst), state.ring.cursor[0]
    shard = shard_of(table, digest)
    bucket = home(digest, table.buckets[shard])
    unused = -1
    while True:
        first = first_slot(table, shard, bucket)
        slot = held_of(state, first, digest, src, dst)
        if slot >= 0:
            table.values[slot] = seq
            return False
        free = held_in(table, first, FREE)
        dead = EVERY_LANE & ~(free | within(table.values, first, cursor.head, cursor.next - cursor.head))
        if unused < 0 and (free | dead):
            unused = first + lowest_lane(free | dead)
        if free:
            release(table, shard, first, dead)
            table.used[shard] += table.digests[unused] == FREE
            table.digests[unused] = digest
            table.values[unused] = seq
            return True
        bucket = following(table, shard, bucket)


@kernel
def drop_newest(state: State, src: int, dst: int, seq: int) -> bool:
    """When `seq` has just expired: whether no transfer between them is live any more."""
    slot = find_newest(state, src, dst, seq)
    if slot < 0:
        return False
    retire(state.pairs, shard_of(state.pairs, digest_of(src, dst)), slot)
    return True


@kernel
def make_room_for_pair(state: State, src: int, dst: int) -> bool:
    """As table.make_room_reusing()."""
    shard = shard_of(state.pairs, digest_of(src, dst))
    if is_crowded(state.pairs, shard):
        resize_pairs(state, shard)
    return has_room(state.pairs, shard)


@kernel
def resize_pairs(state: State, shard: int) -> None:
    """As table.resize(), with whole digests for those that were kept in part."""
    table, ring = state.pairs, state.ring
    head = signed(ring.cursor[0].head)
    taken = take_out(table, shard, head, ring.cursor[0].next - head)
    for entry in range(-_LEGS_AHEAD, taken):
        ahead = entry + _LEGS_AHEAD
        if ahead < taken:
            seq = head + ((signed(table.waiting_values[ahead]) - head) & _LOW_32)
            prefetch(ring.legs, slot_of(ring, seq))
        if entry >= 0:
            seq = head + ((signed(table.waiting_values[entry]) - head) & _LOW_32)
            leg = ring.legs[slot_of(ring, seq)]
            table.waiting_digests[entry] = digest_of(leg.src, leg.dst)
    spread(table, shard, taken)
