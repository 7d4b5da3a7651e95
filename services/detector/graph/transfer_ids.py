"""The banks' own ids of live transfers, copied out of their messages and packed some thousands together.

They are read for evidence alone, and would else take more memory than the transfer itself.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from schemas.errors import Unknown
from services.detector.graph.kernel import Bools

PACKED_TOGETHER: Final = 8_192
_KEPT_OPEN: Final = 16
"""Packets whose ids are kept at hand, those opened last."""
_CODEC: Final = pa.Codec("zstd", compression_level=1)


class _Packet(NamedTuple):
    """Consecutive ids: their UTF-8 text without a gap, and the lengths, each compressed."""

    text: bytes
    text_bytes: int
    lengths: bytes
    ids: int


class TransferIds:
    """Sequence numbers ascend without a gap from the first that was ever appended."""

    def __init__(self) -> None:
        self._feed_firsts: list[int] = []
        self._feeds: list[str] = []
        """From which sequence number on a feed is the sender."""
        self._firsts: list[int] = []
        self._packets: list[_Packet] = []
        self._open: dict[int, list[str]] = {}
        self._loose: list[pa.StringArray] = []
        self._loose_first = 0
        self._next = 0

    def append(self, first_seq: int, feed_id: str, tx_ids: pa.StringArray, inserted: Bools) -> None:
        """The ids of the rows that were `inserted`, from sequence number `first_seq` on."""
        if not inserted.any():
            return
        if not self._feeds or self._feeds[-1] != feed_id:
            self._feed_firsts.append(first_seq)
            self._feeds.append(feed_id)
        if not self._loose:
            self._loose_first = first_seq
        taken = tx_ids.take(pa.array(np.flatnonzero(inserted)))
        self._loose.append(taken)
        self._next = first_seq + len(taken)
        if self._next - self._loose_first >= PACKED_TOGETHER:
            self._firsts.append(self._loose_first)
            self._packets.append(_packed(self._loose))
            self._loose = []

    def drop_below(self, oldest_seq: int) -> None:
        """Forget what lies wholly below; once it is half of all, so that it costs little."""
        dead = bisect_right(self._firsts, oldest_seq) - 1
        if dead * 2 > len(self._firsts):
            for first in self._firsts[:dead]:
                self._open.pop(first, None)
            del self._firsts[:dead], self._packets[:dead]
        silent = bisect_right(self._feed_firsts, oldest_seq) - 1
        if silent * 2 > len(self._feed_firsts):
            del self._feed_firsts[:silent], self._feeds[:silent]

    def of(self, seq: int) -> tuple[str, str]:
        """(feed id, transaction id). Raises Unknown for a sequence number that is not held."""
        feed = bisect_right(self._feed_firsts, seq) - 1
        if feed < 0 or seq >= self._next:
            raise Unknown(f"transfer {seq} is not in the window")
        return self._feeds[feed], self._id(seq)

    def _id(self, seq: int) -> str:
        if self._loose and seq >= self._loose_first:
            place = seq - self._loose_first
            for column in self._loose:
                if place < len(column):
                    found: str = column[place].as_py()
                    return found
                place -= len(column)
        at = bisect_right(self._firsts, seq) - 1
        if at < 0:
            raise Unknown(f"transfer {seq} is not in the window")
        first = self._firsts[at]
        ids = self._open.pop(first, None) or _ids_of(self._packets[at])
        self._open[first] = ids
        if len(self._open) > _KEPT_OPEN:
            del self._open[next(iter(self._open))]
        return ids[seq - first]


def _packed(columns: list[pa.StringArray]) -> _Packet:
    ids: pa.StringArray = pa.concat_arrays(columns)
    _, offsets, data = ids.buffers()
    ends = np.frombuffer(offsets, np.int32)[: len(ids) + 1]
    lengths = np.diff(ends).astype(np.uint16)
    text = data or pa.py_buffer(b"")
    return _Packet(
        _CODEC.compress(text, asbytes=True),
        text.size,
        _CODEC.compress(lengths, asbytes=True),
        len(ids),
    )


def _ids_of(packet: _Packet) -> list[str]:
    lengths = np.frombuffer(_CODEC.decompress(packet.lengths, 2 * packet.ids), np.uint16)
    offsets = np.concatenate((np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)))
    text = _CODEC.decompress(packet.text, packet.text_bytes)
    ids: list[str] = pa.StringArray.from_buffers(packet.ids, pa.py_buffer(offsets), text).to_pylist()
    return ids
