"""64-bit fingerprints of (feed, transaction id), by which duplicates are known.

FNV-1a (Fowler, Noll, Vo) over the bytes, feed first. Two ids of ten million live ones share a
fingerprint with a chance of 3 in 10^6; a row so mistaken is counted as a duplicate.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from compiled import Array, direct, kernel, read_only
from services.detector.graph.table import mix

_OFFSET: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)


class Texts(NamedTuple):
    """A column of texts, in the buffers of its message."""

    octets: Array
    starts: Array
    """In `octets`, of each text; and the end of the last."""


def texts_of(column: pa.StringArray) -> Texts:
    _, offsets, data = column.buffers()
    starts = np.frombuffer(offsets, np.int32, len(column) + 1, 4 * column.offset)
    octets = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return Texts(read_only(octets), read_only(starts))


def fingerprints(feed_id: str, tx_ids: pa.StringArray) -> Array:
    """uint64 for each id, never 0."""
    texts = texts_of(tx_ids)
    digests = np.empty(len(tx_ids), np.uint64)
    _digest_rows(_seed(feed_id), texts.octets, texts.starts, digests)
    return digests


@lru_cache(maxsize=1024)
def _seed(feed_id: str) -> np.uint64:
    feed = np.frombuffer(feed_id.encode(), np.uint8)
    return np.uint64(fnv1a(_OFFSET, feed, 0, feed.size))


@kernel
def fnv1a(digest: np.uint64, octets: Array, start: int, end: int) -> np.uint64:
    for place in range(start, end):
        digest = (digest ^ np.uint64(octets[place])) * _PRIME
    return digest


@kernel
def digest_rows(feed: np.uint64, octets: Array, starts: Array, digests: Array) -> None:
    separated = feed * _PRIME  # one zero octet between feed and id
    for row in range(digests.size):
        digest = mix(fnv1a(separated, octets, starts[row], starts[row + 1]))
        digests[row] = digest if digest != 0 else _PRIME


_digest_rows: Final = direct(digest_rows)
