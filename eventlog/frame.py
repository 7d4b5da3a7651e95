"""One message as bytes on disk: a length, a CRC-32, then time, headers, key and value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Final
from zlib import crc32

from schemas.errors import BatchTooLarge
from schemas.topics import MAX_MESSAGE_BYTES

_FRAME: Final = Struct("<II")  # bytes of the body, its CRC-32
_BODY: Final = Struct("<qHI")  # append time in microseconds, number of headers, bytes of the key
_HEADER: Final = Struct("<HI")  # bytes of the name, of the value

MAX_FRAME_BYTES: Final = _FRAME.size + _BODY.size + MAX_MESSAGE_BYTES


def encode(key: bytes, value: bytes, headers: Mapping[str, bytes], appended_us: int) -> bytes:
    """Raises BatchTooLarge when key, value and headers together are over MAX_MESSAGE_BYTES."""
    parts = [_BODY.pack(appended_us, len(headers), len(key))]
    for name, content in headers.items():
        encoded = name.encode()
        parts += _HEADER.pack(len(encoded), len(content)), encoded, content
    body = b"".join((*parts, key, value))
    if len(body) > _BODY.size + MAX_MESSAGE_BYTES:
        raise BatchTooLarge(f"a message of {len(body)} bytes; the bound is {MAX_MESSAGE_BYTES}")
    return _FRAME.pack(len(body), crc32(body)) + body


def decode(body: memoryview) -> tuple[int, dict[str, bytes], bytes, bytes]:
    """(append time in microseconds, headers, key, value) of an intact body."""
    appended_us, count, key_bytes = _BODY.unpack_from(body)
    at = _BODY.size
    headers = {}
    for _ in range(count):
        name_bytes, content_bytes = _HEADER.unpack_from(body, at)
        at += _HEADER.size
        name = str(body[at : at + name_bytes], "utf-8")
        at += name_bytes
        headers[name] = bytes(body[at : at + content_bytes])
        at += content_bytes
    return appended_us, headers, bytes(body[at : at + key_bytes]), bytes(body[at + key_bytes :])


def bodies(chunk: bytes) -> Iterator[tuple[memoryview, int]]:
    """Each intact body from the chunk's start, with the bytes its frame takes.

    Stops at the first frame that is cut short or fails its CRC.
    """
    view = memoryview(chunk)
    at = 0
    while at + _FRAME.size <= len(view):
        size, checksum = _FRAME.unpack_from(view, at)
        body = view[at + _FRAME.size : at + _FRAME.size + size]
        if len(body) < size or crc32(body) != checksum:
            return
        yield body, _FRAME.size + size
        at += _FRAME.size + size
