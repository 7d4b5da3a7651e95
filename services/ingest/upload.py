"""Request bodies into Body: off the event loop, bounded in size, number and patience."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from schemas.errors import BatchTooLarge, Unavailable
from services.ingest.body import Body
from services.ingest.choice import UnknownFormat
from services.ingest.problem import Stalled

STALL_SECONDS: Final = 60
"""How long a caller may send nothing before its place is given to another."""

_WRITE_BYTES: Final = 1 << 20


class Places:
    """How many bodies are taken at once. The next caller is told to come back."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = BoundedSemaphore(count)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises Unavailable at once when all are taken."""
        if not self._free.acquire(blocking=False):
            raise Unavailable(f"{self._count} batches are being taken, which is the bound; try again shortly")
        try:
            yield
        finally:
            self._free.release()


async def receive_body(request: Request, body: Body, max_bytes: int) -> None:
    """Write the request's body to `body`. Raises BatchTooLarge, before reading where the length is
    declared; Stalled; UnknownFormat for a compressed one; starlette's ClientDisconnect."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise UnknownFormat(f"Content-Encoding {encoding!r}: send the batch uncompressed")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise BatchTooLarge(f"{length} bytes; the bound is {max_bytes}")
    stream, held = aiter(request.stream()), bytearray()
    while True:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Stalled(f"nothing came for {STALL_SECONDS} s after {body.size + len(held)} bytes") from None
        held += chunk or b""
        if chunk is None or len(held) >= _WRITE_BYTES:
            await run_in_threadpool(body.write, bytes(held))
            held.clear()
        if chunk is None:
            return
