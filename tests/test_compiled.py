"""Kernels as Python calls them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import compiled
from benchmarks.machine import resident_bytes_of
from compiled import Int64s, direct, kernel, reserved


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


def test_reserved_memory_is_zeroed_begins_on_a_page_and_is_resident_once_touched() -> None:
    kind = np.dtype([("number", "<i8"), ("text", "V56")])
    array = reserved(1 << 20, kind)
    assert array.size == 1 << 20
    assert array.dtype == kind
    assert array.ctypes.data % 4096 == 0
    assert resident_bytes_of(array) == 0
    array["number"][:10] = 7
    assert 0 < resident_bytes_of(array) <= 4 << 20
    assert array["number"][:11].tolist() == [7] * 10 + [0]


def test_nothing_may_be_reserved() -> None:
    assert reserved(0, np.int64).size == 0
