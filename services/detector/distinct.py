"""Distinct values among many, numbered in the order in which they first come: for kernels."""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Array, kernel, signed

_SLOT: Final = np.dtype([("value", "<i4"), ("number", "<i4")])
"""`value`: one more than it is; 0: the slot is empty."""
_HASH: Final = 0x9E3779B1
"""2 ** 32 ÷ the golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)."""
_HASH_SHIFT: Final = 15


def numbers_for(most: int) -> Array:
    """Of no value yet; room for `most`, each 0 or more. Open addressing with linear probing, at most half
    full; the last slot is none: its number is how many there are."""
    return np.zeros((8 << (most // 4).bit_length()) + 1, _SLOT)


@kernel
def forget(numbers: Array) -> None:
    """All values."""
    for place in range(numbers.size):
        numbers[place].value = 0
        numbers[place].number = 0


@kernel
def emptied(numbers: Array, most: int) -> int:
    """How many of the first slots of `numbers`, made for as many or more, are now as numbers_for(most)."""
    slots = 9
    left = most // 4
    while left > 0:
        slots = 2 * slots - 1
        left //= 2
    forget(numbers[:slots])
    return slots


@kernel
def number_of(numbers: Array, value: int) -> int:
    """From 0 on; that of a new value is how many came before it."""
    count = numbers[numbers.size - 1]
    last = numbers.size - 2
    place = (signed(value) * _HASH >> _HASH_SHIFT) & last
    while numbers[place].value != 0:
        if numbers[place].value == value + 1:
            return signed(numbers[place].number)
        place = (place + 1) & last
    numbers[place].value = value + 1
    numbers[place].number = count.number
    count.number += 1
    return signed(numbers[place].number)


@kernel
def numbered(numbers: Array) -> int:
    """How many values there are."""
    return signed(numbers[numbers.size - 1].number)
