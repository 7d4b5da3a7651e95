"""The banks' own ids of live transfers, copied out of their messages and packed some thousands together.

They are read for evidence alone, and would else take more memory than the transfer itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from compiled import Int32s
from schemas.errors import Unknown
from services.detector.graph.fingerprints import texts_of

PACKED_TOGETHER: Final = 8_192
_KEPT_OPEN: Final = 64
"""Packets kept unpacked, those read last: some 100 kB each."""
_CODEC: Final = pa.Codec("zstd", compression_level=1)


class _Loose(NamedTuple):
    """Consecutive ids: their UTF-8 text without a gap, where in it each starts and the last ends."""

    text: bytes
    starts: Int32s

    @property
    def ids(self) -> int:
        return self.starts.size - 1


class _Packet(NamedTuple):
    """Consecutive ids, compressed: where all are of `width` bytes, the first byte of each, then the second
    of each and so on, for what changes from id to id is at the same places; else, with a width of 0, their
    text and their lengths."""

    ids: int
    width: int
    text: bytes
    text_bytes: int
    lengths: bytes


class TransferIds:
    """Sequence numbers ascend without a gap from the first that was ever appended."""

    def __init__(self) -> None:
        self._feed_firsts: list[int] = []
        self._feeds: list[str] = []
        """From which sequence number on a feed is the sender."""
        self._firsts: list[int] = []
        self._packets: list[_Packet] = []
        self._open: dict[int, _Loose] = {}
        self._loose: list[_Loose] = []
        self._loose_first = 0
        self._next = 0

    def append(self, first_seq: int, feed_id: str, tx_ids: pa.StringArray) -> None:
        """The ids of the transfers from sequence number `first_seq` on."""
        if not len(tx_ids):
            return
        if not self._feeds or self._feeds[-1] != feed_id:
            self._feed_firsts.append(first_seq)
            self._feeds.append(feed_id)
        if not self._loose:
            self._loose_first = first_seq
        self._loose.append(_copied(tx_ids))
        self._next = first_seq + len(tx_ids)
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
        return self.of_all((seq,))[0]

    def of_all(self, seqs: Iterable[int]) -> list[tuple[str, str]]:
        """As of(), for each; quickest in ascending order, as they lie together."""
        found, first, end = list[tuple[str, str]](), 0, 0
        for seq in seqs:
            if not first <= seq < end:
                first, held = self._around(seq)
                end = first + held.ids
                text, start_of = held.text, held.starts.item
            tx_id = text[start_of(seq - first) : start_of(seq - first + 1)].decode()
            found.append((self._feed(seq), tx_id))
        return found

    def _feed(self, seq: int) -> str:
        place = bisect_right(self._feed_firsts, seq) - 1
        if place < 0:
            raise Unknown(f"transfer {seq} is not in the window")
        return self._feeds[place]

    def _around(self, seq: int) -> tuple[int, _Loose]:
        """The ids among which its id is, and the first sequence number of them."""
        if seq >= self._next:
            raise Unknown(f"transfer {seq} is not in the window")
        if self._loose and seq >= self._loose_first:
            return self._among_loose(seq)
        at = bisect_right(self._firsts, seq) - 1
        if at < 0:
            raise Unknown(f"transfer {seq} is not in the window")
        first = self._firsts[at]
        opened = self._open.pop(first, None) or _unpacked(self._packets[at])
        self._open[first] = opened
        if len(self._open) > _KEPT_OPEN:
            del self._open[next(iter(self._open))]
        return first, opened

    def _among_loose(self, seq: int) -> tuple[int, _Loose]:
        loose, first = iter(self._loose), self._loose_first
        held = next(loose)
        while seq - first >= held.ids:
            first += held.ids
            held = next(loose)
        return first, held


def _copied(tx_ids: pa.StringArray) -> _Loose:
    octets, starts = texts_of(tx_ids)
    return _Loose(octets[starts[0] : starts[-1]].tobytes(), starts - starts[0])


def _packed(loose: list[_Loose]) -> _Packet:
    text = b"".join(each.text for each in loose)
    lengths = np.concatenate([np.diff(each.starts) for each in loose])
    width = int(lengths[0])
    if width and np.all(lengths == width):
        by_place = np.frombuffer(text, np.uint8).reshape(-1, width).T.tobytes()
        return _Packet(lengths.size, width, _CODEC.compress(by_place, asbytes=True), len(text), b"")
    packed_lengths = _CODEC.compress(lengths.astype(np.uint16), asbytes=True)
    return _Packet(lengths.size, 0, _CODEC.compress(text, asbytes=True), len(text), packed_lengths)


def _unpacked(packet: _Packet) -> _Loose:
    text = _CODEC.decompress(packet.text, packet.text_bytes, asbytes=True)
    if packet.width:
        text = np.frombuffer(text, np.uint8).reshape(packet.width, -1).T.tobytes()
        return _Loose(text, np.arange(0, packet.text_bytes + 1, packet.width, dtype=np.int32))
    lengths = np.frombuffer(_CODEC.decompress(packet.lengths, 2 * packet.ids), np.uint16)
    return _Loose(text, np.concatenate((np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32))))
