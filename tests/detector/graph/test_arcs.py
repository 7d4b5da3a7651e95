from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.graph.arcs import (
    ARC,
    LEAST_CODE,
    MOST_AGE_US,
    MOST_CODE,
    OTHER_CURRENCY,
    code_in,
    code_of,
    tick_in,
    tick_of,
    word_of,
)

amounts = st.one_of(st.integers(0, 70_000), st.integers(0, 2**63 - 1))
times = st.integers(-(2**60), 2**60)


@given(amounts, amounts)
def test_codes_rise_with_amounts(one: int, other: int) -> None:
    """So that what lies strictly between two codes lies between their amounts."""
    less, more = sorted((one, other))
    assert LEAST_CODE < code_of(less) <= code_of(more) < OTHER_CURRENCY
    assert code_of(more) + OTHER_CURRENCY < MOST_CODE


@given(st.integers(0, 254))
def test_codes_of_small_amounts_are_exact(amount_minor: int) -> None:
    assert code_of(amount_minor) < code_of(amount_minor + 1)


@given(st.integers(0, 2**62))
def test_a_code_tells_an_amount_to_a_hundred_and_twenty_eighth(amount_minor: int) -> None:
    much_more = amount_minor + (amount_minor >> 7) + 1
    assert code_of(amount_minor) < code_of(much_more)


@given(times, st.integers(0, MOST_AGE_US), amounts, st.booleans())
def test_a_word_holds_tick_and_code(clock_us: int, age_us: int, amount_minor: int, is_other: bool) -> None:
    code = code_of(amount_minor) + OTHER_CURRENCY * is_other
    arc = np.zeros(1, ARC)[0]
    arc["word"] = word_of(clock_us - age_us, code)
    assert code_in(arc) == code
    assert tick_in(arc, tick_of(clock_us - MOST_AGE_US)) == tick_of(clock_us - age_us)
