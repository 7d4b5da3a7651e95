"""Repaired records: each goes on as a batch of its own, once, and closes its reject."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from threading import Lock

import pyarrow as pa

from eventlog.log import Log
from schemas.errors import Conflict, InvalidInput, InvalidRecord, Unknown
from schemas.feed import BatchStatus, Receipt
from schemas.record import Record, content_id
from schemas.registry import FeedFormat
from schemas.reject import Reject, RejectStatus
from schemas.topics import REJECTS
from services.ingest.formats import format_named
from services.ingest.formats.parsed import Parsed
from services.ingest.ledger import Ledger
from services.ingest.normalise import normalise
from services.ingest.outlet import Outlet
from services.ingest.receive import FUTURE_US
from services.ingest.rejects import keyed
from services.ingest.tokens import Tokeniser


class Resent(Record):
    """The record of `reject_id` went on as transaction `tx_id` in `batch_id`, a batch of its own."""

    reject_id: str
    feed_id: str
    batch_id: str
    tx_id: str


class Resend:
    """Finds rejects by reading the topic `rejects` from its beginning: repairs are made by people,
    seldom enough that an index would cost more. Safe to use from several threads."""

    def __init__(
        self, log: Log, tokens: Tokeniser, outlet: Outlet, ledger: Ledger, clock: Callable[[], int]
    ) -> None:
        self._log = log
        self._tokens = tokens
        self._outlet = outlet
        self._ledger = ledger
        self._clock = clock
        self._lock = Lock()

    def resend(self, reject_id: str, record: bytes) -> Resent:
        """`record` is one transaction as JSON. A second call gives the first one's answer. Blocks.

        The receipt of the batch then counts the record as accepted. Raises Unknown, InvalidRecord
        when the record is bad still, Conflict when the record came or may come again with its
        batch, Unavailable.
        """
        with self._lock:
            reject = self._find(reject_id)
            if reject.status is RejectStatus.resent:
                return _resent(reject)
            columns = self._columns(record)
            tx_id: str = columns.column("tx_id")[0].as_py()
            answer = reject.model_copy(update={"status": RejectStatus.resent, "resent_as": tx_id})
            with self._outlet:
                self._publish(answer, columns, self._receipt(reject))
        return _resent(answer)

    def _publish(self, answer: Reject, columns: pa.RecordBatch, receipt: Receipt) -> None:
        self._outlet.transfers(answer.feed_id, _batch_id(answer), [columns])
        self._outlet.flush()
        self._outlet.rejects([keyed(answer)])
        self._outlet.receipt(receipt)
        self._outlet.flush()
        self._ledger.record(receipt)

    def _find(self, reject_id: str) -> Reject:
        key, found = reject_id.encode(), b""
        for message in self._log.replay(REJECTS):
            if message.key == key:
                found = message.value
        if not found:
            raise Unknown(f"no reject {reject_id!r}")
        return Reject.model_validate_json(found)

    def _receipt(self, reject: Reject) -> Receipt:
        """The receipt of the reject's batch as it is with the record let in."""
        if reject.record_number == 0:
            raise InvalidInput("this is a batch as a whole: repair it and push it again")
        receipt = self._ledger.search(reject.feed_id, reject.batch_id)
        if receipt is None:
            raise InvalidInput(f"this is no record of a batch: push it again to feed {reject.feed_id!r}")
        if receipt.received_at != reject.received_at:
            raise Conflict("the batch of this record was pushed again since: repair what is rejected there")
        if receipt.reason:
            raise Conflict(f"its whole batch was rejected ({receipt.reason}): push that again, repaired")
        accepted, rejected = receipt.accepted + 1, receipt.rejected - 1
        status = BatchStatus.partial if rejected else BatchStatus.accepted
        return receipt.model_copy(update={"accepted": accepted, "rejected": rejected, "status": status})

    def _columns(self, record: bytes) -> pa.RecordBatch:
        parsed = [
            one for one in format_named(FeedFormat.json).parse(BytesIO(record)) if isinstance(one, Parsed)
        ]
        if len(parsed) != 1:
            raise InvalidRecord("", f"expected one record, found {len(parsed)}")
        (chunk,) = normalise(parsed, self._tokens, self._clock() + FUTURE_US)
        for bad in chunk.bad:
            raise InvalidRecord(bad.field, bad.reason)
        return chunk.columns


def _batch_id(reject: Reject) -> str:
    return content_id(reject.feed_id, "repair", reject.reject_id)


def _resent(reject: Reject) -> Resent:
    return Resent(
        reject_id=reject.reject_id,
        feed_id=reject.feed_id,
        batch_id=_batch_id(reject),
        tx_id=reject.resent_as,
    )
