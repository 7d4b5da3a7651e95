"""CSV (RFC 4180): a header of schemas.transaction's field names in any order, then a record a row.

What is decided here:

- A column that is not a field, a field twice, or a required field that is missing is a
  MalformedBatch: a misspelt column must not be dropped unseen. Names are taken exactly.
- Fields may be quoted and then hold commas, doubled quotes and line breaks. A quote anywhere else is
  refused. Rows end with LF or CRLF; blank rows are none. A byte order mark is skipped.
- A row that is ragged, badly quoted, not UTF-8 or over MAX_RECORD_BYTES is one bad record. A quote
  that is not closed makes one bad record of the rows up to the bound of a field (csv.field_size_limit,
  128 KiB); reading goes on after them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

from schemas.errors import InvalidRecord, MalformedBatch
from schemas.registry import FeedFormat
from schemas.transaction import FIELDS, REQUIRED
from services.ingest.formats.blocks import BOM, MAX_RECORD_BYTES, LongLine, blocks, lines, read_block
from services.ingest.formats.parsed import Item, Parsed, from_fields

NAME: Final = FeedFormat.csv
MEDIA_TYPES: Final = ("text/csv", "application/csv")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its fields, or why it has none, and its bytes."""

    fields: tuple[str, ...]
    raw: bytes
    error: str = ""


def parse(stream: BinaryIO) -> Iterator[Item]:
    """See services.ingest.formats."""
    read = rows(stream)
    header = next(read, None)
    if header is None:
        raise MalformedBatch("not CSV: it is empty")
    _check_header(header)
    for number, row in enumerate(read, 1):
        yield _parsed(number, header.fields, row)


def rows(stream: BinaryIO) -> Iterator[Row]:
    """The rows of a CSV stream, blank ones left out."""
    taken = _Lines(stream)
    reader = csv.reader(taken, strict=True)
    while True:
        fields: tuple[str, ...] = ()
        try:
            fields = tuple(next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            taken.error = taken.error or f"not CSV: {error}"
        row = taken.row(fields)
        if row.fields or row.error:
            yield row


class _Lines:
    """The lines of a stream for csv.reader. Keeps those of the current row, and what is wrong with them."""

    def __init__(self, stream: BinaryIO) -> None:
        head = read_block(stream).removeprefix(BOM)
        self._lines = lines(chain([head], blocks(stream)))
        self._taken: list[bytes] = []
        self._size = 0
        self.error = ""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._size > MAX_RECORD_BYTES:
            raise csv.Error(f"row longer than {MAX_RECORD_BYTES} bytes")
        line = next(self._lines)
        self._size += 0 if isinstance(line, LongLine) else len(line) + 1
        if isinstance(line, LongLine):
            self._taken.append(line.kept)
            self.error = line.reason
            return "\n"
        self._taken.append(line)
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError as error:
            self.error = f"not UTF-8: {error.reason}"
            return line.decode("utf-8", "replace") + "\n"

    def row(self, fields: tuple[str, ...]) -> Row:
        """The current row; starts the next one."""
        row = Row(fields, b"\n".join(self._taken), self.error)
        self._taken, self._size, self.error = [], 0, ""
        return row


def _check_header(header: Row) -> None:
    """Raises MalformedBatch unless each required field is there, each once, and nothing else is."""
    names = header.fields
    if header.error:
        raise MalformedBatch(f"the header is {header.error}")
    for name in names:
        if name not in FIELDS:
            raise MalformedBatch(f"column {name[:40]!r} is not one of {', '.join(FIELDS)}")
        if names.count(name) > 1:
            raise MalformedBatch(f"column {name!r} is there {names.count(name)} times")
    if missing := [name for name in REQUIRED if name not in names]:
        raise MalformedBatch(f"column {missing[0]!r} is missing from the header")


def _parsed(number: int, names: tuple[str, ...], row: Row) -> Parsed:
    error = row.error
    if not error and len(row.fields) != len(names):
        error = f"{len(row.fields)} fields; the header has {len(names)}"
    if error:
        return Parsed(number, row.raw, InvalidRecord("", error))
    return from_fields(number, row.raw, dict(zip(names, row.fields, strict=True)))
