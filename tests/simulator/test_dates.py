from collections import Counter
from datetime import date

import numpy as np
import pytest

from schemas.instant import DAY, to_micros
from simulator.dates import OFFICE, Date, end_of_day
from simulator.streams import stream

START = to_micros("2019-01-20T16:00:00Z")


def on(text: str) -> Date:
    return Date((date.fromisoformat(text) - date(2019, 1, 21)).days, START)


def test_a_day_ends_at_midnight_in_beijing():
    assert end_of_day(START) == START + DAY == end_of_day(START + DAY - 1)
    assert end_of_day(START - 1) == START


def test_the_first_day_is_the_civil_day_in_beijing():
    assert Date(0, START).civil == date(2019, 1, 21)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2019-01-21", True),
        ("2019-01-26", False),
        ("2019-02-03", False),
        ("2019-02-04", False),
        ("2019-02-10", False),
        ("2019-02-11", True),
        ("2019-10-07", False),
        ("2019-10-08", True),
    ],
)
def test_working_days(day, working):
    assert on(day).working is working


@pytest.mark.parametrize("due", [1, 5, 10, 15, 28])
def test_what_is_due_monthly_is_paid_once_a_month(due):
    paid = [d.civil for n in range(365) if (d := Date(n, START)).pays_on(due)]
    assert max(Counter((d.year, d.month) for d in paid).values()) == 1
    assert len(paid) in (11, 12, 13)


def test_a_salary_due_in_the_festival_is_paid_after_it():
    assert on("2019-02-11").pays_on(10)
    assert on("2019-02-11").pays_on(5)


def test_moments_are_whole_seconds_of_the_day_in_office_hours():
    day = Date(3, START)
    at = day.moments(stream(1, "test"), OFFICE, 1_000)
    assert np.all(at % 1_000_000 == 0)
    assert at.min() >= day.begin_us + 8 * DAY // 24
    assert at.max() < day.begin_us + 18 * DAY // 24
