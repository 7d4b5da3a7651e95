"""Accounts named by earlier alerts: remembered for half a year, and since when."""

from __future__ import annotations

import numpy as np

from schemas.instant import DAY
from services.detector.books.suspects import MEMORY_US, Suspects


def test_named_again_keeps_the_first_time_until_forgotten() -> None:
    suspects = Suspects()
    suspects.name([7], 10 * DAY)
    suspects.name([7], 11 * DAY)
    assert suspects.was_named(7, 10 * DAY + 1)
    assert not suspects.was_named(7, 10 * DAY)
    suspects.name([7], 11 * DAY + MEMORY_US + 1)
    assert not suspects.was_named(7, 11 * DAY + MEMORY_US)


def test_memory_and_bound() -> None:
    suspects = Suspects(max_accounts=2)
    suspects.name([1, 2, 3], DAY)
    assert suspects.among([1, 2, 3], DAY + MEMORY_US) == [2, 3]
    assert suspects.among([1, 2, 3], DAY + MEMORY_US + 1) == []


def test_many_at_once() -> None:
    suspects, asked = Suspects(), np.array([5, 1, 10_000, 2], np.int32)
    suspects.name([1, 5], DAY)
    for now_us in (DAY, DAY + MEMORY_US, DAY + MEMORY_US + 1):
        assert asked[suspects.are_named(asked, now_us)].tolist() == suspects.among(asked.tolist(), now_us)
