"""Kernels as Python calls them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import compiled
from compiled import Int64s, direct, kernel


class Asked(NamedTuple):
    numbers: Int64s
    least: int


@kernel
def sum_from(asked: Asked, twice: bool) -> tuple[int, bool]:
    total = 0
    for number in asked.numbers:
        if number >= asked.least:
            total += number
    return (2 * total, True) if twice else (total, False)


def test_a_direct_call_answers_as_the_kernel() -> None:
    called = direct(sum_from)
    for least, twice in ((0, False), (3, True), (np.int64(4), False), (-1, True)):
        asked = Asked(np.arange(6), int(least))
        assert called(asked, twice) == sum_from(asked, twice)
        assert called(asked._replace(least=least), twice) == sum_from(asked, twice)


def test_other_types_are_refused_where_bounds_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled._settings, "BOUNDSCHECK", 1)
    called = direct(sum_from)
    assert called(Asked(np.arange(6), 1), False) == (15, False)
    assert called(Asked(np.arange(4), 0), True) == (12, True)
    for numbers in (np.arange(6)[::2], np.arange(6, dtype=np.int32)):
        with pytest.raises(TypeError, match="sum_from takes"):
            called(Asked(numbers, 1), False)
