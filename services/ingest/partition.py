"""Which partitions of `transactions` a transfer goes to: those of the institutions it touches.

Typologies about one institution run where its flows are, so a transfer that touches two is in both
partitions, and one that touches none may matter to any and is in all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Final

import numpy as np
import pyarrow as pa

from schemas.account import OUTSIDE

CACHED_TOKENS: Final = 1 << 17
"""Accounts whose partitions are kept; when there are more, all are looked up anew."""

_Flags = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


def partition_of(institution_id: str, partitions: int) -> int:
    """The partition that an institution's flows are in: the same on every machine."""
    return int.from_bytes(blake2b(institution_id.encode(), digest_size=8).digest(), "big") % partitions


class Router:
    """`touching` names the institutions of an account token (hex), at whatever time."""

    def __init__(self, partitions: int, touching: Callable[[str], tuple[str, ...]]) -> None:
        self.partitions = partitions
        self._touching = touching
        self._row_of: dict[bytes, int] = {}
        self._flags: _Flags = np.zeros((0, partitions), dtype=np.bool_)
        self._revision = 0

    def route(self, columns: pa.RecordBatch, revision: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        """(partition, its rows in their order) by partition; partitions without rows are left out.

        `revision` tells the states of what `touching` reads apart: another one empties the cache.
        """
        if self.partitions == 1 or columns.num_rows == 0:
            if columns.num_rows:
                yield 0, columns
            return
        wanted = self._wanted(columns, revision)
        for partition in range(self.partitions):
            rows = np.flatnonzero(wanted[:, partition])
            if len(rows) == columns.num_rows:
                yield partition, columns
            elif len(rows):
                yield partition, columns.take(pa.array(rows))

    def _wanted(self, columns: pa.RecordBatch, revision: int) -> _Flags:
        """(rows, partitions): which partitions want which row."""
        ends = pa.concat_arrays([columns.column("src"), columns.column("dst")]).dictionary_encode()
        tokens: list[bytes] = ends.dictionary.to_pylist()
        if revision != self._revision or len(self._row_of) + len(tokens) > CACHED_TOKENS:
            self._row_of.clear()
            self._revision = revision
        flags = self._flags_of(tokens)[ends.indices.to_numpy()]
        wanted: _Flags = flags[: columns.num_rows] | flags[columns.num_rows :]
        wanted[~wanted.any(axis=1)] = True
        return wanted

    def _flags_of(self, tokens: list[bytes]) -> _Flags:
        missing = [token for token in tokens if token not in self._row_of]
        self._reserve(len(self._row_of) + len(missing))
        for token in missing:
            row = self._row_of[token] = len(self._row_of)
            self._flags[row] = False
            touching = () if token == OUTSIDE else self._touching(token.hex())
            self._flags[row, [partition_of(one, self.partitions) for one in touching]] = True
        found: _Flags = self._flags[[self._row_of[token] for token in tokens]]
        return found

    def _reserve(self, rows: int) -> None:
        if rows > len(self._flags):
            grown = np.zeros((max(rows, 2 * len(self._flags)), self.partitions), dtype=np.bool_)
            grown[: len(self._flags)] = self._flags
            self._flags = grown
