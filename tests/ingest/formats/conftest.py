"""Reading bytes with one format, and what a batch comes to in the end."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pytest

from schemas.registry import FeedFormat
from services.ingest.formats import format_named
from services.ingest.formats.parsed import Declared, Parsed, Stated
from services.ingest.normalise import Bad, normalise
from services.ingest.tokens import Tokeniser

LATEST_US = 4_000_000_000_000_000


@dataclass(frozen=True)
class Outcome:
    """A batch after parse and normalise."""

    table: pa.Table
    bad: list[Bad]
    declared: list[Declared]
    records: int
    total: Decimal


class Dribble(io.RawIOBase):
    """A stream whose reads return at most `size` bytes."""

    def __init__(self, content: bytes, size: int) -> None:
        self._content = io.BytesIO(content)
        self._size = size

    def read(self, size: int = -1) -> bytes:
        return self._content.read(self._size if size < 0 else min(size, self._size))


Ingest = Callable[..., Outcome]


@pytest.fixture(scope="session")
def parse() -> Callable[[FeedFormat, bytes], list[Parsed]]:
    """All that a format's parse yields for some bytes, balances left out."""

    def parsed(name: FeedFormat, content: bytes) -> list[Parsed]:
        items = format_named(name).parse(io.BytesIO(content))
        return [item for item in items if not isinstance(item, Stated)]

    return parsed


@pytest.fixture(scope="session")
def ingest() -> Ingest:
    """Parse and normalise bytes, `rows` at a time, read in pieces of `read_size`."""
    tokens = Tokeniser(b"0123456789abcdef")

    def run(name: FeedFormat, content: bytes, rows: int = 8192, read_size: int = 0) -> Outcome:
        stream = Dribble(content, read_size) if read_size else io.BytesIO(content)
        declared: list[Declared] = []

        def records():
            for item in format_named(name).parse(stream):
                if isinstance(item, Declared):
                    declared.append(item)
                elif isinstance(item, Parsed):
                    yield item

        chunks = list(normalise(records(), tokens, LATEST_US, rows))
        batches = [chunk.columns for chunk in chunks]
        return Outcome(
            table=pa.Table.from_batches(batches).unify_dictionaries() if batches else pa.table({}),
            bad=[bad for chunk in chunks for bad in chunk.bad],
            declared=declared,
            records=sum(chunk.records for chunk in chunks),
            total=sum((chunk.total for chunk in chunks), Decimal(0)),
        )

    return run
