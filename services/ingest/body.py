"""The bytes of one batch on their way in: digested, bounded, and kept until the receipt is out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedRandom, BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final, Self

from schemas.errors import BatchTooLarge, Unavailable

MEMORY_BYTES: Final = 1 << 20
"""A body is held in memory up to here, and in an unlinked temporary file beyond."""

_CHUNK_BYTES: Final = 1 << 20


@contextmanager
def temporary_files() -> Iterator[None]:
    """What the disk refuses, as Unavailable: it may have room again later."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"temporary files: {error}") from error


class Body:
    """Written once, then read as often as needed. Writes and reads block. Used by one thread at a time.

    `folder` is where the temporary file is made; None: the system's own place.
    """

    def __init__(self, max_bytes: int, folder: Path | None = None) -> None:
        self.size = 0
        self._max_bytes = max_bytes
        self._folder = folder
        self._digest = sha256()
        self._memory = bytearray()
        self._file: BufferedRandom | None = None

    @classmethod
    def of(cls, source: bytes | BinaryIO, max_bytes: int, folder: Path | None = None) -> Self:
        """All that `source` holds. Raises as `write`."""
        body = cls(max_bytes, folder)
        stream = BytesIO(source) if isinstance(source, bytes) else source
        while chunk := stream.read(_CHUNK_BYTES):
            body.write(chunk)
        return body

    def write(self, data: bytes) -> None:
        """Raises BatchTooLarge, naming the bound, and Unavailable when the disk does not take it."""
        self.size += len(data)
        if self.size > self._max_bytes:
            self.close()
            raise BatchTooLarge(f"a batch may have {self._max_bytes} bytes; this one has more")
        self._digest.update(data)
        with temporary_files():
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)
        elif self.size <= MEMORY_BYTES:
            self._memory += data
        else:
            self._file = TemporaryFile(dir=self._folder)  # noqa: SIM115 - see close()
            self._file.write(self._memory)
            self._file.write(data)
            self._memory.clear()

    @property
    def digest(self) -> str:
        """SHA-256 of what was written, in hex."""
        return self._digest.hexdigest()

    def open(self) -> BinaryIO:
        """A reader from the first byte, the only one at its time; closing it leaves the body be."""
        if self._file is None:
            return BytesIO(self._memory)
        self._file.flush()
        reader = os.fdopen(os.dup(self._file.fileno()), "rb")
        reader.seek(0)
        return reader

    def head(self, size: int) -> bytes:
        with self.open() as reader:
            return reader.read(size)

    def close(self) -> None:
        """Free the memory or file. Idempotent."""
        self._memory.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
