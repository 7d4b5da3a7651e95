"""Small numbers for the texts a feed repeats: products and currencies, in the order of first use."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from services.detector.graph.kernel import Array, Bools, Int32s, kernel


class Codes:
    def __init__(self, first: str) -> None:
        """`first` gets code 0."""
        self._texts = [first]
        self._codes = {first: 0}

    def text(self, code: int) -> str:
        return self._texts[code]

    def code(self, text: str) -> int | None:
        return self._codes.get(text)

    def encode(self, column: pa.DictionaryArray) -> NDArray[np.int32]:
        """Codes of a column's rows; new texts get theirs in row order, whatever the dictionary's."""
        places = column.indices.to_numpy()
        translation = np.full(len(column.dictionary), -1, np.int32)
        order = np.empty(translation.size, np.int32)
        for place in order[: first_uses(places, np.zeros(translation.size, np.bool_), order)]:
            translation[place] = self._intern(column.dictionary[int(place)].as_py())
        taken: NDArray[np.int32] = translation[places]
        return taken

    def _intern(self, text: str) -> int:
        code = self._codes.setdefault(text, len(self._texts))
        if code == len(self._texts):
            self._texts.append(text)
        return code


@kernel
def first_uses(places: Array, seen: Bools, order: Int32s) -> int:
    """Put the distinct values of `places` into `order`, as they appear; how many there are."""
    count = 0
    for place in places:
        if not seen[place]:
            seen[place] = True
            order[count] = place
            count += 1
    return count
