"""Where a value is among ascending ones: for kernels."""

from __future__ import annotations

from compiled import Array, kernel


@kernel
def place_of(ascending: Array, wanted: int) -> int:
    """-1: it is not among them."""
    place = first_from(ascending, ascending.size, wanted)
    return place if place < ascending.size and ascending[place] == wanted else -1


@kernel
def first_from(ascending: Array, count: int, least: int) -> int:
    """Of the first `count`, the place of the first that is `least` or more."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < least:
            low = middle + 1
        else:
            high = middle
    return low
