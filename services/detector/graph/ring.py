"""Where live transfers lie: by sequence number, in segments that are used again once expired.

A transfer's sequence number is its place in the log among those that were inserted. Its slot is
found through a small directory, so the memory held follows the number of live transfers, and
growth is taking one more segment of what was reserved.

Each transfer is linked to the one before it of the same payer and of the same payee, as a distance
in sequence numbers: a link never dangles, it only leads below the oldest live sequence number.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int8s, Int16s, Int32s, Int64s, kernel, reserved, signed
from schemas.batch import MAX_ROWS

LEG: Final = np.dtype(
    [
        ("src", "<i4"),
        ("dst", "<i4"),
        ("ts_us", "<i8"),
        ("amount_minor", "<i8"),
        ("back_out", "<u4"),  # distance to the payer's previous transfer out; 0: none
        ("back_in", "<u4"),  # distance to the payee's previous transfer in; 0: none
    ]
)
"""What a walk reads: half a cache line."""

CURSOR: Final = np.dtype(
    [
        ("head", "<i8"),  # oldest live sequence number
        ("next", "<i8"),  # sequence number the next transfer gets
        ("clock_us", "<i8"),  # greatest event time seen
        ("inserted", "<i8"),
        ("duplicates", "<i8"),
        ("late", "<i8"),
        ("too_late", "<i8"),
        ("refused", "<i8"),
        ("expired", "<i8"),
        ("shortened", "<i8"),  # expired early, because the window was full
        ("shortened_by", "<i8"),  # sequence number of the first transfer that others gave way to so
    ]
)

SEGMENT_BITS: Final = 14
SEGMENT: Final = 1 << SEGMENT_BITS
_SEGMENT_MASK: Final = SEGMENT - 1
BLOCK_BITS: Final = 8
FARTHEST_LINK: Final = 2**32 - 1
NEVER_US: Final = -(2**62)
"""Clock of a graph that has seen nothing."""


class Ring(NamedTuple):
    legs: Array
    products: Int32s
    currencies: Int16s
    purposes: Int8s
    directory: Int32s
    """Segment of each logical segment number, modulo its length (a power of two)."""
    clocks: Int64s
    """Clock at the first transfer of each block of 256, modulo its length."""
    cursor: Array


def new_ring(max_transfers: int) -> Ring:
    segments = -(-(max_transfers + MAX_ROWS) // SEGMENT) + 2
    slots = segments * SEGMENT
    directory = 1 << (segments - 1).bit_length()
    cursor = np.zeros(1, CURSOR)
    cursor["clock_us"] = NEVER_US
    return Ring(
        reserved(slots, LEG),
        reserved(slots, np.int32),
        reserved(slots, np.int16),
        reserved(slots, np.int8),
        np.full(directory, -1, np.int32),
        np.zeros(directory << (SEGMENT_BITS - BLOCK_BITS), np.int64),
        cursor,
    )


class Segments:
    """Hands segments to the sequence numbers that are about to be written."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._free = list(range(ring.legs.size // SEGMENT - 1, -1, -1))
        self._first = 0
        self._end = 0

    def make_room(self, rows: int, oldest: int) -> None:
        """Give back what lies wholly below sequence number `oldest`; take what `rows` more need."""
        directory = self._ring.directory
        while self._first < min(oldest >> SEGMENT_BITS, self._end):
            place = self._first % directory.size
            self._free.append(int(directory[place]))
            directory[place] = -1
            self._first += 1
        last = (int(self._ring.cursor[0]["next"]) + rows - 1) >> SEGMENT_BITS
        while self._end <= last:
            directory[self._end % directory.size] = self._free.pop()
            self._end += 1


@kernel
def slot_of(ring: Ring, seq: int) -> int:
    segment = ring.directory[(seq >> SEGMENT_BITS) & (ring.directory.size - 1)]
    return (signed(segment) << SEGMENT_BITS) | (seq & _SEGMENT_MASK)


@kernel
def time_of(ring: Ring, seq: int) -> int:
    return signed(ring.legs[slot_of(ring, seq)].ts_us)


@kernel
def link(seq: int, earlier: int) -> np.uint32:
    """Distance from `seq` back to `earlier`; 0 when there is none (-1) or it is out of reach."""
    if earlier < 0 or seq - earlier > FARTHEST_LINK:
        return np.uint32(0)
    return np.uint32(seq - earlier)


@kernel
def first_since(ring: Ring, since_us: int, oldest: int) -> int:
    """A sequence number, `oldest` or higher, below which no transfer is as young as `since_us`.

    The clock never runs back and no transfer is younger than the clock, so this holds whatever
    order timestamps come in. Binary search over the blocks' clocks.
    """
    mask = ring.clocks.size - 1
    low = (oldest >> BLOCK_BITS) + 1
    high = (ring.cursor[0].next - 1) >> BLOCK_BITS
    found = oldest
    while low <= high:
        middle = (low + high) // 2
        if ring.clocks[middle & mask] < since_us:
            found = middle << BLOCK_BITS
            low = middle + 1
        else:
            high = middle - 1
    return found
