"""What a format module yields: one `Parsed` a record, and the totals the message itself declares."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import msgspec

from schemas.errors import InvalidRecord
from schemas.transaction import Transaction


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
        """The record as it came, whole; cut to the format's bound where its reason says so."""
        source = self.source
        return source if isinstance(source, bytes) else source.raw(self.number)


@dataclass(frozen=True, slots=True)
class Declared:
    """Control totals found inside the message, in units of the records that `parse` yields.

    sum: of the amounts in major units, whatever their currencies. None: not declared.
    """

    count: int | None
    sum: Decimal | None
