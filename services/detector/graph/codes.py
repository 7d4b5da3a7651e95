"""Small numbers for the texts a feed repeats: products and currencies, in the order of first use."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from compiled import Array, Bools, Int32s, kernel

_UNUSED: Final = -1


class Codes:
    def __init__(self, first: str) -> None:
        """`first` gets code 0."""
        self._texts = [first]
        self._codes = {first: 0}
        self._last: pa.Array | None = None
        """The dictionary of the last column: many batches have the same one, and use a part of it each."""
        self._translation = np.empty(0, np.int32)
        """Codes of its texts, or _UNUSED."""

    def text(self, code: int) -> str:
        return self._texts[code]

    def code(self, text: str) -> int | None:
        return self._codes.get(text)

    def encode(self, column: pa.DictionaryArray) -> NDArray[np.int32]:
        """Codes of a column's rows; new texts get theirs in row order, whatever the dictionary's."""
        places = column.indices.to_numpy()
        if self._last is None or not column.dictionary.equals(self._last):
            self._last = column.dictionary
            self._translation = np.full(len(column.dictionary), _UNUSED, np.int32)
        taken: NDArray[np.int32] = self._translation[places]
        if taken.min(initial=0) == _UNUSED:
            self._translate(column.dictionary, places)
            taken = self._translation[places]
        return taken

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
