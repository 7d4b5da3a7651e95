"""Two ascending lists as one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.ascending import distinct, joined

rows = st.sets(st.integers(0, 30)).map(lambda each: np.array(sorted(each), np.int64))


@given(rows, rows)
def test_what_is_in_either_once(one: np.ndarray, other: np.ndarray) -> None:
    assert joined(one, other).tolist() == sorted({*one.tolist(), *other.tolist()})


@given(st.lists(st.integers(-5, 30)))
def test_each_value_once(values: list[int]) -> None:
    assert distinct(np.array(values, np.int32)).tolist() == sorted(set(values))
