"""Are the figures of some days beyond what the same days before them had? Medians, in integers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from math import isqrt
from typing import Final, NamedTuple

_WHOLE: Final = 10_000
_NORMAL_BP: Final = 14_826
"""MAD to standard deviation of a normal distribution (Hampel 1974)."""
_EPOCH: Final = date(1970, 1, 1)
_MIN_DAYS: Final = 14
_ENOUGH_WEEKS: Final = 4


def median(values: Sequence[int]) -> int:
    """The lower of the middle ones; `values` is not empty."""
    return sorted(values)[(len(values) - 1) // 2]


def deviation(values: Sequence[int]) -> int:
    """By the median absolute deviation; `values` is not empty."""
    middle = median(values)
    return median([abs(value - middle) for value in values]) * _NORMAL_BP // _WHOLE


class Usual(NamedTuple):
    """What is usual for one day. `enough`: four like weekdays or more are known."""

    middle: int
    deviation: int
    enough: bool


def ceiling(days: Sequence[Usual], z: int, growth_bp: int) -> int:
    """The most that is usual for these days together: `z` deviations above their medians, variances of
    different days adding up, and at least `growth_bp` of the medians."""
    middle = sum(day.middle for day in days)
    spread = isqrt(sum(day.deviation * day.deviation for day in days))
    return max(middle + z * spread, middle * growth_bp // _WHOLE)


def same_weekdays(day: int, first: int, until: int) -> list[int]:
    """The days from `first` on and before `until` that are of the weekday of `day`."""
    return [one for one in range(first, until) if (day - one) % 7 == 0]


def same_days_of_month(day: int, first: int, until: int) -> list[int]:
    """Those with the number that `day` has in its month."""
    number = (_EPOCH + timedelta(days=day)).day
    return [one for one in range(first, until) if (_EPOCH + timedelta(days=one)).day == number]


def usual(
    values: Sequence[int], first: int, day: int, until: int, reported: Collection[int] = ()
) -> Usual | None:
    """What is usual for `day`, by the days from `first` on and before `until`: the greatest median and the
    greatest deviation of the same weekdays, of the same day of earlier months and, where the weekdays are
    few, of all days. values[0] is that of `first`. A day of one earlier month that was `reported` is no
    habit yet. None: less than two weeks are known."""
    if until - first < _MIN_DAYS:
        return None
    weekdays = same_weekdays(day, first, until)
    monthly = same_days_of_month(day, first, until)
    groups = [weekdays, [] if len(monthly) == 1 and monthly[0] in reported else monthly]
    if len(weekdays) < _ENOUGH_WEEKS:
        groups.append(list(range(first, until)))
    known = [[values[one - first] for one in group] for group in groups if group]
    return Usual(max(map(median, known)), max(map(deviation, known)), len(weekdays) >= _ENOUGH_WEEKS)
