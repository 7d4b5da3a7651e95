"""An account and those that only stand in front of it, as one pot: whose money is in it, where it went."""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple, Protocol

import numpy as np

from compiled import Array, Bools, Int16s, Int32s, Int64s, kernel, signed
from schemas.alert import Limit
from schemas.instant import DAY, HOUR
from schemas.transaction import Purpose
from services.detector.distinct import number_of, numbered, numbers_for
from services.detector.flows import collecting, fronts
from services.detector.flows.collecting import Collected, Collector
from services.detector.flows.matching import unmatched_minor
from services.detector.flows.weighing import Asked
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.ordering import comes_first
from services.detector.legs import merged, some_of
from services.detector.parties.entities import Entities
from services.detector.purposes import bits_of
from services.detector.typology import Context

_WHOLE: Final = 10_000
_BEFORE_A_FEE: Final = 100
"""Payments to its payer, the last, that a fee may be a rate of."""
_EXPENSE_BITS: Final = bits_of((Purpose.salary, Purpose.tax))


class Settings(collecting.Settings, fronts.Settings, Protocol):
    @property
    def window_days(self) -> int: ...
    @property
    def min_clients(self) -> int: ...
    @property
    def retained_share_bp(self) -> int: ...
    @property
    def held_hours(self) -> int: ...
    @property
    def min_receivers(self) -> int: ...
    @property
    def unmatched_share_bp(self) -> int: ...
    @property
    def match_tolerance_bp(self) -> int: ...


class Held(NamedTuple):
    """What is still there of the clients' money that came in more than T ago."""

    clients: int
    matured_minor: int
    held_minor: int


class Paid(NamedTuple):
    """What was paid on with clients' money, and how much of that answers to nothing. Of all the payments out
    (`went`): how much was clients' money, and which count."""

    receivers: int
    minor: int
    unmatched_minor: int
    went: Edges
    carried_minor: Int64s
    is_passed: Bools

    @property
    def carried(self) -> dict[int, int]:
        """By transfer."""
        seqs, minors = self.went.seq[self.is_passed], self.carried_minor[self.is_passed]
        return dict(zip(seqs.tolist(), minors.tolist(), strict=True))


class Passed(NamedTuple):
    """Of each payment out: how much of it was clients' money; whether that went to somebody, and not for an
    expense. To how many accounts, and how much in all these payments come to."""

    carried_minor: Int64s
    is_passed: Bools
    payees: int
    minor: int


class Follow(NamedTuple):
    """`currency` is followed; clients' money that came before `matured_us` has lain long enough."""

    currency: int
    matured_us: int


def in_use(context: Context, account: int) -> bool:
    """Money came in the last day."""
    return context.graph.is_paid(account, context.now_us - DAY + 1, context.now_us, context.as_of)


class Pot:
    """As it stands at one moment; at most `max_legs` transfers of an account each way are looked at."""

    def __init__(self, context: Context, entities: Entities, account: int, settings: Settings) -> None:
        self._context = context
        self._entities = entities
        self._account = account
        self._s = settings
        self._since_us = context.now_us - settings.window_days * DAY
        self._read()

    def _read(self) -> None:
        """Set `fronts`, the pot's `accounts`, and all that was paid to them."""
        came = self._context.graph.edges_in(self._account, *self._window)
        before = fronts.fronts_of(self._context, self._entities, self._account, came, self._since_us, self._s)
        self.fronts = tuple(sorted(before))
        self.accounts = (self._account, *self.fronts)
        self._all_in = merged(came, *before.values()) if before else came

    @property
    def in_use(self) -> bool:
        """Money came in the last day."""
        return len(self._all_in) > 0 and bool(self._all_in.ts_us[-1] > self._context.now_us - DAY)

    @property
    def limits(self) -> tuple[Limit, ...]:
        truncated = self._all_in.truncated or self._all_out.truncated
        cut = (Limit(name="legs", bound=self._s.max_legs),) if truncated else ()
        return cut + self._context.limits

    @property
    def passed_inside(self) -> dict[int, int]:
        """What the fronts passed on, by transfer."""
        if not self.fronts:
            return {}
        edges = some_of(self._all_in, np.isin(self._all_in.src, self.fronts))
        return dict(zip(edges.seq.tolist(), edges.amount_minor.tolist(), strict=True))

    def collected(self, since_us: int, reported_us: int) -> Collected | None:
        """Clients' money, since then, in the one currency in which most clients paid. None: it is that of
        fewer than N."""
        came = self._came
        first = int(np.searchsorted(came.ts_us, since_us)) if since_us > self._since_us else 0
        asked = Asked(first, reported_us, self._s.min_clients)
        gathered = {}
        for currency in _distinct(came.currency[first:]):
            collector = Collector(
                self._entities, self._account, came, asked, currency, self._s, self._paid_before
            )
            if collector.most_clients >= self._s.min_clients:
                collector.leave_out_filed_fees()
            if collector.most_clients >= self._s.min_clients:
                gathered[currency] = collector.collected()
        most = max(gathered.values(), key=lambda one: (one.of.clients, -one.currency), default=None)
        return most if most and most.of.clients >= self._s.min_clients else None

    def _paid_before(self, fees: Array, least_minor: Int64s) -> Bools:
        graph, as_of = self._context.graph, self._context.as_of
        return graph.paid_before(fees, least_minor, self._since_us, as_of, _BEFORE_A_FEE)

    def ripe_us(self, collected: Collected) -> int | None:
        """When N clients' money will have lain longer than T; after that, when the last of it will."""
        for start_us in (collected.of.enough_us, collected.of.last_us):
            due_us = start_us + self._s.held_hours * HOUR + 1
            if due_us > self._context.now_us:
                return due_us
        return None

    def became(self, collected: Collected) -> tuple[Held | None, Paid | None]:
        """Of `collected`, as far as it is held, and as far as it was paid on."""
        came, went, follow = self._came, self._went, self._follow(collected.currency)
        left, has_matured = came.amount_minor.copy(), np.zeros(len(came), np.bool_)
        carried, is_passed = np.zeros(len(went), np.int64), np.empty(len(went), np.bool_)
        client = collected.client
        held = follow_clients(
            came.records, went.records, client, follow, left, carried, is_passed, has_matured
        )
        passed = Passed(carried, is_passed, *count_payees(went.records, is_passed, numbers_for(len(went))))
        return self._held(Held(*held)), self._paid(collected, passed)

    def _follow(self, currency: int) -> Follow:
        return Follow(currency, self._matured_us)

    @property
    def _matured_us(self) -> int:
        """What came before then has lain long enough."""
        return self._context.now_us - self._s.held_hours * HOUR

    def _held(self, held: Held) -> Held | None:
        """None: too little of it, or that of too few."""
        is_held = held.held_minor * _WHOLE > self._s.retained_share_bp * held.matured_minor
        return held if is_held and held.clients >= self._s.min_clients else None

    def _paid(self, collected: Collected, passed: Passed) -> Paid | None:
        """None: clients' money went to too few, or it is all accounted for."""
        receivers = passed.payees
        if receivers < self._s.min_receivers:
            return None
        if self._entities.registered:
            passed, receivers = self._to_others(passed)
        if receivers < self._s.min_receivers:
            return None
        went, is_passed = self._went, passed.is_passed
        tolerance_bp = self._s.match_tolerance_bp
        unmatched = unmatched_minor(collected.came, collected.is_clients, went, is_passed, tolerance_bp)
        if not self._is_unmatched(unmatched, passed.minor):
            return None
        return Paid(receivers, passed.minor, unmatched, went, passed.carried_minor, is_passed)

    def _is_unmatched(self, minor: int, of_minor: int) -> bool:
        """Too much of what was paid on answers to nothing."""
        return minor * _WHOLE > self._s.unmatched_share_bp * of_minor

    def _to_others(self, passed: Passed) -> tuple[Passed, int]:
        """What was not paid to the account's own holder, and how many entities got it."""
        went, is_passed = self._went, passed.is_passed
        own = self._entities.entity(self._account)
        entity_of = {account: self._entities.entity(account) for account in set(went.dst[is_passed].tolist())}
        for account in (one for one, entity in entity_of.items() if entity == own):
            is_passed = is_passed & (went.dst != account)
        minor = int(went.amount_minor[is_passed].sum())
        return passed._replace(is_passed=is_passed, minor=minor), len({*entity_of.values()} - {own})

    @property
    def _window(self) -> tuple[int, int, int, int]:
        return self._since_us, self._context.now_us, self._context.as_of, self._s.max_legs

    @cached_property
    def _came(self) -> Edges:
        """From outside the pot."""
        return _without(self._all_in, self._all_in.src, self.accounts)

    @cached_property
    def _went(self) -> Edges:
        """Out of the pot."""
        return _without(self._all_out, self._all_out.dst, self.accounts)

    @cached_property
    def _all_out(self) -> Edges:
        went = [self._context.graph.edges_out(account, *self._window) for account in self.accounts]
        return merged(*went) if self.fronts else went[0]


def _without(edges: Edges, ends: Int32s, accounts: tuple[int, ...]) -> Edges:
    """Those that do not have one of `accounts` at that end."""
    inside = ends == accounts[0]
    for account in accounts[1:]:
        inside |= ends == account
    return some_of(edges, ~inside) if np.count_nonzero(inside) else edges


def _distinct(currencies: Int16s) -> list[int]:
    """Ascending."""
    distinct: list[int] = np.flatnonzero(np.bincount(currencies)).tolist()
    return distinct


@kernel
def follow_clients(
    came: Array,
    went: Array,
    client: Int32s,
    follow: Follow,
    left: Int64s,
    carried: Int64s,
    is_passed: Bools,
    has_matured: Bools,
) -> tuple[int, int, int]:
    """First in, first out (attribution.fifo) through one pot: payments in are its lots, and what a payment
    out finds no lot for was there before. How many clients' money has matured, how much of it came and how
    much is left. `left`: of each payment in, at first all of it; `carried` and `is_passed`: those of Passed;
    `has_matured`: by client's number."""
    spent = 0
    arrived = 0
    for place in range(went.size):
        paid = went[place]
        is_passed[place] = False
        if paid.currency != follow.currency:
            continue
        while arrived < came.size and comes_first(came[arrived], paid):
            arrived += 1
        wanted = signed(paid.amount_minor)
        while wanted > 0 and spent < arrived:
            part = 0
            if came[spent].currency == follow.currency:
                part = min(wanted, left[spent])
                left[spent] -= part
                wanted -= part
            if client[spent] >= 0:
                carried[place] += part
            if wanted > 0:
                spent += 1
        is_expense = _EXPENSE_BITS >> paid.purpose & 1 != 0
        is_passed[place] = carried[place] > 0 and paid.dst != OUTSIDE_INDEX and not is_expense
    clients = 0
    matured = 0
    held = 0
    for place in range(came.size):
        number = client[place]
        if number >= 0 and came[place].ts_us < follow.matured_us:
            matured += came[place].amount_minor
            held += left[place]
            clients += not has_matured[number]
            has_matured[number] = True
    return clients, matured, held


@kernel
def count_payees(went: Array, is_passed: Bools, numbers: Array) -> tuple[int, int]:
    """Of the payments out that were passed on: how many accounts got them, and how much they come to."""
    minor = 0
    for place in range(went.size):
        if is_passed[place]:
            number_of(numbers, went[place].dst)
            minor += went[place].amount_minor
    return numbered(numbers), minor
