"""Which tx_id came before in the batch, in bounded memory however long the batch is."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

EXACT_IDS: Final = 1 << 18
"""So many ids are kept whole, some 30 MB; of older ones 8 bytes each."""


class SeenIds:
    """The ids of one batch so far.

    An id is told from older ones by 64 bits of BLAKE2b: in a batch of 10 million, the chance that
    any good record is taken for a repeated one is below 10^-5.
    """

    def __init__(self) -> None:
        self._recent: set[str] = set()
        self._older: list[NDArray[np.uint64]] = []  # sorted, each at least twice as long as the next

    def before(self, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that were added before."""
        found = self._recent.intersection(ids)
        if self._older:
            digests = _digests(ids)
            for run in self._older:
                at = np.minimum(np.searchsorted(run, digests), len(run) - 1)
                found.update(ids[index] for index in np.flatnonzero(run[at] == digests).tolist())
        return found

    def add(self, ids: Sequence[str]) -> None:
        self._recent.update(ids)
        if len(self._recent) >= EXACT_IDS:
            self._older.append(np.sort(_digests(list(self._recent))))
            self._recent.clear()
            while len(self._older) > 1 and len(self._older[-2]) < 2 * len(self._older[-1]):
                last = self._older.pop()
                self._older[-1] = np.sort(np.concatenate((self._older[-1], last)))


def _digests(ids: Sequence[str]) -> NDArray[np.uint64]:
    joined = b"".join(blake2b(i.encode("utf-8", "surrogatepass"), digest_size=8).digest() for i in ids)
    return np.frombuffer(joined, np.uint64)
