"""One partition on disk: segment files named by the offset of their first message.

One writer at a time (the log's lock); readers need no lock, for they see only whole immutable
snapshots of `tail` and `bases`, and files that only grow.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Iterator
from logging import getLogger
from pathlib import Path
from typing import Final, NamedTuple

from eventlog import frame
from eventlog.log import Message
from schemas.errors import Unavailable

_CHUNK_BYTES: Final = 1 << 20
_log = getLogger(__name__)


class Tail(NamedTuple):
    """The active segment's first offset and bytes, and the offset that the next message gets."""

    base: int
    size: int
    end: int


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Partition:
    tail: Tail
    _file: int
    _dirty: bool

    def __init__(self, folder: Path, retention_us: int | None, segment_bytes: int) -> None:
        """Opens or makes the partition; a tail torn by a crash is cut off, and said so in the log."""
        self.folder = folder
        self._retention_us = retention_us
        self._segment_bytes = segment_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self.bases = tuple(sorted(int(path.stem) for path in folder.glob("*.log")))
        self._open(self.bases[-1] if self.bases else 0)
        self._recover()
        self._expire()

    def path(self, base: int) -> Path:
        return self.folder / f"{base:020}.log"

    def append(self, encoded: bytes) -> None:
        """Write one frame; readers see it at once, a crash may lose it until fsync."""
        if self.tail.size + len(encoded) > self._segment_bytes and self.tail.size:
            self._rotate()
        base, size, end = self.tail
        try:
            written = 0
            while written < len(encoded):
                written += os.write(self._file, encoded[written:] if written else encoded)
        except OSError:
            os.ftruncate(self._file, size)
            raise
        self.tail = Tail(base, size + len(encoded), end + 1)
        self._dirty = True

    def unsynced(self) -> int | None:
        """A new descriptor to fsync and close outside the log's lock; None: all is durable."""
        if not self._dirty:
            return None
        self._dirty = False
        return os.dup(self._file)

    def close(self) -> None:
        os.close(self._file)

    def _open(self, base: int) -> None:
        self._file = os.open(self.path(base), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        sync_folder(self.folder)
        self.tail = Tail(base, 0, base)
        if base not in self.bases:
            self.bases = (*self.bases, base)
        self._dirty = False

    def _recover(self) -> None:
        base = self.tail.base
        whole = count = 0
        for _, size in frame.bodies(self.path(base).read_bytes()):
            whole += size
            count += 1
        torn = os.fstat(self._file).st_size - whole
        if torn:
            _log.warning("%s: %d bytes after a torn write cut off", self.path(base), torn)
            os.ftruncate(self._file, whole)
            os.fsync(self._file)
        self.tail = Tail(base, whole, base + count)

    def _rotate(self) -> None:
        os.fsync(self._file)
        os.close(self._file)
        self._open(self.tail.end)
        self._expire()

    def _expire(self) -> None:
        """Delete closed segments whose last append is past the retention."""
        if self._retention_us is None:
            return
        oldest_s = time.time() - self._retention_us / 1e6
        while len(self.bases) > 1 and self.path(self.bases[0]).stat().st_mtime < oldest_s:
            expired, *kept = self.bases
            self.bases = tuple(kept)
            self.path(expired).unlink()


class Cursor:
    """Where one reader stands in one partition. Used from one thread."""

    def __init__(self, topic: str, number: int, partition: Partition, offset: int) -> None:
        """At `offset`, or the nearest that exists: after the oldest deleted, before the end."""
        self.place = (topic, number)
        self.offset = min(max(offset, partition.bases[0]), partition.tail.end)
        self._partition = partition
        self._file: int | None = None
        self._base = self._at = 0
        self._bodies: Iterator[tuple[memoryview, int]] = iter(())
        self._enter(self.offset)

    @property
    def behind(self) -> int:
        """Messages from here to the end as of now."""
        return self._partition.tail.end - self.offset

    def next(self) -> Message | None:
        """The next message; None at the end. Raises Unavailable when it cannot be read."""
        found = next(self._bodies, None)
        if found is None:
            if not self.behind:
                return None
            try:
                self._bodies = self._read()
            except OSError as error:
                raise Unavailable(f"{self._partition.folder}: {error}") from error
            found = next(self._bodies)
        body, size = found
        appended_us, headers, key, value = frame.decode(body)
        message = Message(*self.place, self.offset, key, value, headers, appended_us)
        self.offset += 1
        self._at += size
        return message

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _enter(self, offset: int) -> None:
        """Open the segment that holds `offset`, or the oldest one, and stand at its frame."""
        bases = self._partition.bases
        base = bases[max(bisect_right(bases, offset) - 1, 0)]
        if base > offset:
            _log.warning("%s: offsets %d to %d were deleted unread", self.place, offset, base - 1)
        file = os.open(self._partition.path(base), os.O_RDONLY)
        self.close()
        self._file, self._base, self._at, self.offset = file, base, 0, base
        self._bodies = iter(())
        while self.offset < offset:
            self.next()

    def _read(self) -> Iterator[tuple[memoryview, int]]:
        """Bodies from here on, at least one; the caller knows that there is one."""
        if self._segment_end() == self._at:
            self._enter(self.offset)
        assert self._file is not None
        left = self._segment_end() - self._at
        for most in (_CHUNK_BYTES, frame.MAX_FRAME_BYTES):
            chunk = os.pread(self._file, min(most, left), self._at)
            if next(frame.bodies(chunk), None):
                return frame.bodies(chunk)
        path = self._partition.path(self._base)
        raise Unavailable(f"{path} is damaged at byte {self._at}: offset {self.offset} cannot be read")

    def _segment_end(self) -> int:
        """Bytes of this segment that hold whole messages."""
        assert self._file is not None
        tail = self._partition.tail
        return tail.size if tail.base == self._base else os.fstat(self._file).st_size
