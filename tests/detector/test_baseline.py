"""What is usual for a day, against statistics' own medians."""

from __future__ import annotations

from datetime import date
from statistics import median_low

from hypothesis import given
from hypothesis import strategies as st

from services.detector.books.baseline import ceiling, median, same_days_of_month, same_weekdays, usual

DAY = (date(2021, 8, 10) - date(1970, 1, 1)).days
values = st.lists(st.integers(0, 10**12), min_size=1, max_size=30)


@given(values)
def test_the_median_is_the_lower_one(values: list[int]) -> None:
    assert median(values) == median_low(values)


@given(values, st.integers(1, 9))
def test_the_ceiling_is_never_below_twice_the_median_and_grows_with_z(values: list[int], z: int) -> None:
    assert ceiling(values, z, 20_000) >= 2 * median(values)
    assert ceiling(values, z, 20_000) <= ceiling(values, z + 1, 20_000)


def test_like_days() -> None:
    assert same_weekdays(DAY, DAY - 15, DAY) == [DAY - 14, DAY - 7]
    assert same_days_of_month(DAY, DAY - 70, DAY) == [DAY - 61, DAY - 31]


def test_what_is_usual() -> None:
    history = [10] * 70
    assert usual(history, DAY - 70, DAY, DAY, 5, 20_000) == (20, True)
    history[70 - 31] = 500  # the tenth of July
    assert usual(history, DAY - 70, DAY, DAY, 5, 20_000) == (20, True)
    history[70 - 61] = 500  # and of June
    assert usual(history, DAY - 70, DAY, DAY, 5, 20_000) == (1_000, True)
    assert usual([10] * 14, DAY - 14, DAY, DAY, 5, 20_000) == (20, False)
    assert usual([10] * 13, DAY - 13, DAY, DAY, 5, 20_000) is None
