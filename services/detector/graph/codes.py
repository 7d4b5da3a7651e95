"""Small numbers for the texts a feed repeats: products and currencies, in the order of first use."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from compiled import Array, kernel
from services.detector.graph.fingerprints import Texts, texts_of

_UNUSED: Final = -1


class Codes:
    def __init__(self, first: str) -> None:
        """`first` gets code 0."""
        self._texts = [first]
        self._codes = {first: 0}
        self._dictionary = pa.array([], pa.string())
        """As a column had it: many batches have the same one, and use a part of it each."""
        self._translation = np.empty(0, np.int32)
        """Codes of its texts, or _UNUSED."""

    def text(self, code: int) -> str:
        return self._texts[code]

    def code(self, text: str) -> int | None:
        return self._codes.get(text)

    def encode(self, column: pa.DictionaryArray) -> NDArray[np.int32]:
        """Codes of a column's rows; new texts get theirs in row order, whatever the dictionary's."""
        places = column.indices.to_numpy()
        if not are_same(texts_of(self._dictionary), texts_of(column.dictionary), places):
            self._dictionary = column.dictionary
            self._translation = np.full(len(column.dictionary), _UNUSED, np.int32)
        codes: NDArray[np.int32] = self._translation[places]
        new = places[codes == _UNUSED]
        if new.size:
            for place in dict.fromkeys(new.tolist()):
                self._translation[place] = self._intern(column.dictionary[place].as_py())
            codes = self._translation[places]
        return codes

    def _intern(self, text: str) -> int:
        code = self._codes.setdefault(text, len(self._texts))
        if code == len(self._texts):
            self._texts.append(text)
        return code


@kernel
def are_same(one: Texts, other: Texts, places: Array) -> bool:
    """Of two dictionaries, the texts that are used."""
    last = min(one.starts.size, other.starts.size) - 2
    row = 0
    while row < places.size and 0 <= places[row] <= last and is_same(one, other, places[row]):
        row += 1
    return bool(row == places.size)


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
