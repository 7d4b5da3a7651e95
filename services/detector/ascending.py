"""Where a value is among ascending ones: for kernels."""

from __future__ import annotations

from compiled import Array, kernel


@kernel
def place_of(ascending: Array, wanted: int) -> int:
    """-1: it is not among them."""
    low, high = 0, ascending.size
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < ascending.size and ascending[low] == wanted else -1
