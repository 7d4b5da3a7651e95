"""A hash table from uint64 to int32 that grows without a pause.

Open addressing in buckets of 8 with linear probing from bucket to bucket (Knuth, TAOCP vol. 3, 6.4).
The keys of a bucket fill one cache line and are compared all at once. An entry dies by what its value
says; its slot becomes free when a newcomer looks at its bucket, unless the bucket is full: searches go on
from there, and the slot waits for a newcomer or the next rehash. A home bucket is found by multiplication
instead of modulus (Lemire, "Fast random integer generation in an interval", 2019), which lets a table
have any size.

The table is in shards of a bounded size; each grows alone, by three tenths, so the longest pause is the
rehash of one shard, however large the table. Shards lie side by side in stripes, so that the memory in use
is always a prefix of what was reserved for the maximum. They begin at sizes three tenths apart, so that they
grow one after the other, and each only a little beyond the largest: memory that is used for the first time
is what takes longest.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from compiled import (
    LANES,
    Array,
    Int32s,
    Int64s,
    kernel,
    lowest_lane,
    prefetch,
    reserved,
    signed,
    within,
)

LEAST_SHARDS: Final = 64
MOST_IN_SHARD: Final = 1 << 15
"""Entries of a shard, on average over the shards of a full table."""
BUCKET: Final = LANES
STRIPE_BITS: Final = 6
STRIPE: Final = 1 << STRIPE_BITS
"""Buckets of one shard that lie together."""
_GROWTH: Final = 1.3
"""Of a shard that is rehashed: from 13/16 to 5/8 full."""
_HALF: Final = np.uint64(32)
_LOW_HALF: Final = np.uint64(2**32 - 1)
_MIX_SHIFT: Final = np.uint64(33)
_MIX_1: Final = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2: Final = np.uint64(0xC4CEB9FE1A85EC53)
FREE: Final = np.uint64(0)
_LOW_32: Final = 2**32 - 1
_EVERY_VALUE: Final = 2**32
EVERY_LANE: Final = (1 << LANES) - 1


class Table(NamedTuple):
    digests: Array
    """mix() of the key in each slot, which tells keys apart as well as the key does; FREE: none. Or the low
    bits of it, where the value tells the key: see pairs.py."""
    values: Int32s
    buckets: Int64s
    """Buckets of each shard."""
    used: Int64s
    """Slots taken of each shard."""
    waiting_digests: Array
    """Room for one shard as large as it may grow: where its entries wait while it is rehashed."""
    waiting_values: Int32s
    filled: Array
    """Slots taken of each bucket of that shard, counted while it is rehashed."""


def new_table(max_entries: int, digest: DTypeLike = np.uint64) -> Table:
    """Empty table for `max_entries`, with room for uneven shards."""
    shards = shards_for(max_entries)
    stripes = 2 + 2 * max_entries // (shards * STRIPE * BUCKET)
    room = stripes * STRIPE * BUCKET
    return Table(
        reserved(room * shards, digest),
        reserved(room * shards, np.int32),
        (STRIPE * _GROWTH ** (np.arange(shards) / shards)).astype(np.int64),
        np.zeros(shards, np.int64),
        reserved(room, np.uint64),
        reserved(room, np.int32),
        np.zeros(room // BUCKET, np.uint8),
    )


def shards_for(max_entries: int) -> int:
    """A power of two."""
    return max(LEAST_SHARDS, 1 << (-(-max_entries // MOST_IN_SHARD) - 1).bit_length())


@kernel
def mix(key: np.uint64) -> np.uint64:
    """Finaliser of MurmurHash3 (Appleby): every bit of the key moves every bit of the hash."""
    key ^= key >> _MIX_SHIFT
    key *= _MIX_1
    key ^= key >> _MIX_SHIFT
    key *= _MIX_2
    return key ^ (key >> _MIX_SHIFT)


@kernel
def shard_of(table: Table, digest: np.uint64) -> int:
    """By the highest of a digest's low 32 bits; lower ones choose neither shard nor bucket."""
    return signed(((digest & _LOW_HALF) * np.uint64(table.used.size)) >> _HALF)


@kernel
def home(digest: np.uint64, buckets: int) -> int:
    return signed(((digest >> _HALF) * np.uint64(buckets)) >> _HALF)


@kernel
def first_slot(table: Table, shard: int, bucket: int) -> int:
    stripe = (bucket >> STRIPE_BITS) * table.used.size + shard
    return ((stripe << STRIPE_BITS) | (bucket & (STRIPE - 1))) * BUCKET


@kernel
def following(table: Table, shard: int, bucket: int) -> int:
    return 0 if bucket + 1 == table.buckets[shard] else bucket + 1


@kernel
def held_in(table: Table, first: int, digest: np.uint64) -> int:
    """Which slots of the bucket that begins at `first` hold `digest`, or are FREE: as within()."""
    return within(table.digests, first, digest, 1)


@kernel
def bring_near(table: Table, key: np.uint64) -> None:
    """Ask for the memory in which a search for `key` begins."""
    digest = mix(key)
    shard = shard_of(table, digest)
    first = first_slot(table, shard, home(digest, table.buckets[shard]))
    prefetch(table.digests, first)
    prefetch(table.values, first)


@kernel
def bring_next_near(table: Table, key: np.uint64) -> None:
    """Ask for the memory in which a search for `key` goes on, where its home is full. The home is near."""
    digest = mix(key)
    shard = shard_of(table, digest)
    bucket = home(digest, table.buckets[shard])
    if not held_in(table, first_slot(table, shard, bucket), FREE):
        first = first_slot(table, shard, following(table, shard, bucket))
        prefetch(table.digests, first)
        prefetch(table.values, first)


@kernel
def is_held(table: Table, slot: int, key: np.uint64) -> bool:
    """Whether the slot that a search for `key` ended at holds it."""
    return bool(table.digests[slot] == mix(key))


@kernel
def find(table: Table, key: np.uint64) -> int:
    """A slot that holds `key`, or -1."""
    slot = seek(table, key)
    return slot if table.digests[slot] != FREE else -1


@kernel
def seek(table: Table, key: np.uint64) -> int:
    """A slot that holds `key`, or the free one where it belongs."""
    digest = mix(key)
    shard = shard_of(table, digest)
    bucket = home(digest, table.buckets[shard])
    while True:
        first = first_slot(table, shard, bucket)
        match = held_in(table, first, digest)
        if match:
            return first + lowest_lane(match)
        free = held_in(table, first, FREE)
        if free:
            return first + lowest_lane(free)
        bucket = following(table, shard, bucket)


@kernel
def find_ranked(table: Table, key: np.uint64, rank: int) -> int:
    """Slot of entry number `rank`, from 0, of those under the one `key`; -1: there are no more."""
    digest = mix(key)
    shard = shard_of(table, digest)
    bucket = home(digest, table.buckets[shard])
    while True:
        first = first_slot(table, shard, bucket)
        for slot in range(first, first + BUCKET):
            if table.digests[slot] == digest:
                if rank == 0:
                    return slot
                rank -= 1
        if held_in(table, first, FREE):
            return -1
        bucket = following(table, shard, bucket)


@kernel
def is_live(value: int, least: int, count: int) -> bool:
    """An entry is live while its value is one of the `count` from `least` on, modulo 2^32."""
    return bool(((value - least) & _LOW_32) < count)


@kernel
def seek_reusing(table: Table, key: np.uint64, least: int, count: int) -> int:
    """As seek(), but rather than a free slot that of a dead entry on the way, if there is one. The dead
    of the bucket where the search ends are released, so that a window that moves on crowds no shard."""
    digest = mix(key)
    shard = shard_of(table, digest)
    bucket = home(digest, table.buckets[shard])
    unused = -1
    while True:
        first = first_slot(table, shard, bucket)
        match = held_in(table, first, digest)
        if match:
            return first + lowest_lane(match)
        free = held_in(table, first, FREE)
        dead = EVERY_LANE & ~(free | within(table.values, first, least, count))
        if free:
            release(table, shard, first, dead)
            return unused if unused >= 0 else first + lowest_lane(free | dead)
        if unused < 0 and dead:
            unused = first + lowest_lane(dead)
        bucket = following(table, shard, bucket)


@kernel
def release(table: Table, shard: int, first: int, dead: int) -> None:
    """Free slots of a bucket that has a free one already: no entry was ever sent on from it, so no
    search needs to go past it."""
    while dead:
        table.digests[first + lowest_lane(dead)] = FREE
        table.used[shard] -= 1
        dead &= dead - 1


@kernel
def retire(table: Table, shard: int, slot: int) -> None:
    """Free the slot of an entry that has just died, if its bucket has a free one."""
    place = slot & (BUCKET - 1)
    if held_in(table, slot - place, FREE):
        release(table, shard, slot - place, 1 << place)


@kernel
def make_room_reusing(table: Table, key: np.uint64, least: int, count: int) -> bool:
    """As make_room(), but a crowded shard forgets its dead."""
    shard = shard_of(table, mix(key))
    if is_crowded(table, shard):
        resize(table, shard, least, count)
    return has_room(table, shard)


@kernel
def make_room(table: Table, key: np.uint64) -> bool:
    """Let the shard of `key` take one more; False when it is at its maximum."""
    return make_room_reusing(table, key, 0, _EVERY_VALUE)


@kernel
def is_crowded(table: Table, shard: int) -> bool:
    """13/16 full: beyond what a shard rehashed to 5/8 comes to hold while a window of one size moves on."""
    return bool(table.used[shard] * 16 >= table.buckets[shard] * BUCKET * 13)


@kernel
def has_room(table: Table, shard: int) -> bool:
    """One slot stays free, at which a search ends."""
    return bool(table.used[shard] + 1 < table.buckets[shard] * BUCKET)


@kernel
def take(table: Table, slot: int, key: np.uint64, value: int) -> None:
    """Fill the slot that seek() or seek_reusing() found, when there was room for the key."""
    digest = mix(key)
    table.used[shard_of(table, digest)] += table.digests[slot] == FREE
    table.digests[slot] = digest
    table.values[slot] = value


@kernel
def put(table: Table, key: np.uint64, value: int) -> None:
    """Store a further entry under `key`. make_room() was True for it."""
    digest = mix(key)
    table.used[shard_of(table, digest)] += 1
    place(table, digest, value)


@kernel
def place(table: Table, digest: np.uint64, value: int) -> None:
    shard = shard_of(table, digest)
    bucket = home(digest, table.buckets[shard])
    free = held_in(table, first_slot(table, shard, bucket), FREE)
    while not free:
        bucket = following(table, shard, bucket)
        free = held_in(table, first_slot(table, shard, bucket), FREE)
    slot = first_slot(table, shard, bucket) + lowest_lane(free)
    table.digests[slot] = digest
    table.values[slot] = value


@kernel
def resize(table: Table, shard: int, least: int, count: int) -> None:
    """Rehash the live of one shard so that it is 5/8 full, or as large as it may be."""
    spread(table, shard, take_out(table, shard, least, count))


@kernel
def spread(table: Table, shard: int, taken: int) -> None:
    """The entries that wait, over as many buckets as they are to have."""
    most = table.waiting_values.size // BUCKET
    buckets = min(max(taken * 8 // (5 * BUCKET), STRIPE), most)
    table.buckets[shard] = buckets
    table.used[shard] = taken
    table.filled[:buckets] = 0
    for entry in range(taken):
        digest = table.waiting_digests[entry]
        bucket = home(digest, buckets)
        while table.filled[bucket] == BUCKET:
            bucket = following(table, shard, bucket)
        slot = first_slot(table, shard, bucket) + table.filled[bucket]
        table.filled[bucket] += 1
        table.digests[slot] = digest
        table.values[slot] = table.waiting_values[entry]


@kernel
def take_out(table: Table, shard: int, least: int, count: int) -> int:
    """Empty a shard; its live entries wait, this many. Free, dead and live alternate at random, so each
    slot is written to the next place, and what is not live overwritten: no branch to be mispredicted."""
    taken = 0
    for bucket in range(table.buckets[shard]):
        first = first_slot(table, shard, bucket)
        for slot in range(first, first + BUCKET):
            digest, value = table.digests[slot], table.values[slot]
            table.waiting_digests[taken] = digest
            table.waiting_values[taken] = value
            taken += (digest != FREE) & is_live(value, least, count)
            table.digests[slot] = FREE
    return taken
