"""Reading a stream in blocks of fixed size, however little each read of it returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

BLOCK: Final = 1 << 20

BOM: Final = b"\xef\xbb\xbf"


def blocks(stream: BinaryIO, size: int = BLOCK) -> Iterator[bytes]:
    """The stream in blocks of exactly `size` bytes, the last one shorter but not empty."""
    while block := read_block(stream, size):
        yield block


def read_block(stream: BinaryIO, size: int = BLOCK) -> bytes:
    """The next `size` bytes, fewer only at the end of the stream."""
    block = stream.read(size)
    if len(block) == size or not block:
        return block
    parts = [block]
    missing = size - len(block)
    while missing and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
