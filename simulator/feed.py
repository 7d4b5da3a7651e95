"""The world as its banks send it: batches of JSON lines in the order in which they are sent.

Each bank sends what its customers pay (or receive from outside) every quarter of an hour, numbered, with
control totals. As banks do, it now and then sends a record that is wrong and later the right one, a
batch hours late, and a batch twice; and batches days late, simulator.reporting.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np

from schemas.currency import to_major
from schemas.instant import HOUR, to_rfc3339
from schemas.transaction import Transaction
from simulator.parameters import CURRENCY
from simulator.register import feed_id
from simulator.reporting import INTERVAL_US, banks_of, reporting_banks
from simulator.streams import Array, stream
from simulator.world import BalanceRow, Day, World


@dataclass(frozen=True, slots=True)
class Dirt:
    """How often things go wrong. Shares: assumption."""

    bad_records: float = 1 / 2_000
    late_batches: float = 1 / 200
    repeated_batches: float = 1 / 400
    delay_us: int = 3 * HOUR
    """How long after the first attempt a late batch, or a corrected record, is sent."""
    backlogs: bool = True
    """Whether banks send days late what the world says they do."""


DIRTY: Final = Dirt()
CLEAN: Final = Dirt(0.0, 0.0, 0.0, backlogs=False)


@dataclass(frozen=True, slots=True)
class FeedBatch:
    """`content`: NDJSON of schemas.transaction. `due_us`: event time at which the bank sends it.
    Totals cover every line, the wrong ones included. A repeated batch has the same sequence and bytes.
    `balances`: CSV of what the bank states with it of the evening before; empty where it states nothing."""

    feed_id: str
    sequence: int
    content: bytes
    control_count: int
    control_sum: Decimal
    due_us: int
    balances: bytes = b""


def _wrong_date(record: dict[str, str]) -> None:
    record["ts"] = record["ts"][:5] + "02-30" + record["ts"][10:]


def _customary_currency(record: dict[str, str]) -> None:
    record["currency"] = "RMB"


def _no_payee(record: dict[str, str]) -> None:
    del record["dst"]


def _unknown_purpose(record: dict[str, str]) -> None:
    record["purpose"] = "misc"


FAULTS: Final[tuple[Callable[[dict[str, str]], None], ...]] = (
    _wrong_date,
    _customary_currency,
    _no_payee,
    _unknown_purpose,
)


def feed_batches(world: World, dirt: Dirt = DIRTY) -> Iterator[FeedBatch]:
    """All of `world`, in the order of `due_us`. Holds one day, and what was put off."""
    post = _Post(world, dirt)
    for day in world.days():
        yield from post.day(day)
    yield from post.rest()


@dataclass(slots=True)
class _Post:
    """`outgoing`: batches made and not yet due, by time. `corrections`: right records to send, by feed."""

    world: World
    dirt: Dirt
    sequences: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    outgoing: list[tuple[int, int, FeedBatch]] = field(default_factory=list)
    corrections: defaultdict[str, list[tuple[int, Transaction]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    stated: defaultdict[str, list[BalanceRow]] = field(default_factory=lambda: defaultdict(list))
    made: int = 0
    bank_named: dict[str, str] = field(init=False)
    bank_of: Array = field(init=False)

    def __post_init__(self) -> None:
        self.bank_named = {row.number: row.bank for row in self.world.register.accounts}
        self.bank_of = banks_of(self.world.register)

    def day(self, day: Day) -> Iterator[FeedBatch]:
        rng = stream(self.world.seed, "feed", day.date.number)
        bank, banks = reporting_banks(self.bank_of, day.columns), self.world.register.banks
        window = (day.columns.at - day.date.begin_us) // INTERVAL_US
        key = window * len(banks) + bank
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        for rows in np.split(order, starts[1:]):
            if len(rows):
                due_us = day.date.begin_us + (int(window[rows[0]]) + 1) * INTERVAL_US
                yield from self._until(due_us)
                feed = feed_id(banks[int(bank[rows[0]])])
                late_us = int(day.sent_us[rows[0]]) if self.dirt.backlogs else 0
                self._make(rng, feed, [day.transfers[row] for row in rows.tolist()], due_us, late_us)
        for row in day.balances:
            self.stated[feed_id(self.bank_named[row.account])].append(row)

    def rest(self) -> Iterator[FeedBatch]:
        """What is still to be sent when the world ends."""
        for feed, waiting in sorted(self.corrections.items()):
            if waiting:
                due_us = max(due for due, _ in waiting)
                right = [transfer for _, transfer in waiting]
                self._queue(self._batch(feed, [_encode(r) for r in right], _total(right), due_us))
        while self.outgoing:
            yield heapq.heappop(self.outgoing)[-1]

    def _until(self, due_us: int) -> Iterator[FeedBatch]:
        while self.outgoing and self.outgoing[0][0] < due_us:
            yield heapq.heappop(self.outgoing)[-1]

    def _make(
        self, rng: np.random.Generator, feed: str, transfers: list[Transaction], due_us: int, late_us: int
    ) -> None:
        """A batch that is to be sent at `due_us`, and at `late_us` where that is later."""
        waiting = self.corrections[feed]
        right = [transfer for due, transfer in waiting if due <= due_us]
        self.corrections[feed] = [held for held in waiting if held[0] > due_us]
        lines = [_encode(transfer) for transfer in right]
        for transfer in transfers:
            if rng.random() < self.dirt.bad_records:
                lines.append(_spoilt(rng, transfer))
                self.corrections[feed].append((due_us + self.dirt.delay_us, transfer))
            else:
                lines.append(_encode(transfer))
        delayed_us = self.dirt.delay_us if rng.random() < self.dirt.late_batches else 0
        batch = self._batch(feed, lines, _total([*right, *transfers]), max(due_us + delayed_us, late_us))
        self._queue(batch)
        if rng.random() < self.dirt.repeated_batches:
            self._queue(batch)

    def _batch(self, feed: str, lines: list[bytes], total: Decimal, due_us: int) -> FeedBatch:
        self.sequences[feed] += 1
        content, balances = b"\n".join(lines) + b"\n", _balances(self.stated.pop(feed, []))
        return FeedBatch(feed, self.sequences[feed], content, len(lines), total, due_us, balances)

    def _queue(self, batch: FeedBatch) -> None:
        self.made += 1
        heapq.heappush(self.outgoing, (batch.due_us, self.made, batch))


def _balances(rows: list[BalanceRow]) -> bytes:
    if not rows:
        return b""
    lines = (
        f"{row.account},{to_rfc3339(row.as_of_us)},{row.kind},{to_major(row.minor, CURRENCY)},{CURRENCY}\n"
        for row in rows
    )
    return b"account,as_of,kind,balance,currency\n" + "".join(lines).encode()


def _total(transfers: list[Transaction]) -> Decimal:
    return sum((Decimal(transfer.amount) for transfer in transfers), Decimal(0))


def _encode(transfer: Transaction) -> bytes:
    return msgspec.json.encode(transfer)


def _spoilt(rng: np.random.Generator, transfer: Transaction) -> bytes:
    record = msgspec.to_builtins(transfer)
    FAULTS[int(rng.integers(0, len(FAULTS)))](record)
    return msgspec.json.encode(record)
