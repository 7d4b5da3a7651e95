"""One batch read to its end before any of it is let on: its rows, its bad records, its totals.

What was read waits in temporary files beyond a few megabytes, so memory does not grow with the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Final, Self

import pyarrow as pa

from schemas.balance import Balance
from schemas.batch import SCHEMA
from schemas.errors import InvalidRecord, MalformedBatch
from schemas.feed import BatchHeader, BatchStatus, Receipt
from schemas.registry import FeedPolicy
from services.ingest.body import Body, temporary_files
from services.ingest.formats import format_named
from services.ingest.formats.parsed import Declared, Item, Parsed, Stated
from services.ingest.normalise import Bad, Normalised, normalise
from services.ingest.rejects import KeyedReject, Origin, reject_id_of, rejects_of, rejects_of_batch
from services.ingest.statements import checked, origin_of
from services.ingest.tokens import Tokeniser
from services.ingest.totals import SILENT, Totals, declared, mismatch, together

MEMORY_BYTES: Final = 8 << 20
"""Rows and bad records are each held in memory up to here."""

MAX_BALANCES: Final = 100_000
"""Bound of the balances stated in one batch, which are held in memory, some 50 MB."""

NAMED_REJECTS: Final = 100
"""How many rejects a receipt names (schemas.feed.Receipt.rejects)."""


class Staged:
    """A batch that was read. `reason`: why it is rejected as a whole; "" when it is not.

    It reads `body` again for the rejects of a batch that is rejected as a whole. Close it when it
    is published or given up.
    """

    def __init__(self, header: BatchHeader, origin: Origin, body: Body, folder: Path | None = None) -> None:
        self.header = header
        self.origin = origin
        self.reason = ""
        self.body = body
        self._totals = Totals()
        self._inside: Declared | None = None
        self._bad = 0
        self._span_us: tuple[int, int] | None = None
        self._named: list[str] = []
        self._rows = _spool(folder)
        self._rejects = _spool(folder)
        self._balances: list[Balance] = []
        self._bad_balances = 0

    def read(self, policy: FeedPolicy, tokens: Tokeniser, latest_us: int) -> None:
        """Parse, check and tokenise the whole body. To be called once. Blocks. Raises Unavailable."""
        with temporary_files(), self.body.open() as stream, pa.ipc.new_stream(self._rows, SCHEMA) as rows:
            items = format_named(self.header.format).parse(stream)
            parsed = self._records(items, tokens, latest_us)
            try:
                for chunk in normalise(parsed, tokens, latest_us):
                    self._take(chunk)
                    rows.write_batch(chunk.columns)
            except MalformedBatch as error:
                self.reason = str(error)
        self.reason = self.reason or self._verdict(policy)

    def receipt(self, gap_before: int) -> Receipt:
        accepted = 0 if self.reason else self._totals.count - self._bad
        first_us, last_us = self._span_us if self._span_us and accepted else (None, None)
        return Receipt(
            feed_id=self.origin.feed_id,
            batch_id=self.origin.batch_id,
            sequence=self.header.sequence,
            digest=self.origin.digest,
            format=self.header.format,
            status=self._status(accepted),
            received_at=self.origin.received_us,
            records=self._totals.count,
            accepted=accepted,
            rejected=self._totals.count - accepted,
            declared=declared(self.header, self._inside or SILENT, self._totals),
            actual=self._totals.shown(),
            first_ts=first_us,
            last_ts=last_us,
            reason=self.reason,
            rejects=self._reject_ids(),
            gap_before=gap_before,
            balances=len(self.balances()),
            balances_rejected=self._bad_balances,
        )

    def rows(self) -> Iterator[pa.RecordBatch]:
        """The good rows, some thousand at a time, in the order sent; none of a rejected batch."""
        if not self.reason:
            self._rows.seek(0)
            with pa.ipc.open_stream(self._rows) as reader:
                yield from reader

    def balances(self) -> Sequence[Balance]:
        """Those stated besides the records, in the order sent; none of a rejected batch."""
        return () if self.reason else self._balances

    def rejects(self) -> Iterator[KeyedReject]:
        """The batch as a whole where it is rejected, then each bad record."""
        if self.reason:
            with self.body.open() as whole:
                yield from rejects_of_batch(self.origin, self.reason, whole)
        self._rejects.seek(0)
        for line in self._rejects:
            reject_id, _, reject_json = line.rstrip(b"\n").partition(b" ")
            yield KeyedReject(reject_id, reject_json)

    def close(self) -> None:
        """Free the temporary files. Idempotent."""
        self._rows.close()
        self._rejects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _records(self, items: Iterable[Item], tokens: Tokeniser, latest_us: int) -> Iterator[Parsed]:
        for item in items:
            if isinstance(item, Declared):
                self._inside = together(self._inside, item)
            elif isinstance(item, Stated):
                self._take_balance(item, tokens, latest_us)
            else:
                yield item

    def _take_balance(self, said: Stated, tokens: Tokeniser, latest_us: int) -> None:
        try:
            balance = checked(said, tokens, latest_us)
        except InvalidRecord as error:
            self._bad_balances += 1
            number = len(self._balances) + self._bad_balances
            bad = Bad(number, "", error.field, error.reason, said.raw)
            self._keep(rejects_of(origin_of(self.origin), bad))
        else:
            if len(self._balances) == MAX_BALANCES:
                raise MalformedBatch(f"more than {MAX_BALANCES} balances in one batch, which is the bound")
            self._balances.append(balance)

    def _take(self, chunk: Normalised) -> None:
        self._totals = Totals(self._totals.count + chunk.records, self._totals.sum + chunk.total)
        if chunk.first_us is not None and chunk.last_us is not None:
            first_us, last_us = self._span_us or (chunk.first_us, chunk.last_us)
            self._span_us = min(first_us, chunk.first_us), max(last_us, chunk.last_us)
        for bad in chunk.bad:
            self._take_bad(bad)

    def _take_bad(self, bad: Bad) -> None:
        self._bad += 1
        for reject_id in self._keep(rejects_of(self.origin, bad)):
            if len(self._named) < NAMED_REJECTS:
                self._named.append(reject_id.decode())

    def _keep(self, rejects: Iterable[KeyedReject]) -> list[bytes]:
        """Their ids."""
        kept = []
        for reject_id, reject_json in rejects:
            self._rejects.write(b"%b %b\n" % (reject_id, reject_json))
            kept.append(reject_id)
        return kept

    def _verdict(self, policy: FeedPolicy) -> str:
        wrong = mismatch(self.header, self._inside or SILENT, self._totals)
        if not wrong and self._bad and policy is FeedPolicy.batch:
            return f"{self._bad} of {self._totals.count} records are bad, and this feed is all or nothing"
        return wrong

    def _status(self, accepted: int) -> BatchStatus:
        if self.reason or (self._bad and not accepted):
            return BatchStatus.rejected
        return BatchStatus.partial if self._bad else BatchStatus.accepted

    def _reject_ids(self) -> tuple[str, ...]:
        whole = (reject_id_of(self.origin, 0, 0),) if self.reason else ()
        return (*whole, *self._named)[:NAMED_REJECTS]


def _spool(folder: Path | None) -> SpooledTemporaryFile[bytes]:
    """In memory up to MEMORY_BYTES, in an unlinked file beyond."""
    return SpooledTemporaryFile(MEMORY_BYTES, dir=None if folder is None else str(folder))
