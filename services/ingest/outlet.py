"""The one place where ingest appends to the log.

A flush tells only that some append failed, not whose. So whoever appends holds the outlet from its
first append to its flush, and what another appended can neither spoil nor vouch for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from threading import Lock
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from eventlog.log import Log
from registry import Registry
from schemas.balance import BALANCES as BALANCE_RECORDS
from schemas.balance import Balance
from schemas.batch import SCHEMA, BatchId, TransferBatch, encode
from schemas.errors import Unavailable
from schemas.feed import Receipt
from schemas.registry import RegistryRecord, version_key
from schemas.topics import (
    BALANCES,
    KIND_HEADER,
    RECEIPTS,
    REGISTRY,
    REGISTRY_TOPIC,
    REJECTS,
    TRANSACTIONS,
    TRANSFERS,
)
from services.ingest.ledger import key_of
from services.ingest.partition import Router
from services.ingest.rejects import KeyedReject

PART_BYTES: Final = 4 << 20
"""Bound of one part's columns, well under topics.MAX_MESSAGE_BYTES."""

MESSAGE_BALANCES: Final = 5_000
"""About a megabyte: a statement has some 200 bytes."""


class Outlet:
    """Hold it (`with outlet:`) from the first append to the flush. Append and flush block."""

    def __init__(self, log: Log, registry: Registry) -> None:
        self._log = log
        self._registry = registry
        self._router = Router(log.partitions(TRANSACTIONS), registry.institutions_touching)
        self._lock = Lock()

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is not None:  # what is left of it must not fail the next holder's flush
                with suppress(Unavailable):
                    self._log.flush()
        finally:
            self._lock.release()

    def transfers(self, feed_id: str, batch_id: str, rows: Iterable[pa.RecordBatch]) -> None:
        """Parts are cut and numbered by the rows alone, so a batch read twice has the same parts."""
        parts = (part for chunk in rows for part in parts_of(chunk))
        for number, part in enumerate(parts):
            for partition, columns in self._router.route(part, self._registry.revision):
                message = encode(TransferBatch(BatchId(feed_id, batch_id, number), columns))
                headers = {KIND_HEADER: TRANSFERS}
                self._log.append(TRANSACTIONS, feed_id.encode(), message, headers, partition)

    def balances(self, feed_id: str, balances: Sequence[Balance]) -> None:
        """To the partitions of each account's institutions, in their order."""
        parts: dict[int, list[Balance]] = {}
        for balance in balances:
            for partition in self._router.partitions_of(bytes.fromhex(balance.account_id)):
                parts.setdefault(partition, []).append(balance)
        for partition, part in sorted(parts.items()):
            for start in range(0, len(part), MESSAGE_BALANCES):
                message = BALANCE_RECORDS.dump_json(part[start : start + MESSAGE_BALANCES])
                self._log.append(TRANSACTIONS, feed_id.encode(), message, {KIND_HEADER: BALANCES}, partition)

    def rejects(self, rejects: Iterable[KeyedReject]) -> None:
        for reject_id, reject_json in rejects:
            self._log.append(REJECTS, reject_id, reject_json)

    def receipt(self, receipt: Receipt) -> None:
        self._log.append(RECEIPTS, key_of(receipt), receipt.model_dump_json().encode())

    def registry_changes(self, records: Sequence[bytes]) -> None:
        """To every partition of the transfers, so that each detector meets them in the log's order."""
        changes = b"[" + b",".join(records) + b"]"
        for partition in range(self._router.partitions):
            self._log.append(TRANSACTIONS, b"registry", changes, {KIND_HEADER: REGISTRY}, partition)

    def registry_record(self, record: RegistryRecord, record_json: bytes) -> None:
        self._log.append(REGISTRY_TOPIC, version_key(record).encode(), record_json)

    def flush(self) -> None:
        """Block until what was appended is durable. Raises Unavailable when any of it is not."""
        self._log.flush()


def parts_of(columns: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """`columns` in pieces of PART_BYTES or less, whose dictionaries hold only what they use."""
    if columns.nbytes <= PART_BYTES or columns.num_rows == 1:
        yield columns
        return
    half = columns.num_rows // 2
    for piece in (columns.slice(0, half), columns.slice(half)):
        yield from parts_of(_compact(piece))


def _compact(columns: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with dictionaries of their own."""
    arrays = [
        column.dictionary_decode().dictionary_encode().cast(field.type)
        if pa.types.is_dictionary(field.type)
        else column
        for field, column in zip(SCHEMA, columns.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
