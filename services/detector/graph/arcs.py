"""A leg as one of its accounts sees it, in 12 bytes: five of them are read with one cache line.

Its time and its amount share a word of 32 bits, both told no closer than most comparisons need. The time is
told in ticks of 33.6 seconds, and of a tick's number the low 18 bits are kept: 101 days, within which a live
transfer's tick is known from the clock. Of the amount a code is kept that rises with it, 8 bits of it and
how far they are from its lowest, as in a floating-point number. What lies strictly between the ticks and
the codes of two bounds lies between the bounds; only where a tick or a code is that of a bound has the
transfer itself to be read.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Record, kernel, signed

ARC: Final = np.dtype(
    [
        ("word", "<u4"),  # tick and code
        ("far", "<i4"),  # the account at the other end
        ("seq", "<u4"),  # its low 32 bits
    ]
)

_CODE_BITS: Final = 14
_CODE_MASK: Final = (1 << _CODE_BITS) - 1
_TICK_MASK: Final = (1 << (32 - _CODE_BITS)) - 1
_TICK_SHIFT: Final = 25
"""A tick is so many bits of microseconds."""
_LOW_32: Final = 2**32 - 1
MOST_AGE_US: Final = _TICK_MASK << _TICK_SHIFT
"""No leg whose tick is to be told is older than this."""

_KEPT_BITS: Final = 7
"""Of an amount below its highest."""
OTHER_CURRENCY: Final = 1 << (_CODE_BITS - 1)
"""Added to the code of an amount that is not in the currency that is summed."""
LEAST_CODE: Final = -1
MOST_CODE: Final = 1 << _CODE_BITS
"""Below and above every code."""


@kernel
def code_of(amount_minor: int) -> int:
    """Rises with the amount, which is not negative; exact below 256."""
    low = 0
    while amount_minor >> low >= 2 << _KEPT_BITS:
        low += 1
    return (low << _KEPT_BITS) + (amount_minor >> low)


@kernel
def tick_of(ts_us: int) -> int:
    return ts_us >> _TICK_SHIFT


@kernel
def word_of(ts_us: int, code: int) -> np.uint32:
    return np.uint32(((tick_of(ts_us) << _CODE_BITS) | code) & _LOW_32)


@kernel
def code_in(arc: Record) -> int:
    return signed(arc.word) & _CODE_MASK


@kernel
def tick_in(arc: Record, eldest_tick: int) -> int:
    """The leg's tick, which is that of a clock MOST_AGE_US before the present one or a later one."""
    return eldest_tick + (((signed(arc.word) >> _CODE_BITS) - eldest_tick) & _TICK_MASK)
