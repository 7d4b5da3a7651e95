"""An account and those that only stand in front of it, as one pot: whose money is in it, where it went."""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple, Protocol

import numpy as np

from attribution import Payments, carry
from compiled import Bools, Int64s
from schemas.alert import Limit
from schemas.instant import DAY, HOUR
from schemas.transaction import Purpose
from services.detector.flows import collecting, fronts
from services.detector.flows.collecting import Collected, Collector
from services.detector.flows.matching import unmatched_minor
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg, legs_of, merged, some_of
from services.detector.parties.entities import Entities
from services.detector.purposes import among
from services.detector.typology import Context

_WHOLE: Final = 10_000
_IS_EXPENSE: Final = among((Purpose.salary, Purpose.tax))
_ANY_LEGS: Final = 2**30


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
    """What was paid on with clients' money, by transfer, and how much of that answers to nothing."""

    receivers: int
    minor: int
    unmatched_minor: int
    carried: dict[int, int]


class Pot:
    """As it stands at one moment; at most `max_legs` transfers of an account each way are looked at."""

    def __init__(self, context: Context, entities: Entities, account: int, settings: Settings) -> None:
        self._context = context
        self._entities = entities
        self._account = account
        self._s = settings
        self._since_us = context.now_us - settings.window_days * DAY
        came = context.graph.edges_in(account, *self._window)
        before = fronts.fronts_of(context, entities, account, came, self._since_us, settings)
        self.fronts = tuple(sorted(before))
        self.accounts = (account, *self.fronts)
        self._all_in = merged(came, *before.values()) if before else came
        self._came = some_of(self._all_in, ~np.isin(self._all_in.src, self.accounts))
        """From outside the pot."""

    @property
    def in_use(self) -> bool:
        """Money came in the last day."""
        return bool((self._all_in.ts_us > self._context.now_us - DAY).any())

    @property
    def limits(self) -> tuple[Limit, ...]:
        truncated = self._all_in.truncated or self._went.truncated
        cut = (Limit(name="legs", bound=self._s.max_legs),) if truncated else ()
        return cut + self._context.graph.limits

    @property
    def passed_inside(self) -> dict[int, int]:
        """What the fronts passed on, by transfer."""
        edges = some_of(self._all_in, np.isin(self._all_in.src, self.fronts))
        return dict(zip(edges.seq.tolist(), edges.amount_minor.tolist(), strict=True))

    def collected(self, since_us: int) -> Collected | None:
        """Clients' money, since then, in the one currency in which most clients paid. None: it is that of
        fewer than N."""
        came = some_of(self._came, self._came.ts_us >= since_us)
        if self._most_clients(came) < self._s.min_clients:
            return None
        gathered = {}
        for currency in np.unique(came.currency).tolist():
            edges = some_of(came, came.currency == currency)
            collector = Collector(self._entities, self._account, edges, self._s, self._largest_before)
            if collector.most_clients >= self._s.min_clients:
                gathered[currency] = collector.collected()
        most = max(gathered.items(), key=lambda one: (one[1].clients, -one[0]), default=None)
        return most[1] if most and most[1].clients >= self._s.min_clients else None

    def _most_clients(self, came: Edges) -> int:
        """No more can be found: cheap to ask first."""
        says = collecting.may_tell(came, self._account, self._s)
        if not says.any():
            return 0
        if collecting.is_everyday(self._entities, self._account, self._s):
            says &= collecting.stated(came)
        return int(np.unique(came.src[says]).size)

    def _largest_before(self, leg: Leg) -> int:
        """The largest payment to a payer before its fee: what the fee may be a rate of."""
        graph, as_of = self._context.graph, self._context.as_of
        edges = graph.edges_in(leg.src, self._since_us, leg.ts_us, as_of, 100)
        same = edges.amount_minor[edges.currency == leg.currency]
        return int(same.max(initial=0))

    def ripe_us(self, collected: Collected) -> int | None:
        """When N clients' money will have lain longer than T; after that, when the last of it will."""
        _, first = np.unique(collected.client, return_index=True)
        enough_us = int(np.sort(collected.edges.ts_us[first])[self._s.min_clients - 1])
        held_us = self._s.held_hours * HOUR
        for start_us in (enough_us, int(collected.edges.ts_us[-1])):
            due_us = start_us + held_us + 1
            if due_us > self._context.now_us:
                return due_us
        return None

    def became(self, collected: Collected) -> tuple[Held | None, Paid | None]:
        """Of `collected`, as far as it is held, and as far as it was paid on."""
        both = merged(self._came, self._went)
        edges = some_of(both, both.currency == collected.edges.currency[0])
        clients_money = np.isin(edges.seq, collected.edges.seq)
        into, out = np.isin(edges.dst, self.accounts), np.isin(edges.src, self.accounts)
        payer, payee = np.where(out, np.int32(0), np.int32(-1)), np.where(into, np.int32(0), np.int32(-1))
        carried = carry(Payments(payer, payee, edges.amount_minor, clients_money), 1, _ANY_LEGS)
        return (
            self._held(collected, carried.held[clients_money]),
            self._paid(collected, edges, out, carried.by_legs),
        )

    def _held(self, collected: Collected, left_minor: Int64s) -> Held | None:
        """Of the clients' money in, `left_minor` is still there; None: not enough of it, or not of
        enough clients."""
        matured = collected.edges.ts_us < self._context.now_us - self._s.held_hours * HOUR
        held = Held(
            clients=int(np.unique(collected.client[matured]).size),
            matured_minor=int(collected.edges.amount_minor[matured].sum()),
            held_minor=int(left_minor[matured].sum()),
        )
        is_held = held.held_minor * _WHOLE > self._s.retained_share_bp * held.matured_minor
        return held if is_held and held.clients >= self._s.min_clients else None

    def _paid(self, collected: Collected, edges: Edges, out: Bools, carried: Int64s) -> Paid | None:
        """Of every payment, `carried` was clients' money; None: to too few, or it is all accounted for."""
        own = self._entities.entity(self._account)
        out = out & (edges.dst != OUTSIDE_INDEX) & (carried > 0) & ~_IS_EXPENSE[edges.purpose]
        payees = np.unique(edges.dst[out]).tolist()
        entity_of = {account: self._entities.entity(account) for account in payees}
        for account in (one for one in payees if entity_of[one] == own):
            out &= edges.dst != account
        receivers = len({*entity_of.values()} - {own})
        if receivers < self._s.min_receivers:
            return None
        minor = int(edges.amount_minor[out].sum())
        legs_in, legs_out = legs_of(collected.edges), legs_of(edges, out)
        unmatched = unmatched_minor(legs_in, legs_out, self._s.match_tolerance_bp)
        if unmatched * _WHOLE <= self._s.unmatched_share_bp * minor:
            return None
        by_seq = dict(zip(edges.seq[out].tolist(), carried[out].tolist(), strict=True))
        return Paid(receivers, minor, unmatched, by_seq)

    @property
    def _window(self) -> tuple[int, int, int, int]:
        return self._since_us, self._context.now_us, self._context.as_of, self._s.max_legs

    @cached_property
    def _went(self) -> Edges:
        """Out of the pot."""
        went = [self._context.graph.edges_out(account, *self._window) for account in self.accounts]
        edges = merged(*went) if self.fronts else went[0]
        return some_of(edges, ~np.isin(edges.dst, self.accounts))
