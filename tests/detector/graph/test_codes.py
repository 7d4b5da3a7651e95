"""Codes are those of first use, whatever the dictionaries of the batches are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from services.detector.graph.codes import Codes

_TEXTS = ["", "a", "b", "c", "d"]


def column(dictionary: list[str], places: list[int]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), pa.array(dictionary, pa.string()))


@given(st.lists(st.tuples(st.permutations(_TEXTS), st.booleans(), st.lists(st.integers(0, 4), max_size=6))))
def test_codes_in_the_order_of_first_use(batches: list[tuple[list[str], bool, list[int]]]) -> None:
    codes, expected, dictionary = Codes(""), {"": 0}, _TEXTS
    for texts, is_new, places in batches:
        dictionary = texts if is_new else dictionary
        wanted = [expected.setdefault(dictionary[place], len(expected)) for place in places]
        assert codes.encode(column(dictionary, places)).tolist() == wanted
    assert [codes.text(code) for code in range(len(expected))] == list(expected)


def test_a_dictionary_seen_before_is_translated_once() -> None:
    codes = Codes("")
    codes.encode(column(_TEXTS, [3]))
    translation = codes._translation
    assert codes.encode(column(_TEXTS, [4, 3])).tolist() == [2, 1]
    assert codes._translation is translation
    assert np.flatnonzero(translation < 0).tolist() == [0, 1, 2]
