"""The receipts given so far: what makes a batch that is pushed again a duplicate, not a second batch.

Rebuilt from the topic `receipts` at start. Memory holds the newest RECENT receipts of each feed and
the ids of the newest KNOWN batches of all feeds. An older receipt is looked up in the topic. Beyond
KNOWN batches, one whose sequence number is below its feed's newest is looked up there too, and one
without a sequence number is taken as new.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from logging import getLogger
from threading import Lock
from typing import Final

from eventlog.log import Log
from schemas.errors import Conflict
from schemas.feed import BatchStatus, Receipt
from schemas.record import content_id
from schemas.topics import RECEIPTS

RECENT: Final = 256
KNOWN: Final = 1_000_000
"""About 100 MB of ids."""

_NONE: Final[OrderedDict[str, Receipt]] = OrderedDict()
_log = getLogger(__name__)


def batch_id_of(feed_id: str, sequence: int | None, digest: str) -> str:
    """The batch's identity within its feed: its sequence number, else its content."""
    if sequence is None:
        return content_id(feed_id, "digest", digest)
    return content_id(feed_id, "sequence", str(sequence))


def key_of(receipt: Receipt) -> bytes:
    return f"{receipt.feed_id}:{receipt.batch_id}".encode()


def settled(previous: Receipt | None, digest: str) -> Receipt | None:
    """The receipt to give again; None: the batch is to be read.

    One that was rejected may come again, repaired; even unchanged it is read again, since what was
    wrong may have been the declared totals or the feed's policy. Raises Conflict when a batch of
    this sequence was taken with other content.
    """
    if previous is None or previous.status is BatchStatus.rejected:
        return None
    if previous.digest != digest:
        raise Conflict(
            f"batch {previous.sequence} of feed {previous.feed_id} was taken with the digest"
            f" {previous.digest}; this one has {digest}. A correction needs a sequence number of its own."
        )
    return previous.model_copy(update={"duplicate": True})


class Ledger:
    """Safe to use from several threads."""

    def __init__(self, log: Log, recent: int = RECENT, known: int = KNOWN) -> None:
        """Blocks while the topic is read."""
        self._log = log
        self._recent_bound = recent
        self._known_bound = known
        self._recent: dict[str, OrderedDict[str, Receipt]] = {}
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._newest: dict[str, int] = {}
        self._forgot = False
        self._lock = Lock()
        for receipt in self._replayed():
            self.record(receipt)

    def record(self, receipt: Receipt) -> None:
        """Take note of a receipt that is durable."""
        with self._lock:
            recent = self._recent.setdefault(receipt.feed_id, OrderedDict())
            recent[receipt.batch_id] = receipt
            recent.move_to_end(receipt.batch_id)
            if len(recent) > self._recent_bound:
                recent.popitem(last=False)
            self._note(bytes.fromhex(receipt.batch_id))
            if receipt.sequence is not None:
                newest = self._newest.get(receipt.feed_id, -1)
                self._newest[receipt.feed_id] = max(newest, receipt.sequence)

    def find(self, feed_id: str, batch_id: str, sequence: int | None) -> Receipt | None:
        """The newest receipt of a batch that may be new. Seldom reads the topic."""
        with self._lock:
            receipt = self._recent.get(feed_id, _NONE).get(batch_id)
            known = bytes.fromhex(batch_id) in self._known
            forgotten = self._forgot and sequence is not None and sequence <= self.newest(feed_id)
        return receipt or (self._look_up(feed_id, batch_id) if known or forgotten else None)

    def search(self, feed_id: str, batch_id: str) -> Receipt | None:
        """The newest receipt of a batch. Reads the topic when memory does not hold it."""
        with self._lock:
            receipt = self._recent.get(feed_id, _NONE).get(batch_id)
        return receipt or self._look_up(feed_id, batch_id)

    def newest(self, feed_id: str) -> int:
        """The highest sequence number seen of a feed; -1 before any."""
        return self._newest.get(feed_id, -1)

    def _note(self, batch_id: bytes) -> None:
        self._known[batch_id] = None
        if len(self._known) > self._known_bound:
            self._known.popitem(last=False)
            if not self._forgot:
                _log.warning("more than %d batches are known; older ones are forgotten", self._known_bound)
            self._forgot = True

    def _replayed(self) -> Iterator[Receipt]:
        for message in self._log.replay(RECEIPTS):
            if message.value:
                yield Receipt.model_validate_json(message.value)

    def _look_up(self, feed_id: str, batch_id: str) -> Receipt | None:
        key, found = f"{feed_id}:{batch_id}".encode(), b""
        for message in self._log.replay(RECEIPTS):
            if message.key == key:
                found = message.value
        return Receipt.model_validate_json(found) if found else None
