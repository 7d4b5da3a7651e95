"""Is a day's figure beyond what the same days before it had? Medians, in integers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

_WHOLE: Final = 10_000
_NORMAL_BP: Final = 14_826
"""MAD to standard deviation of a normal distribution (Hampel 1974)."""
_EPOCH: Final = date(1970, 1, 1)
_MIN_DAYS: Final = 14
_ENOUGH_WEEKS: Final = 4


def median(values: Sequence[int]) -> int:
    """The lower of the middle ones; `values` is not empty."""
    return sorted(values)[(len(values) - 1) // 2]


def ceiling(values: Sequence[int], z: int, growth_bp: int) -> int:
    """The most that is usual: `z` deviations above the median, and at least `growth_bp` of it."""
    middle = median(values)
    deviation = median([abs(value - middle) for value in values]) * _NORMAL_BP // _WHOLE
    return max(middle + z * deviation, middle * growth_bp // _WHOLE)


def same_weekdays(day: int, first: int, until: int) -> list[int]:
    """The days from `first` on and before `until` that are of the weekday of `day`."""
    return [one for one in range(first, until) if (day - one) % 7 == 0]


def same_days_of_month(day: int, first: int, until: int) -> list[int]:
    """Those with the number that `day` has in its month."""
    number = (_EPOCH + timedelta(days=day)).day
    return [one for one in range(first, until) if (_EPOCH + timedelta(days=one)).day == number]


def usual(
    values: Sequence[int], first: int, day: int, until: int, z: int, growth_bp: int
) -> tuple[int, bool] | None:
    """The most that is usual for `day`, by the days from `first` on and before `until`: the greatest
    ceiling of the same weekdays, of the same day of earlier months and, where the weekdays are few, of all
    days; and whether they are not. values[0] is that of `first`. None: less than two weeks are known."""
    if until - first < _MIN_DAYS:
        return None
    weekdays = same_weekdays(day, first, until)
    groups = [weekdays, same_days_of_month(day, first, until)]
    if len(weekdays) < _ENOUGH_WEEKS:
        groups.append(list(range(first, until)))
    ceilings = [ceiling([values[one - first] for one in group], z, growth_bp) for group in groups if group]
    return max(ceilings), len(weekdays) >= _ENOUGH_WEEKS
