"""Reading a stream in blocks and lines that do not depend on how much each of its reads returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

BLOCK: Final = 1 << 18  # decoded at a stroke, so small enough for the processor's cache

BOM: Final = b"\xef\xbb\xbf"

MAX_RECORD_BYTES: Final = 1 << 20
"""Bound of one record in any format; of a longer one the first KEPT_BYTES are kept."""

KEPT_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line over MAX_RECORD_BYTES."""

    kept: bytes
    reason: str = f"longer than {MAX_RECORD_BYTES} bytes; the first {KEPT_BYTES} are kept"


def blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream in blocks of BLOCK bytes, the last one shorter but not empty."""
    while block := read_block(stream):
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


def line_groups(text: Iterable[bytes]) -> Iterator[list[bytes] | LongLine]:
    """The lines of `text` without their LF, as many at a time as a block ends."""
    carry = b""
    skipping = False  # the rest of a long line
    for block in text:
        *lines, carry = (carry + block).split(b"\n")
        if skipping and lines:
            lines = lines[1:]
            skipping = False
        if lines:
            yield lines
        if skipping:
            carry = b""
        elif len(carry) > MAX_RECORD_BYTES:
            yield LongLine(carry[:KEPT_BYTES])
            skipping, carry = True, b""
    if carry:
        yield [carry]


def lines(text: Iterable[bytes]) -> Iterator[bytes | LongLine]:
    """The lines of `text` without their LF."""
    return chain.from_iterable(
        [group] if isinstance(group, LongLine) else group for group in line_groups(text)
    )
