"""Parsed records become columnar batches: checked field by field, money in minor units, accounts as tokens.

Records are checked some thousands at a time, column by column. Only where a column does not pass as
a whole are its records checked one by one, to name each bad one with its field and reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Final, cast

import pyarrow as pa

from schemas.errors import InvalidRecord
from schemas.transaction import Transaction
from services.ingest.columns import check, columns_of
from services.ingest.formats.parsed import Parsed, readable_amount
from services.ingest.repeats import SeenIds
from services.ingest.tokens import Tokeniser

MAX_ROWS: Final = 32_767
"""Bound of `rows`: what the int16 codes of a columnar batch can tell apart."""


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
    """Good and bad records of one batch, `rows` (≤ MAX_ROWS) at a time. A ts after `latest_us` is invalid,
    and so is a tx_id that came before in the batch.

    Holds one chunk of records and what tells a repeated tx_id. Lets MalformedBatch of `parsed`
    through and raises nothing else.
    """
    if not 0 < rows <= MAX_ROWS:
        raise ValueError(f"rows is {rows}; it must be within 1 and {MAX_ROWS}")
    seen = SeenIds()
    records = iter(parsed)
    while chunk := list(islice(records, rows)):
        yield _normalised(chunk, seen, tokens, latest_us)


def _normalised(chunk: Sequence[Parsed], seen: SeenIds, tokens: Tokeniser, latest_us: int) -> Normalised:
    try:
        values = _transactions(chunk)
        ids = [value.tx_id for value in values]
        if len(set(ids)) < len(ids) or seen.before(ids):
            raise InvalidRecord("tx_id", "came before in this batch")
        columns, total = columns_of(values, tokens, latest_us)
        bad: tuple[Bad, ...] = ()
    except InvalidRecord:
        good, bad = _sorted_out(chunk, seen, latest_us)
        values = _transactions(good)
        ids = [value.tx_id for value in values]
        columns = columns_of(values, tokens, latest_us)[0]
        total = sum((amount for record in chunk if (amount := _amount(record)) is not None), Decimal(0))
    seen.add(ids)
    times = columns.column("ts_us").to_numpy()
    first_us, last_us = (int(times.min()), int(times.max())) if len(times) else (None, None)
    return Normalised(columns, bad, len(chunk), total, first_us, last_us)


def _transactions(records: Sequence[Parsed]) -> list[Transaction]:
    """Their values. Raises InvalidRecord when one has none."""
    values = [record.value for record in records]
    if not {Transaction}.issuperset(map(type, values)):
        raise next(value for value in values if isinstance(value, InvalidRecord))
    return cast("list[Transaction]", values)


def _amount(record: Parsed) -> Decimal | None:
    value = record.value
    return record.amount if isinstance(value, InvalidRecord) else readable_amount(value.amount)


def _sorted_out(
    chunk: Sequence[Parsed], seen: SeenIds, latest_us: int
) -> tuple[list[Parsed], tuple[Bad, ...]]:
    """The good records and the bad ones, each in the order sent."""
    good: list[Parsed] = []
    bad: list[Bad] = []
    repeated = seen.before([_tx_id(record) for record in chunk])
    for record in chunk:
        tx_id = _tx_id(record)
        try:
            check(_transactions([record])[0], latest_us)
            if tx_id in repeated:
                raise InvalidRecord("tx_id", "came before in this batch")
        except InvalidRecord as error:
            bad.append(Bad(record.number, tx_id, error.field, error.reason, record.raw))
        else:
            repeated.add(tx_id)
            good.append(record)
    return good, tuple(bad)


def _tx_id(record: Parsed) -> str:
    return record.tx_id if isinstance(record.value, InvalidRecord) else record.value.tx_id
