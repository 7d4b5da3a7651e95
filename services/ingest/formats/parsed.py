"""What a format module yields: one `Parsed` a record, the balances stated besides, the totals declared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import msgspec

from schemas.errors import InvalidRecord
from schemas.transaction import Transaction

_DECIMAL = re.compile(r"\d{1,19}(?:\.\d{0,20})?", re.ASCII)
_PATH = re.compile(r"(.*) - at `\$\.?(?P<path>.*)`", re.DOTALL)
_NAMED_FIELD = re.compile(r"Object (?:missing required|contains unknown) field `(?P<field>.*)`", re.DOTALL)


class Source(Protocol):
    """Where the bytes of records decoded many at a time can be found again."""

    def raw(self, number: int) -> bytes:
        """The record `number` of the batch, as it came."""


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """One record of a batch: Parsed(number, raw, value).

    number  1-based within the batch; 0: the batch as a whole
    value   the transaction, or why there is none
    tx_id, amount  of an invalid record, where they could be read all the same: the id for its
            reject, the amount (major units) for the control sum, in which the bank counted it
    """

    number: int
    source: bytes | Source
    value: Transaction | InvalidRecord
    tx_id: str = ""
    amount: Decimal | None = None

    @property
    def raw(self) -> bytes:
        """The record as it came, whole, or its start where its reason says so."""
        source = self.source
        return source if isinstance(source, bytes) else source.raw(self.number)


class Stated(msgspec.Struct, frozen=True, gc=False):
    """A balance that a message states besides its records; the fields are those of a balances file
    (services.ingest.statements), as text."""

    raw: bytes
    account: str
    as_of: str
    kind: str
    balance: str
    currency: str


@dataclass(frozen=True, slots=True)
class Declared:
    """Control totals found inside the message, in units of the records that `parse` yields.

    sum: of the amounts in major units, whatever their currencies. None: not declared.
    """

    count: int | None
    sum: Decimal | None


Item = Parsed | Stated | Declared


def readable_amount(text: str) -> Decimal | None:
    """The amount that `text` states in major units, if it is a plain unsigned decimal."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def from_fields(number: int, raw: bytes, fields: Mapping[str, str]) -> Parsed:
    """A record read as text fields by name; invalid where Transaction's names or lengths are not met."""
    try:
        return Parsed(number, raw, msgspec.convert(fields, Transaction))
    except msgspec.ValidationError as error:
        amount = readable_amount(fields.get("amount", ""))
        return Parsed(number, raw, field_error(error), fields.get("tx_id", ""), amount)


def field_error(error: msgspec.ValidationError) -> InvalidRecord:
    """msgspec's complaint with the field it is about."""
    message = str(error)
    if named := _NAMED_FIELD.match(message):
        return InvalidRecord(named["field"], message)
    if located := _PATH.fullmatch(message):
        return InvalidRecord(located["path"], located[1])
    return InvalidRecord("", message)
