"""What is usual for a day, against statistics' own medians."""

from __future__ import annotations

from datetime import date
from statistics import median_low

from hypothesis import given
from hypothesis import strategies as st

from services.detector.books.baseline import (
    Usual,
    ceiling,
    deviation,
    median,
    same_days_of_month,
    same_weekdays,
    usual,
)

DAY = (date(2021, 8, 10) - date(1970, 1, 1)).days
values = st.lists(st.integers(0, 10**12), min_size=1, max_size=30)


@given(values)
def test_the_median_is_the_lower_one(values: list[int]) -> None:
    assert median(values) == median_low(values)


days = st.lists(st.builds(Usual, st.integers(0, 10**12), st.integers(0, 10**12), st.just(True)), min_size=1)


@given(days, st.integers(1, 9))
def test_the_ceiling_is_never_below_twice_the_medians_and_grows_with_z(usuals: list[Usual], z: int) -> None:
    assert ceiling(usuals, z, 20_000) >= 2 * sum(day.middle for day in usuals)
    assert ceiling(usuals, z, 20_000) <= ceiling(usuals, z + 1, 20_000)


@given(days, st.integers(1, 9))
def test_days_together_vary_less_than_each_alone(usuals: list[Usual], z: int) -> None:
    assert ceiling(usuals, z, 0) <= sum(ceiling([day], z, 0) for day in usuals)


def test_variances_add_up() -> None:
    assert deviation([0, 10, 20]) == 14
    assert ceiling([Usual(100, 30, True), Usual(200, 40, True)], 5, 10_000) == 300 + 5 * 50


def test_like_days() -> None:
    assert same_weekdays(DAY, DAY - 15, DAY) == [DAY - 14, DAY - 7]
    assert same_days_of_month(DAY, DAY - 70, DAY) == [DAY - 61, DAY - 31]


def test_what_is_usual() -> None:
    history = [10] * 70
    assert usual(history, DAY - 70, DAY, DAY) == (10, 0, True)
    history[70 - 31] = 500  # the tenth of July
    assert usual(history, DAY - 70, DAY, DAY) == (10, 0, True)
    history[70 - 61] = 500  # and of June
    assert usual(history, DAY - 70, DAY, DAY) == (500, 0, True)
    once = [10] * 45
    once[45 - 31] = 500
    assert usual(once, DAY - 45, DAY, DAY) == (500, 0, True)
    assert usual(once, DAY - 45, DAY, DAY, {DAY - 31}) == (10, 0, True)
    assert usual(history, DAY - 70, DAY, DAY, {DAY - 31, DAY - 61}) == (500, 0, True)
    assert usual([10] * 14, DAY - 14, DAY, DAY) == (10, 0, False)
    assert usual([10] * 13, DAY - 13, DAY, DAY) is None
