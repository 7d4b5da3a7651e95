"""Ascending values: where one is among them, for kernels; and two lists as one."""

from __future__ import annotations

import numpy as np

from compiled import Array, Int64s, kernel


def joined(one: Int64s, other: Int64s) -> Int64s:
    """What is in either, ascending and once, as both are: np.union1d for short lists, where most of its time
    goes into the call."""
    if not (one.size and other.size):
        return one if one.size else other
    both = np.concatenate((one, other))
    both.sort()
    is_first = np.ones(both.size, np.bool_)
    np.not_equal(both[1:], both[:-1], out=is_first[1:])
    first: Int64s = both[is_first]
    return first


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
