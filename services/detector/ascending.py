"""Ascending values: where one is among them, for kernels; and two lists as one."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from compiled import Array, Int64s, kernel

N = TypeVar("N", bound=np.integer[Any])


def joined(one: Int64s, other: Int64s) -> Int64s:
    """What is in either, ascending and once, as both are."""
    if not (one.size and other.size):
        return one if one.size else other
    return distinct(np.concatenate((one, other)))


def distinct(values: NDArray[N]) -> NDArray[N]:
    """Ascending: np.unique for some thousands at most, of which it makes a table."""
    ordered = np.sort(values)
    is_first = np.ones(ordered.size, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]


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
