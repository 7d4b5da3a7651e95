"""The calendar people live by: Beijing days, weekends, festivals, and when in the day money moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from schemas.instant import DAY, HOUR, SECOND
from simulator.streams import Array, Ints

BEIJING_OFFSET: Final = 8 * HOUR

# First day of the lunar year (Hong Kong Observatory's calendar conversion tables).
_NEW_YEAR: Final = {
    2016: date(2016, 2, 8),
    2017: date(2017, 1, 28),
    2018: date(2018, 2, 16),
    2019: date(2019, 2, 5),
    2020: date(2020, 1, 25),
    2021: date(2021, 2, 12),
    2022: date(2022, 2, 1),
    2023: date(2023, 1, 22),
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
}

# Share of a day's traffic in each Beijing hour: assumption.
SHOPPING: Final = np.array(
    [1, 0, 0, 0, 0, 1, 2, 4, 5, 5, 6, 8, 9, 6, 5, 5, 5, 6, 8, 9, 9, 8, 5, 2], dtype=float
)
OFFICE: Final = np.array(
    [0, 0, 0, 0, 0, 0, 0, 0, 2, 9, 10, 8, 3, 6, 9, 10, 8, 3, 0, 0, 0, 0, 0, 0], dtype=float
)
ONLINE: Final = np.array(
    [2, 1, 0, 0, 0, 0, 1, 3, 4, 6, 7, 6, 6, 5, 5, 5, 5, 5, 6, 7, 9, 9, 6, 4], dtype=float
)


def end_of_day(at_us: int) -> int:
    """The midnight in Beijing after `at_us`."""
    return ((at_us + BEIJING_OFFSET) // DAY + 1) * DAY - BEIJING_OFFSET


@dataclass(frozen=True, slots=True)
class Date:
    """Day `number` of a world that starts at `start_us`; spans [begin_us, begin_us + DAY)."""

    number: int
    start_us: int

    @property
    def begin_us(self) -> int:
        return self.start_us + self.number * DAY

    @property
    def civil(self) -> date:
        """The civil date in Beijing at the beginning of this day."""
        return (
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.begin_us + BEIJING_OFFSET)
        ).date()

    @property
    def to_new_year(self) -> int:
        """Days since this year's Spring Festival; negative before it; far off where the table ends."""
        today = self.civil
        new_year = _NEW_YEAR.get(today.year)
        return 200 if new_year is None else (today - new_year).days

    @property
    def holiday(self) -> bool:
        today = self.civil
        return -1 <= self.to_new_year <= 5 or (today.month == 10 and today.day <= 7)

    @property
    def working(self) -> bool:
        return self.civil.weekday() < 5 and not self.holiday

    @property
    def shopping_factor(self) -> float:
        """How much people buy today, against a plain weekday; 11-11 and 06-18 are sales days. Assumption."""
        today = self.civil
        if (today.month, today.day) in ((11, 11), (6, 18)):
            return 4.0 if today.month == 11 else 2.0
        if -1 <= self.to_new_year <= 5:
            return 0.5
        if -14 <= self.to_new_year < -1:
            return 1.4
        return 1.25 if today.weekday() >= 5 else 1.0

    @property
    def gift_factor(self) -> float:
        return 12.0 if -1 <= self.to_new_year <= 2 else 1.0

    def pays_on(self, day_of_month: int) -> bool:
        """Is this the working day on which what is due on `day_of_month` gets paid (that or the next)?"""
        if not self.working:
            return False
        day = self
        while True:
            if day.civil.day == day_of_month:
                return True
            day = Date(day.number - 1, self.start_us)
            if day.working:
                return False

    def at(self, hour: float) -> int:
        """Microseconds of `hour` o'clock in Beijing today."""
        return self.begin_us + int(hour * 3600) * SECOND

    def moments(self, rng: np.random.Generator, profile: Array, n: int) -> Ints:
        """`n` whole seconds of today, spread over the hours as `profile` weighs them."""
        hours = rng.choice(24, size=n, p=profile / profile.sum())
        seconds: Ints = hours * 3600 + rng.integers(0, 3600, n)
        return self.begin_us + seconds * SECOND
