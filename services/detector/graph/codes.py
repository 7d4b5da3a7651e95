"""Small numbers for the texts a feed repeats: products and currencies, in the order of first use."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from compiled import Array, Bools, Int32s, kernel
from services.detector.graph.fingerprints import Texts, texts_of

_UNUSED: Final = -1


class Codes:
    def __init__(self, first: str) -> None:
        """`first` gets code 0."""
        self._texts = [first]
        self._codes = {first: 0}
        self._known = pa.array([], pa.string())
        """A dictionary as columns have it: many batches have the same one, and use a part of it each."""
        self._held = texts_of(self._known)
        self._translation = np.empty(0, np.int32)
        """Codes of its texts, or _UNUSED."""

    def text(self, code: int) -> str:
        return self._texts[code]

    def code(self, text: str) -> int | None:
        return self._codes.get(text)

    def encode(self, column: pa.DictionaryArray) -> NDArray[np.int32]:
        """Codes of a column's rows; new texts get theirs in row order, whatever the dictionary's."""
        places, codes = column.indices.to_numpy(), np.empty(len(column), np.int32)
        if not read_codes(self._held, self._translation, texts_of(column.dictionary), places, codes):
            if not column.dictionary.equals(self._known):
                self._known, self._held = column.dictionary, texts_of(column.dictionary)
                self._translation = np.full(len(column.dictionary), _UNUSED, np.int32)
            if self._translation[places].min(initial=0) == _UNUSED:
                self._translate(column.dictionary, places)
            codes[:] = self._translation[places]
        return codes

    def _translate(self, texts: pa.StringArray, places: Array) -> None:
        """Codes of those texts in use that have none yet."""
        order = np.empty(len(texts), np.int32)
        new = order[: first_uses(places, self._translation != _UNUSED, order)]
        self._translation[new] = [self._intern(text) for text in texts.take(pa.array(new)).to_pylist()]

    def _intern(self, text: str) -> int:
        code = self._codes.setdefault(text, len(self._texts))
        if code == len(self._texts):
            self._texts.append(text)
        return code


@kernel
def read_codes(known: Texts, translation: Int32s, texts: Texts, places: Array, codes: Int32s) -> bool:
    """Whether the texts that are used are those `known` and have codes, which are put into `codes`: a
    dictionary is often longer than the batch."""
    for row, place in enumerate(places):
        if not 0 <= place < min(translation.size, texts.starts.size - 1):
            return False
        if translation[place] == _UNUSED or not is_same(known, texts, place):
            return False
        codes[row] = translation[place]
    return True


@kernel
def is_same(one: Texts, other: Texts, place: int) -> bool:
    here, there = one.starts[place], other.starts[place]
    length = one.starts[place + 1] - here
    if other.starts[place + 1] - there != length:
        return False
    octet = 0
    while octet < length and one.octets[here + octet] == other.octets[there + octet]:
        octet += 1
    return bool(octet == length)


@kernel
def first_uses(places: Array, seen: Bools, order: Int32s) -> int:
    """Put the distinct values of `places` that were not `seen` into `order`, as they appear; how many there
    are."""
    count = 0
    for place in places:
        if not seen[place]:
            seen[place] = True
            order[count] = place
            count += 1
    return count
