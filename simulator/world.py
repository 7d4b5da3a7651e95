"""The world: cast once, played day by day. The same seed and size give the same bytes; a longer world
begins with the transfers of a shorter one, until the first planted case for which that had no room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from schemas.currency import to_major
from schemas.errors import InvalidSetting
from schemas.instant import DAY, SECOND, to_micros
from schemas.registry import AccountRole, RegistryRecord
from schemas.transaction import Purpose, Transaction
from simulator import parameters as p
from simulator.business import businesses
from simulator.cast import Cast
from simulator.casting import cast_world
from simulator.dates import BEIJING_OFFSET, Date
from simulator.flows import NONE, Channel, Columns, Flows
from simulator.ledger import Ledger
from simulator.loans import ListingPlan
from simulator.misconduct import plan_cases
from simulator.misconduct.case import Play
from simulator.register import OUTSIDE, OUTSIDE_SINK, OUTSIDE_SOURCE, Pattern, Register
from simulator.reporting import Delay, banks_of, delays, reporting_banks, sent_late
from simulator.streams import Array, Ints, stream
from simulator.today import Script, Today

MAX_DAYS: Final = 3_660
LABEL_SOURCE: Final = "simulator"
_PURPOSES: Final = tuple(purpose.name if purpose else "" for purpose in Purpose)
_CHANNELS: Final = tuple(channel.name for channel in Channel)
_NOT_THE_INSTITUTIONS: Final = (AccountRole.client, AccountRole.merchant_settlement)
_MAY_LACK_PURPOSE: Final = (Channel.transfer, Channel.card, Channel.direct_debit)


class BalanceRow(NamedTuple):
    """A balance as stated after the transfers of `as_of_us` and before. `kind`: "booked", what the bank has
    in the account, or "clients", what a payment institution says it owes them, on its reserve account."""

    account: str
    as_of_us: int
    kind: str
    minor: int


class Label(NamedTuple):
    """One labelled transfer."""

    tx_id: str
    pattern: Pattern


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """One day's transfers in time order, and the evening's balances of institutions' accounts. By index,
    the planted patterns that since today can be `proven`, and those that are `finished`. `sent_us`: when
    the bank reports each transfer, 0 where it does so in time."""

    date: Date
    first_number: int
    columns: Columns
    sent_us: Ints
    transfers: tuple[Transaction, ...]
    labels: tuple[Label, ...]
    balances: tuple[BalanceRow, ...]
    proven: frozenset[int]
    finished: frozenset[int]


@dataclass(frozen=True, eq=False)
class World:
    """`days()` may be called any number of times; each plays the world anew, one day in memory."""

    seed: int
    length: int
    start_us: int
    cast: Cast
    listings: ListingPlan
    cases: tuple[tuple[str, Play], ...]
    delays: tuple[Delay, ...]
    late: int
    """Label of what is reported late and has no other."""

    @property
    def register(self) -> Register:
        return self.cast.register

    @property
    def patterns(self) -> list[Pattern]:
        return self.register.patterns

    def registry_records(self) -> Iterator[RegistryRecord]:
        """What the supervisor knows of this world, kind by kind."""
        return self.register.records()

    @cached_property
    def registry(self) -> tuple[RegistryRecord, ...]:
        return tuple(self.registry_records())

    def days(self) -> Iterator[Day]:
        ledger = Ledger(np.array([row.opening_minor for row in self.register.accounts], dtype=np.int64))
        processes = businesses(self.cast, self.listings, self.seed, self.start_us)
        scripts = [play(stream(self.seed, "script", name)) for name, play in self.cases]
        for script in scripts:
            next(script)
        names, bank_of = _Names(self.register), banks_of(self.register)
        yesterday: Columns | None = None
        number = yesterday_first = 1
        for day in range(self.length):
            date = Date(day, self.start_us)
            today = Today(self.seed, date, self.cast, ledger, Flows(day), yesterday, yesterday_first)
            for process in processes:
                process.act(today)
            scripts = [script for script in scripts if _goes_on(script, today)]
            yesterday = _forget_purposes(today.flows.seal(), today)
            ledger.settle(yesterday)
            yesterday_first = number
            sent_us = sent_late(self.delays, reporting_banks(bank_of, yesterday), yesterday.at)
            yesterday.pattern[(sent_us > 0) & (yesterday.pattern == NONE)] = self.late
            yield names.day(number, yesterday, sent_us, today)
            number += len(yesterday)


def simulate(seed: int, days: int, *, start_us: int | None = None, size: p.Size = p.SIZES["small"]) -> World:
    """Raises InvalidSetting when `days` is not within 1–MAX_DAYS or `start_us` no midnight in Beijing."""
    start = to_micros(p.DEFAULT_START) if start_us is None else start_us
    if not 1 <= days <= MAX_DAYS:
        raise InvalidSetting(f"{days} days; a world lasts 1 to {MAX_DAYS}")
    if (start + BEIJING_OFFSET) % DAY:
        raise InvalidSetting("a world starts at midnight in Beijing, 16:00Z")
    cast = cast_world(seed, size, start, days)
    listings = ListingPlan(cast, start)
    listings.add_honest(seed, size, days)
    cases = plan_cases(cast, listings, seed, size, start, days)
    late = cast.register.pattern("late_report", ())
    # The central bank's own reports do not fail: assumption.
    return World(seed, days, start, cast, listings, cases, delays(seed, size.banks, start, days), late)


def _goes_on(script: Script, today: Today) -> bool:
    try:
        script.send(today)
    except StopIteration:
        return False
    return True


def _forget_purposes(columns: Columns, today: Today) -> Columns:
    """A bank leaves out the purpose of some ordinary transfers."""
    rng = today.stream("purposes")
    forgotten = (rng.random(len(columns)) < p.PURPOSE_LEFT_OUT) & np.isin(columns.channel, _MAY_LACK_PURPOSE)
    columns.purpose[forgotten] = Purpose.unknown
    columns.pattern[forgotten & (columns.pattern == NONE)] = today.cast.missing_purpose
    return columns


class _Names:
    """From columns to what the bank sends: account numbers, ids, decimal text."""

    def __init__(self, register: Register) -> None:
        self._number = [row.number for row in register.accounts]
        self._bank = [row.bank for row in register.accounts]
        self._product = [product.product_id for product in register.products]
        self._patterns = register.patterns
        self._stated = [
            index
            for index, row in enumerate(register.accounts)
            if row.institution_id is not None and row.role not in _NOT_THE_INSTITUTIONS
        ]

    def day(self, first: int, columns: Columns, sent_us: Ints, today: Today) -> Day:
        """`today` after its transfers were settled."""
        ids = [f"T{number:09d}" for number in range(first, first + len(columns))]
        transfers = tuple(
            self._transaction(*row)
            for row in zip(
                ids,
                timestamps(columns.at),
                columns.src.tolist(),
                columns.dst.tolist(),
                columns.amount.tolist(),
                columns.channel.tolist(),
                columns.purpose.tolist(),
                columns.product.tolist(),
                columns.instruction.tolist(),
                columns.reversal.tolist(),
                strict=True,
            )
        )
        labelled = np.flatnonzero(columns.pattern != NONE).tolist()
        labels = tuple(Label(ids[row], self._patterns[columns.pattern[row]]) for row in labelled)
        balances = tuple(self._balances(today))
        return Day(
            today.date,
            first,
            columns,
            sent_us,
            transfers,
            labels,
            balances,
            frozenset(today.proven),
            frozenset(today.finished),
        )

    def _balances(self, today: Today) -> Iterator[BalanceRow]:
        closing_us = today.date.begin_us + DAY - SECOND
        for account in self._stated:
            yield BalanceRow(self._number[account], closing_us, "booked", int(today.ledger.balance[account]))
        for account, owed in today.owed.items():
            yield BalanceRow(self._number[account], closing_us, "clients", owed)

    def _transaction(
        self,
        tx_id: str,
        ts: str,
        src: int,
        dst: int,
        amount: int,
        channel: int,
        purpose: int,
        product: int,
        instruction: int,
        reversal: int,
    ) -> Transaction:
        return Transaction(
            tx_id=tx_id,
            ts=ts,
            src=self._number[src] if src != OUTSIDE else OUTSIDE_SOURCE,
            dst=self._number[dst] if dst != OUTSIDE else OUTSIDE_SINK,
            amount=to_major(amount, p.CURRENCY),
            currency=p.CURRENCY,
            channel=_CHANNELS[channel],
            src_bank=self._bank[src],
            dst_bank=self._bank[dst],
            purpose=_PURPOSES[purpose],
            product=self._product[product] if product != NONE else "",
            instruction=f"I{instruction:013d}" if instruction else "",
            reversal_of=f"T{reversal:09d}" if reversal else "",
        )


def timestamps(at: Array) -> list[str]:
    """RFC 3339 text of whole-second instants."""
    seconds = np.datetime_as_string((at // 1_000_000).astype("datetime64[s]"))
    return [f"{text}Z" for text in seconds.tolist()]
