"""A leg as one of its accounts sees it, in 16 bytes: four of them are read with one cache line.

Its time and its amount share a word. Of the time the low 43 bits are kept: 101 days of microseconds,
within which a live transfer's whole time is known from the clock. Of the amount a code is kept that
rises with it, 15 bits of it and how far they are from its lowest, as in a floating-point number: what
lies strictly between the codes of two bounds lies between the bounds, and only where a code is that of a
bound has the amount itself to be read.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Record, kernel, signed

ARC: Final = np.dtype(
    [
        ("word", "<i8"),  # time and code
        ("far", "<i4"),  # the account at the other end
        ("seq", "<u4"),  # its low 32 bits
    ]
)

_CODE_BITS: Final = 21
_CODE_MASK: Final = (1 << _CODE_BITS) - 1
_TIME_MASK: Final = (1 << (64 - _CODE_BITS)) - 1
MOST_AGE_US: Final = _TIME_MASK
"""No leg whose time is to be told is older than this."""

_KEPT_BITS: Final = 14
"""Of an amount below its highest."""
OTHER_CURRENCY: Final = 1 << (_CODE_BITS - 1)
"""Added to the code of an amount that is not in the currency that is summed."""
LEAST_CODE: Final = -1
MOST_CODE: Final = 1 << _CODE_BITS
"""Below and above every code."""


@kernel
def code_of(amount_minor: int) -> int:
    """Rises with the amount, which is not negative; exact below 32,768."""
    low = 0
    while amount_minor >> low >= 2 << _KEPT_BITS:
        low += 1
    return (low << _KEPT_BITS) + (amount_minor >> low)


@kernel
def word_of(ts_us: int, code: int) -> int:
    return (ts_us << _CODE_BITS) | code


@kernel
def code_in(arc: Record) -> int:
    return signed(arc.word) & _CODE_MASK


@kernel
def time_in(arc: Record, eldest_us: int) -> int:
    """The leg's time, which is `eldest_us` or up to MOST_AGE_US later."""
    return eldest_us + (((signed(arc.word) >> _CODE_BITS) - eldest_us) & _TIME_MASK)
