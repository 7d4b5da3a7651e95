"""JSON: one object, an array of objects, or one object a line (NDJSON), in schemas.transaction's vocabulary.

What is decided here:

- An amount may be a JSON number: its digits are taken as text and no float is made, so 617.20 is
  exact; a number with an exponent or a sign is refused as such text would be.
- A key given twice is refused, except where the value it overrides is "", which says nothing.
- Unknown keys, NaN, Infinity, text that is not UTF-8 and lone surrogates are refused. A byte order
  mark at the start is skipped.
- A bad element of an array is one bad record. An array that is not closed, that something follows,
  or with a record over MAX_RECORD_BYTES is a MalformedBatch: nothing says where its records end.
- A bad line of NDJSON is one bad record, however long it is. Blank lines are none.

A block of the stream is decoded at a stroke; only where that fails are its records taken one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, count, repeat
from typing import BinaryIO, Final

import msgspec

from schemas.errors import InvalidRecord, MalformedBatch
from schemas.registry import FeedFormat
from schemas.transaction import Transaction
from services.ingest.formats import json_elements, json_record
from services.ingest.formats.blocks import (
    BLOCK,
    BOM,
    MAX_RECORD_BYTES,
    LongLine,
    blocks,
    line_groups,
    read_block,
)
from services.ingest.formats.json_record import NOT_DECODABLE, names_each_key_once
from services.ingest.formats.parsed import Item, Parsed

NAME: Final = FeedFormat.json
MEDIA_TYPES: Final = ("application/json", "application/x-ndjson", "application/jsonl")

_BLANKS = b" \t\r\n"
_AFTER_ELEMENT = re.compile(rb"\}[ \t\r\n]*,")

_record = msgspec.json.Decoder(Transaction).decode
_records = msgspec.json.Decoder(list[Transaction]).decode


def parse(stream: BinaryIO) -> Iterator[Item]:
    """See services.ingest.formats. A stream that starts with neither "{" nor "[" is malformed, unless
    it is one JSON value: then that is its one, bad, record."""
    block = read_block(stream)
    head = block.removeprefix(BOM).lstrip(_BLANKS)
    if head.startswith(b"["):
        yield from _array(head[1:], stream)
    elif len(block) < BLOCK and json_record.is_json(head):
        yield json_record.parsed(1, head.rstrip(_BLANKS))
    elif head.startswith(b"{"):
        yield from _lines(chain([head], blocks(stream)))
    else:
        raise MalformedBatch(f"not JSON: it starts with {head[:20]!r}" if head else "not JSON: it is empty")


def _lines(text: Iterable[bytes]) -> Iterator[Parsed]:
    number = 1
    for lines in line_groups(text):
        if isinstance(lines, LongLine):
            records = [Parsed(number, lines.kept, InvalidRecord("", lines.reason))]
        else:
            records = _of_lines(number, lines)
        yield from records
        number += len(records)


def _of_lines(number: int, lines: Sequence[bytes]) -> list[Parsed]:
    """The records in `lines`, numbered from `number`."""
    try:
        values = list(map(_record, lines))
        if names_each_key_once(b"[" + b",".join(lines) + b"]", values):
            return list(map(Parsed, count(number), lines, values))
    except NOT_DECODABLE:
        pass
    written = (line for line in lines if line.strip(_BLANKS))
    return list(map(json_record.parsed, count(number), written))


class _ArrayText:
    """The Source of records decoded from one array text: splits it when a first record is asked for."""

    def __init__(self, first: int, text: bytes) -> None:
        self._first = first
        self._text = text

    @cached_property
    def _elements(self) -> list[bytes]:
        return json_elements.split(self._text[1:], first=True, final=True).elements

    def raw(self, number: int) -> bytes:
        return self._elements[number - self._first]


def _array(text: bytes, stream: BinaryIO) -> Iterator[Parsed]:
    """The records of an array; `text` follows its "["."""
    number = 1
    while True:
        block = read_block(stream)
        records, rest, closed = _of_elements(number, text, final=not block)
        yield from records
        number += len(records)
        if closed:
            _refuse_anything(chain([rest, block], blocks(stream)))
            return
        if not block:
            raise MalformedBatch(f"not JSON: the array is not closed after {number - 1} records")
        if len(rest) > MAX_RECORD_BYTES:
            raise MalformedBatch(f"record {number}: longer than {MAX_RECORD_BYTES} bytes, or not closed")
        text = rest + block


def _of_elements(number: int, text: bytes, final: bool) -> tuple[list[Parsed], bytes, bool]:
    """The records of the whole elements at the start of `text`, the rest, and whether the array closed."""
    end, rest = (len(text), b"") if final else _cut(text)
    array = b"[%b" % text if final else b"[%b]" % text[:end]
    try:
        values = _records(array) if end else []
        sound = bool(values) and names_each_key_once(array, values)
    except NOT_DECODABLE:
        sound = False
    if sound:
        source = _ArrayText(number, array)
        return list(map(Parsed, count(number), repeat(source), values)), rest, final
    split = json_elements.split(text, first=number == 1, final=final)
    return list(map(json_record.parsed, count(number), split.elements)), split.rest, split.closed


def _cut(text: bytes) -> tuple[int, bytes]:
    """Where the last whole element of `text` seems to end, and what follows its comma; 0 where none is
    seen. A wrong guess, inside a string or a nested object, does no harm: what is before it is then
    no array."""
    end = text.rfind(b"}")
    after = _AFTER_ELEMENT.match(text, end) if end >= 0 else None
    if after is None and end > 0:
        end = text.rfind(b"}", 0, end)
        after = _AFTER_ELEMENT.match(text, end) if end >= 0 else None
    return (end + 1, text[after.end() :]) if after else (0, text)


def _refuse_anything(text: Iterable[bytes]) -> None:
    for block in text:
        if junk := block.strip(_BLANKS):
            raise MalformedBatch(f"not JSON: {junk[:20]!r} follows the array")
