"""Distinct values among many, numbered in the order in which they first come: for kernels."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Int32s, kernel, signed

_EMPTY: Final = -1
_HASH: Final = 0x9E3779B1
"""2 ** 32 ÷ the golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)."""
_HASH_SHIFT: Final = 15


class Numbers(NamedTuple):
    """Scratch: open addressing with linear probing, at most half full. Values are 0 or more."""

    values: Int32s
    numbers: Int32s
    used: Int32s
    """One number: distinct values so far."""


def numbers_for(most: int) -> Numbers:
    """Of no value yet; room for `most`."""
    slots = 8 << (most // 4).bit_length()
    return Numbers(np.full(slots, _EMPTY, np.int32), np.empty(slots, np.int32), np.zeros(1, np.int32))


@kernel
def number_of(distinct: Numbers, value: int) -> int:
    """From 0 on; that of a new value is how many came before it."""
    last = distinct.values.size - 1
    slot = (signed(value) * _HASH >> _HASH_SHIFT) & last
    while distinct.values[slot] != _EMPTY:
        if distinct.values[slot] == value:
            return signed(distinct.numbers[slot])
        slot = (slot + 1) & last
    number = signed(distinct.used[0])
    distinct.values[slot] = value
    distinct.numbers[slot] = number
    distinct.used[0] += 1
    return number
