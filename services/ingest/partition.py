"""Which partitions of `transactions` a transfer goes to: those of the institutions it touches.

Typologies about one institution run where its flows are, so a transfer that touches two is in both
partitions, and one that touches none may matter to any and is in all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import numpy as np
import pyarrow as pa

from schemas.account import OUTSIDE, TOKEN_BYTES

CACHED_TOKENS: Final = 1 << 17
"""Accounts whose partitions are kept; when there are more, all are looked up anew."""

_Flags = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


@lru_cache(maxsize=1 << 16)
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

    def partitions_of(self, token: bytes) -> list[int]:
        """Where the account's transfers are, in order; all where it touches no institution."""
        touched = {partition_of(one, self.partitions) for one in self._touching(token.hex())}
        return sorted(touched) or list(range(self.partitions))

    def _wanted(self, columns: pa.RecordBatch, revision: int) -> _Flags:
        """(rows, partitions): which partitions want which row."""
        ends = pa.concat_arrays([columns.column("src"), columns.column("dst")]).dictionary_encode()
        tokens = _bytes_of(ends.dictionary)
        if revision != self._revision or len(self._row_of) + len(tokens) > CACHED_TOKENS:
            self._row_of.clear()
            self._revision = revision
        flags = self._flags_of(tokens)[ends.indices.to_numpy()]
        wanted: _Flags = flags[: columns.num_rows] | flags[columns.num_rows :]
        wanted[~wanted.any(axis=1)] = True
        return wanted

    def _flags_of(self, tokens: list[bytes]) -> _Flags:
        rows = [self._row_of.get(token, -1) for token in tokens]
        if -1 in rows:
            self._look_up([token for token, row in zip(tokens, rows, strict=True) if row < 0])
            rows = [self._row_of[token] for token in tokens]
        found: _Flags = self._flags[rows]
        return found

    def _look_up(self, tokens: list[bytes]) -> None:
        rows, partitions = [], []
        first = len(self._row_of)
        for row, token in enumerate(tokens, first):
            self._row_of[token] = row
            for institution_id in self._touching(token.hex()) if token != OUTSIDE else ():
                rows.append(row)
                partitions.append(partition_of(institution_id, self.partitions))
        self._reserve(len(self._row_of))
        self._flags[first : len(self._row_of)] = False
        self._flags[rows, partitions] = True

    def _reserve(self, rows: int) -> None:
        if rows > len(self._flags):
            grown = np.zeros((max(rows, 2 * len(self._flags)), self.partitions), dtype=np.bool_)
            grown[: len(self._flags)] = self._flags
            self._flags = grown


def _bytes_of(tokens: pa.FixedSizeBinaryArray) -> list[bytes]:
    """What to_pylist() gives, several times as fast."""
    whole = np.frombuffer(tokens.buffers()[1], dtype=f"V{TOKEN_BYTES}")
    found: list[bytes] = whole[tokens.offset : tokens.offset + len(tokens)].tolist()
    return found
