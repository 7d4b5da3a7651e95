"""Days as supervisors count them: Beijing's, from midnight to midnight, numbered from 1970-01-01."""

from __future__ import annotations

from typing import Final, overload

from compiled import Int64s, kernel
from schemas.instant import DAY, HOUR

DAY_SHIFT_US: Final = 8 * HOUR
"""UTC+8, no daylight saving."""


@overload
def day_of(ts_us: int) -> int: ...
@overload
def day_of(ts_us: Int64s) -> Int64s: ...
def day_of(ts_us: int | Int64s) -> int | Int64s:
    return (ts_us + DAY_SHIFT_US) // DAY


@kernel
def day_at(ts_us: int) -> int:
    """day_of(), for kernels."""
    return (ts_us + DAY_SHIFT_US) // DAY


def midnight_us(day: int) -> int:
    """When the day begins."""
    return day * DAY - DAY_SHIFT_US
