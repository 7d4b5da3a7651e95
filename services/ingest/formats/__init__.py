"""Feed formats: one module each, all of one shape.

    NAME: FeedFormat
    MEDIA_TYPES: tuple[str, ...]
    def parse(stream: BinaryIO) -> Iterator[Item]

`parse` is lazy and reads the stream once, in bounded memory. It raises MalformedBatch, at whatever
point it finds out, for a stream that cannot be read as its format; a single bad record is yielded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import BinaryIO, Final, Protocol

from schemas.registry import FeedFormat
from services.ingest.formats import camt053, camt054, csv, json, pacs008
from services.ingest.formats.blocks import BOM
from services.ingest.formats.parsed import Item


class Format(Protocol):
    """What a format module is."""

    @property
    def NAME(self) -> FeedFormat: ...  # noqa: N802 - a module's constant

    @property
    def MEDIA_TYPES(self) -> tuple[str, ...]: ...  # noqa: N802 - a module's constant

    def parse(self, stream: BinaryIO) -> Iterator[Item]: ...


FORMATS: Final[tuple[Format, ...]] = (json, csv, camt053, camt054, pacs008)

_MESSAGES: Final = (
    (b"BkToCstmrStmt", FeedFormat.camt053),
    (b"BkToCstmrDbtCdtNtfctn", FeedFormat.camt054),
    (b"FIToFICstmrCdtTrf", FeedFormat.pacs008),
)
_SUFFIXES: Final = {
    ".json": FeedFormat.json,
    ".ndjson": FeedFormat.json,
    ".jsonl": FeedFormat.json,
    ".csv": FeedFormat.csv,
}


def format_named(name: FeedFormat) -> Format:
    return next(module for module in FORMATS if name == module.NAME)


def format_for_media_type(media_type: str) -> FeedFormat | None:
    """The one format of a Content-Type (parameters ignored); None where none or several have it."""
    essence = media_type.partition(";")[0].strip().lower()
    found = [module.NAME for module in FORMATS if essence in module.MEDIA_TYPES]
    return found[0] if len(found) == 1 else None


def guess(first_bytes: bytes, filename: str = "") -> FeedFormat | None:
    """The format of a stream by how it starts (4 KiB are enough), then by its file's name."""
    start = first_bytes.removeprefix(BOM).lstrip()
    if start.startswith(b"<"):
        return next((name for element, name in _MESSAGES if element in start), None)
    if start.startswith((b"{", b"[")):
        return FeedFormat.json
    if b"tx_id" in start.partition(b"\n")[0]:
        return FeedFormat.csv
    return _SUFFIXES.get(PurePath(filename.lower().removesuffix(".gz")).suffix)
