"""One transaction in JSON: its fields, or what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np

from schemas.errors import InvalidRecord
from schemas.transaction import Transaction
from services.ingest.formats.parsed import Parsed, field_error, readable_amount

_record = msgspec.json.Decoder(Transaction).decode
_anything = msgspec.json.Decoder().decode
_string = msgspec.json.Decoder(str).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

NOT_DECODABLE: Final = (ValueError, RecursionError)
"""What decoding raises: msgspec's DecodeError and ValidationError and UnicodeDecodeError are ValueErrors."""


_NUMBER = (b"-", *(b"%d" % digit for digit in range(10)))


def parsed(number: int, raw: bytes) -> Parsed:
    """The record in `raw`."""
    try:
        value = _record(raw)
        refuse_repeated_keys(raw)
    except NOT_DECODABLE:
        return _explained(number, raw)
    except InvalidRecord as error:
        return Parsed(number, raw, error, value.tx_id, readable_amount(value.amount))
    return Parsed(number, raw, value)


def is_json(text: bytes) -> bool:
    """Whether `text` is one JSON value."""
    return _syntax_error(text) is None


def names_each_key_once(text: bytes, values: Sequence[Transaction]) -> bool:
    """Whether no object in `text`, a JSON array that was decoded into `values`, names a key twice.

    Encoding the values again writes each key that was kept, except those that say "". Without a
    backslash every key and its value are four quotes, so what `text` has more of must all be "".
    """
    if b"\\" not in text:
        quotes, blanks = _quotes_and_blanks(text)
        kept_quotes, kept_blanks = _quotes_and_blanks(msgspec.json.encode(values))
        return quotes - kept_quotes == 4 * (blanks - kept_blanks)
    try:
        refuse_repeated_keys(text)
    except InvalidRecord:
        return False
    return True


def _quotes_and_blanks(text: bytes) -> tuple[int, int]:
    """How often `text` has a quote, and how often two in a row."""
    quotes = np.frombuffer(text, np.uint8) == ord('"')
    return int(np.count_nonzero(quotes)), int(np.count_nonzero(quotes[1:] & quotes[:-1]))


def refuse_repeated_keys(text: bytes) -> None:
    """Raises InvalidRecord when an object in the JSON `text` names a key twice. "" as its first value
    does not count: it says nothing."""
    json.loads(text.decode(), object_pairs_hook=_once, parse_int=str, parse_float=str)


def _once(pairs: list[tuple[str, Any]]) -> None:
    said = set()
    for key, value in pairs:
        if key in said:
            raise InvalidRecord(key, "the key is given twice")
        if value != "":
            said.add(key)


def _explained(number: int, raw: bytes) -> Parsed:
    """The record again, slowly: an amount that is a number is read, anything else wrong is named."""
    if reason := _syntax_error(raw):
        return Parsed(number, raw, InvalidRecord("", reason))
    tx_id: str = ""
    amount: Decimal | None = None
    try:
        refuse_repeated_keys(raw)
        fields = _fields(raw)
        if (digits := bytes(fields.get("amount", b""))).startswith(_NUMBER):
            fields["amount"] = msgspec.Raw(b'"%b"' % digits)
        tx_id, amount = _text(fields.get("tx_id")), readable_amount(_text(fields.get("amount")))
        return Parsed(number, raw, _record(msgspec.json.encode(fields)))
    except msgspec.ValidationError as error:
        return Parsed(number, raw, field_error(error), tx_id, amount)
    except InvalidRecord as error:
        return Parsed(number, raw, error, tx_id, amount)


def _text(raw: msgspec.Raw | None) -> str:
    """The text in `raw`; "" for anything else."""
    text = b"" if raw is None else bytes(raw)
    return _string(text) if text.startswith(b'"') else ""


def _syntax_error(text: bytes) -> str | None:
    try:
        _anything(text)
    except UnicodeDecodeError as error:
        return f"not UTF-8: {error.reason}"
    except msgspec.ValidationError:
        return None  # a number too large for Python's types, which is JSON all the same
    except msgspec.DecodeError as error:
        return f"not JSON: {str(error).removeprefix('JSON is malformed: ')}"
    except RecursionError:
        return "not JSON that can be read: nested too deeply"
    return None
