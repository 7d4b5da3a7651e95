"""Parsed records become columnar batches: checked field by field, money in minor units, accounts as tokens.

Records are checked a few thousand at a time, column by column. Only where a column does not pass as
a whole are its records checked one by one, to name each bad one with its field and reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa

from services.ingest.formats.parsed import Parsed
from services.ingest.tokens import Tokeniser


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that was not let in. number 0: the batch as a whole; field "": the whole record."""

    number: int
    tx_id: str
    field: str
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Normalised:
    """Some consecutive records of one batch.

    columns  the good ones, schemas.batch.SCHEMA, in the order sent; may have no row
    bad      the others, in the order sent
    records  how many there were, good and bad
    total    sum of the amounts in major units over ALL records whose amount can be read, bad ones
             included: what the bank's control sum is compared with
    first_us, last_us  smallest and largest ts of the good rows; None when there is none
    """

    columns: pa.RecordBatch
    bad: tuple[Bad, ...]
    records: int
    total: Decimal
    first_us: int | None
    last_us: int | None


def normalise(
    parsed: Iterable[Parsed], tokens: Tokeniser, latest_us: int, rows: int = 8192
) -> Iterator[Normalised]:
    """Good and bad records of one batch, `rows` at a time. A ts after `latest_us` is invalid.

    Holds one chunk of records and what it needs to tell a repeated tx_id. Lets the MalformedBatch
    of `parsed` through and raises nothing else.
    """
    raise NotImplementedError
