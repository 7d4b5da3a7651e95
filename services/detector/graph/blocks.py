"""Blocks of arcs of any even length, cut from one array and given back to it.

Free blocks that touch are one, which their ends tell (boundary tags: Knuth, TAOCP vol. 1, 2.5). They wait by
length in classes, four to a doubling, so that one that fits is found without looking at any that does not
(Masmano, Ripoll, Crespo, Real, "TLSF: a new dynamic memory allocator for real-time systems", 2004).

Places and lengths are in twos of arcs. The first and the last arc of a free block are marked as free and
hold its length; those of a taken one are not. Of a free block the first arc leads to the next of its class,
the second to the one before.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Array, Int64s, kernel, signed

CLASSES: Final = 128
NONE: Final = 2**32 - 1
"""No block lies so far."""
_FREE: Final = -1
"""At the far end of a leg there is an account, which is none of this number."""
_EXACT: Final = 8
"""Blocks shorter than this have a class for each length."""


@kernel
def free_all(arcs: Array, free: Int64s) -> None:
    """`free`: of each class the first block, or NONE."""
    free[:] = NONE
    put_in(arcs, free, 0, arcs.size >> 1)


@kernel
def take_block(arcs: Array, free: Int64s, length: int) -> int:
    """Where a block of this length lies, or NONE."""
    found = class_of_all_from(length)
    while found < CLASSES and free[found] == NONE:
        found += 1
    if found == CLASSES:
        return NONE
    place = signed(free[found])
    held = signed(arcs[2 * place].seq)
    take_out(arcs, free, place, held)
    if held > length:
        put_in(arcs, free, place + length, held - length)
    mark_taken(arcs, place, length)
    return place


@kernel
def give_back(arcs: Array, free: Int64s, place: int, length: int) -> None:
    """A taken block, or the end of one, when mark_taken() was told of what is left."""
    first, end = place, place + length
    if first > 0 and arcs[2 * first - 1].far == _FREE:
        earlier = signed(arcs[2 * first - 1].seq)
        first -= earlier
        take_out(arcs, free, first, earlier)
    if 2 * end < arcs.size and arcs[2 * end].far == _FREE:
        later = signed(arcs[2 * end].seq)
        take_out(arcs, free, end, later)
        end += later
    put_in(arcs, free, first, end - first)


@kernel
def mark_taken(arcs: Array, place: int, length: int) -> None:
    """Its first arc too, unless it holds a leg."""
    if arcs[2 * place].far == _FREE:
        arcs[2 * place].far = 0
    arcs[2 * (place + length) - 1].far = 0


@kernel
def class_of(length: int) -> int:
    """The length as a floating-point number of three bits."""
    low = 0
    while length >> low >= _EXACT:
        low += 1
    return (low << 2) + (length >> low)


@kernel
def class_of_all_from(length: int) -> int:
    """The lowest class without a block that is shorter."""
    low = 0
    while length >> low >= _EXACT:
        low += 1
    return class_of(length + (1 << low) - 1)


@kernel
def put_in(arcs: Array, free: Int64s, place: int, length: int) -> None:
    kind = class_of(length)
    following = signed(free[kind])
    first, second, last = arcs[2 * place], arcs[2 * place + 1], arcs[2 * (place + length) - 1]
    first.far = last.far = _FREE
    first.seq = last.seq = np.uint32(length)
    first.word = following
    second.word = NONE
    if following != NONE:
        arcs[2 * following + 1].word = place
    free[kind] = place


@kernel
def take_out(arcs: Array, free: Int64s, place: int, length: int) -> None:
    following, before = signed(arcs[2 * place].word), signed(arcs[2 * place + 1].word)
    if following != NONE:
        arcs[2 * following + 1].word = before
    if before != NONE:
        arcs[2 * before].word = following
    else:
        free[class_of(length)] = following
