"""A batch in, a receipt out: read to its end, checked, published once, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from registry import Registry
from schemas.errors import Conflict, Unknown
from schemas.feed import BatchHeader, Receipt
from schemas.instant import DAY
from schemas.registry import Feed
from services.ingest.body import Body
from services.ingest.ledger import Ledger, batch_id_of, settled
from services.ingest.metrics import Metrics
from services.ingest.outlet import Outlet
from services.ingest.rejects import Origin
from services.ingest.staging import Staged
from services.ingest.tokens import Tokeniser

FUTURE_US: Final = DAY
"""How far past the clock a booking time may be: banks' clocks and time zones differ."""


class Receiver:
    """Takes batches. Safe to use from several threads: they read at once and publish in turn.

    A batch is read to its end first. Then its rows and rejects are appended and made durable, then
    its receipt. A crash before the receipt leaves a batch that is not known: pushed again, it is
    published again under the same (feed_id, batch_id, part), which consumers drop.

    The whole batch is rejected when its control totals do not hold, when it cannot be read as its
    format, and under the feed policy `batch` when any record is bad. It is then kept as reject
    number 0, its body in pieces (services.ingest.rejects), beside a reject for each bad record.
    A rejected batch may be sent again under its sequence number; the new receipt replaces the old.
    """

    def __init__(
        self,
        registry: Registry,
        tokens: Tokeniser,
        outlet: Outlet,
        ledger: Ledger,
        metrics: Metrics,
        clock: Callable[[], int],
        folder: Path | None = None,
    ) -> None:
        """`clock` gives UTC microseconds; `folder` is where temporary files go."""
        self._registry = registry
        self._tokens = tokens  # its cache is a dict of pure values: a race only computes one twice
        self._outlet = outlet
        self._ledger = ledger
        self._metrics = metrics
        self._clock = clock
        self._folder = folder

    def feed(self, feed_id: str) -> Feed:
        """The feed as registered for now. Raises Unknown."""
        feed = self._registry.feed(feed_id, self._clock())
        if feed is None:
            raise Unknown(
                f"feed {feed_id!r} is not registered: send its record to POST /v1/registry, as in"
                f' {{"kind":"feed","feed_id":"{feed_id}","bank":"…","key_sha256":"…"}}'
            )
        return feed

    def receive(self, header: BatchHeader, body: Body) -> Receipt:
        """Blocks until the receipt is durable. Raises Unknown, Conflict, Unavailable."""
        staged = self.stage(header, body)
        if isinstance(staged, Receipt):
            return staged
        with staged:
            (receipt,) = self.publish([staged])
        if isinstance(receipt, Conflict):
            raise receipt
        return receipt

    def stage(self, header: BatchHeader, body: Body) -> Staged | Receipt:
        """Read a batch, or give the receipt that it has already. Raises Unknown, Conflict, Unavailable."""
        feed = self.feed(header.feed_id)
        batch_id = batch_id_of(header.feed_id, header.sequence, body.digest)
        known = settled(self._ledger.find(header.feed_id, batch_id, header.sequence), body.digest)
        if known is not None:
            self._metrics.receipt(known)
            return known
        origin = Origin(header.feed_id, batch_id, body.digest, self._clock())
        with ExitStack() as undo:
            staged = undo.enter_context(Staged(header, origin, body, self._folder))
            staged.read(feed.policy, self._tokens, origin.received_us + FUTURE_US)
            undo.pop_all()
        self._metrics.read(header, body.size)
        return staged

    def publish(self, batches: Sequence[Staged]) -> list[Receipt | Conflict]:
        """Publish in order, with one flush for all of them; for each its receipt, or its conflict
        with another. Blocks. Raises Unavailable, and then none of them is known to be taken."""
        outcomes: list[Receipt | Conflict] = []
        taken: dict[str, Receipt] = {}
        with self._outlet:
            for staged in batches:
                outcome = self._outcome(staged, taken)
                outcomes.append(outcome)
                if isinstance(outcome, Receipt) and not outcome.duplicate:
                    taken[outcome.batch_id] = outcome
                    origin = staged.origin
                    self._outlet.transfers(origin.feed_id, origin.batch_id, staged.rows())
                    self._outlet.balances(origin.feed_id, staged.balances())
                    self._outlet.rejects(staged.rejects())
            if taken:
                self._conclude(taken.values())
        for outcome in outcomes:
            if isinstance(outcome, Receipt):
                self._metrics.receipt(outcome)
        return outcomes

    def _outcome(self, staged: Staged, taken: Mapping[str, Receipt]) -> Receipt | Conflict:
        """What to answer, in view of what was taken before and of what is being taken."""
        feed_id, batch_id = staged.origin.feed_id, staged.origin.batch_id
        previous = taken.get(batch_id) or self._ledger.find(feed_id, batch_id, staged.header.sequence)
        try:
            known = settled(previous, staged.origin.digest)
        except Conflict as conflict:
            return conflict
        if known is not None:
            return known
        if previous is None:
            return staged.receipt(self._gap_before(staged.header, taken.values()))
        receipt = staged.receipt(previous.gap_before)
        if receipt.model_copy(update={"received_at": previous.received_at}) == previous:
            return previous.model_copy(update={"duplicate": True})
        return receipt

    def _gap_before(self, header: BatchHeader, taken: Collection[Receipt]) -> int:
        """Sequence numbers missing between the highest seen and this one; 0 for a first or late one."""
        seen = [one.sequence for one in taken if one.feed_id == header.feed_id and one.sequence is not None]
        newest = max([*seen, self._ledger.newest(header.feed_id)])
        if header.sequence is None or newest < 0:
            return 0
        return max(0, header.sequence - newest - 1)

    def _conclude(self, receipts: Collection[Receipt]) -> None:
        """Receipts go out only when what they vouch for is durable."""
        self._outlet.flush()
        for receipt in receipts:
            self._outlet.receipt(receipt)
        self._outlet.flush()
        for receipt in receipts:
            self._ledger.record(receipt)
