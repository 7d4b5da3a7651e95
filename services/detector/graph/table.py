"""A hash table from uint64 to int32 that grows without a pause.

Open addressing with linear probing and deletion by backward shift (Knuth, TAOCP vol. 3, 6.4,
algorithms L and R). The table is 64 shards; each grows alone, by half again, so the longest pause
is the rehash of one shard. A home slot is found by multiplication instead of modulus (Lemire,
"Fast random integer generation in an interval", 2019), which lets a shard have any size.

Shards lie in stripes of 512 slots side by side, so that the memory in use is always a prefix of
what was reserved for the maximum.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from services.detector.graph.kernel import Array, Int64s, aligned, kernel, signed

SLOT: Final = np.dtype([("key", "<u8"), ("value", "<i4")])
"""Packed to 12 bytes. Key 0 is a free slot."""

SHARDS: Final = 64
STRIPE_BITS: Final = 9
STRIPE: Final = 1 << STRIPE_BITS
_SHARD_MASK: Final = np.uint64(SHARDS - 1)
_STRIPE_MASK: Final = STRIPE - 1
_HALF: Final = np.uint64(32)
_MIX_SHIFT: Final = np.uint64(33)
_MIX_1: Final = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2: Final = np.uint64(0xC4CEB9FE1A85EC53)
FREE: Final = np.uint64(0)


class Table(NamedTuple):
    slots: Array
    sizes: Int64s
    """Slots of each shard."""
    used: Int64s
    """Slots taken of each shard."""
    scratch: Array
    """As many slots as a shard may grow to: where its entries wait while it is rehashed."""


def new_table(max_entries: int) -> Table:
    """Empty table for `max_entries`, with room for uneven shards."""
    room = -(-(2 * max_entries // SHARDS + STRIPE) // STRIPE) * STRIPE
    slots = aligned(room * SHARDS, SLOT)
    sizes, used = np.full(SHARDS, STRIPE, np.int64), np.zeros(SHARDS, np.int64)
    return Table(slots, sizes, used, np.zeros(room, SLOT))


@kernel
def mix(key: np.uint64) -> np.uint64:
    """Finaliser of MurmurHash3 (Appleby): every bit of the key moves every bit of the hash."""
    key ^= key >> _MIX_SHIFT
    key *= _MIX_1
    key ^= key >> _MIX_SHIFT
    key *= _MIX_2
    return key ^ (key >> _MIX_SHIFT)


@kernel
def shard_of(digest: np.uint64) -> int:
    return signed(digest & _SHARD_MASK)


@kernel
def home(digest: np.uint64, size: int) -> int:
    return signed(((digest >> _HALF) * np.uint64(size)) >> _HALF)


@kernel
def address(shard: int, position: int) -> int:
    return ((((position >> STRIPE_BITS) * SHARDS) + shard) << STRIPE_BITS) | (position & _STRIPE_MASK)


@kernel
def position_of(slot: int) -> int:
    return ((slot >> STRIPE_BITS) // SHARDS << STRIPE_BITS) | (slot & _STRIPE_MASK)


@kernel
def find(table: Table, key: np.uint64) -> int:
    """Slot that holds `key`, or -1."""
    digest = mix(key)
    shard = shard_of(digest)
    return find_from(table, key, shard, home(digest, table.sizes[shard]))


@kernel
def find_next(table: Table, key: np.uint64, slot: int) -> int:
    """The next slot after `slot` that holds the same key, or -1."""
    shard = shard_of(mix(key))
    position = position_of(slot) + 1
    return find_from(table, key, shard, 0 if position == table.sizes[shard] else position)


@kernel
def find_from(table: Table, key: np.uint64, shard: int, position: int) -> int:
    size = table.sizes[shard]
    while True:
        slot = address(shard, position)
        found = table.slots[slot].key
        if found == key:
            return slot
        if found == FREE:
            return -1
        position += 1
        if position == size:
            position = 0


@kernel
def make_room(table: Table, key: np.uint64) -> bool:
    """Let the shard of `key` take one more; False when it is at its maximum."""
    shard = shard_of(mix(key))
    if is_crowded(table, shard):
        resize(table, shard)
    return bool(table.used[shard] + 1 < table.sizes[shard])


@kernel
def is_crowded(table: Table, shard: int) -> bool:
    """Over 13/16 full: a search that fails would look at 14 slots and more."""
    return bool(table.used[shard] * 16 >= table.sizes[shard] * 13)


@kernel
def seek(table: Table, key: np.uint64) -> int:
    """Slot that holds `key`, or the free one where it belongs."""
    digest = mix(key)
    shard = shard_of(digest)
    size = table.sizes[shard]
    position = home(digest, size)
    slot = address(shard, position)
    while table.slots[slot].key != key and table.slots[slot].key != FREE:
        position = 0 if position + 1 == size else position + 1
        slot = address(shard, position)
    return slot


@kernel
def take(table: Table, slot: int, key: np.uint64, value: int) -> None:
    """Fill the free slot that seek() found. make_room() was True for the key before."""
    table.used[shard_of(mix(key))] += 1
    table.slots[slot].key = key
    table.slots[slot].value = value


@kernel
def put(table: Table, key: np.uint64, value: int) -> None:
    """Store a further entry under `key`. make_room() was True for it."""
    digest = mix(key)
    shard = shard_of(digest)
    table.used[shard] += 1
    put_at(table, key, value, shard, home(digest, table.sizes[shard]))


@kernel
def put_at(table: Table, key: np.uint64, value: int, shard: int, position: int) -> None:
    size = table.sizes[shard]
    while table.slots[address(shard, position)].key != FREE:
        position = 0 if position + 1 == size else position + 1
    slot = table.slots[address(shard, position)]
    slot.key = key
    slot.value = value


@kernel
def remove(table: Table, slot: int) -> None:
    """Free `slot` and close the gap, so that no search has to step over graves (algorithm R)."""
    shard = shard_of(mix(table.slots[slot].key))
    size = table.sizes[shard]
    table.used[shard] -= 1
    gap = position_of(slot)
    position = gap
    while True:
        position = 0 if position + 1 == size else position + 1
        moving = table.slots[address(shard, position)]
        if moving.key == FREE:
            break
        wanted = home(mix(moving.key), size)
        stays = gap < wanted <= position if gap < position else (wanted > gap or wanted <= position)
        if not stays:
            hole = table.slots[address(shard, gap)]
            hole.key = moving.key
            hole.value = moving.value
            gap = position
    table.slots[address(shard, gap)].key = FREE


@kernel
def resize(table: Table, shard: int) -> None:
    """Rehash one shard so that it is 16/25 full, or as large as it may be."""
    taken = 0
    for position in range(table.sizes[shard]):
        slot = table.slots[address(shard, position)]
        if slot.key != FREE:
            table.scratch[taken].key = slot.key
            table.scratch[taken].value = slot.value
            slot.key = FREE
            taken += 1
    size = min(max(taken * 25 // 16, STRIPE), table.scratch.size)
    table.sizes[shard] = size
    for entry in range(taken):
        waiting = table.scratch[entry]
        put_at(table, waiting.key, waiting.value, shard, home(mix(waiting.key), size))
