"""Loans as they move: back from a transfer to those whose money it may carry, and on to where that went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from compiled import Bools, Int32s
from schemas.alert import Limit
from schemas.instant import DAY
from services.detector.ascending import distinct
from services.detector.flows.arriving import most_carried
from services.detector.flows.lending import Listing
from services.detector.flows.tracing import Bounds, follow, homeward, last_us, nearest, passed, reach
from services.detector.graph import Edges, Reached
from services.detector.legs import Leg, legs_of, merged
from services.detector.typology import Context

_WHOLE: Final = 10_000


class Share(Bounds, Protocol):
    """Parameters of a typology that asks how much of a loan arrives somewhere."""

    @property
    def share_bp(self) -> int: ...


class Sources(Protocol):
    """What counts as a loan. services.detector.flows.lending.Lending: what is disbursed for a listing."""

    def listing(self, leg: Leg) -> Listing | None: ...
    def could_disburse(self, edges: Edges) -> Bools: ...


class Ends(Protocol):
    """Where a loan's money is looked for."""

    def legs(self, edges: Edges) -> list[Leg]:
        """Those of `edges` that end there."""

    def counted(self, legs: Sequence[Leg], carried_by: Callable[[Leg], int]) -> dict[int, int]:
        """Of what such legs carry, how much counts, by sequence number."""

    def is_passed(self, account: int) -> bool:
        """A way there may lead through the account."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """At least φ of a loan arrived. `attributed`: how much of it each transfer carried there, the
    loan's own payments included; `last`: the legs that end there, none where the loan was paid there."""

    loan: Sequence[Leg]
    disbursed_minor: int
    arrived_minor: int
    attributed: Mapping[int, int]
    last: tuple[Leg, ...]
    limits: tuple[Limit, ...]


class Loans:
    def __init__(self, context: Context, sources: Sources, bounds: Bounds) -> None:
        self._context = context
        self._sources = sources
        self._bounds = bounds
        self._since_us = context.now_us - bounds.window_days * DAY

    def behind(self, leg: Leg) -> Iterator[Listing]:
        """The loan that `leg` itself pays out; else those whose money may have reached its payer, the
        newest first."""
        own = self._sources.listing(leg)
        if own is not None:
            yield own
            return
        p, found = self._bounds, dict[Listing, None]()
        back = self._context.graph.backward(
            leg.src,
            leg.ts_us,
            leg.ts_us - p.window_days * DAY,
            self._context.as_of,
            p.max_legs - 1,
            p.max_edges,
            p.hub_degree,
        )
        for each in reversed(legs_of(back.edges, self._sources.could_disburse(back.edges))):
            listing = self._sources.listing(each)
            if listing is not None and listing not in found:
                found[listing] = None
                yield listing

    def disbursements(self, listing: Listing) -> list[Leg]:
        """What was paid out on it within the window."""
        edges = self._context.graph.edges_in(
            listing.borrower,
            self._since_us,
            self._context.now_us,
            self._context.as_of,
            self._bounds.max_edges,
        )
        legs = legs_of(edges, self._sources.could_disburse(edges))
        return [leg for leg in legs if self._sources.listing(leg) == listing]


def can_have_left(context: Context, bounds: Share, loan: Sequence[Leg]) -> bool:
    """The borrower has paid out at least φ of the loan since, or more often than is listed: else no loan of
    its arrives anywhere but with itself."""
    least_minor = -(-bounds.share_bp * sum(leg.amount_minor for leg in loan) // _WHOLE)
    view = (loan[0].ts_us, context.now_us, context.as_of, bounds.max_edges)
    return context.graph.pays(loan[0].dst, least_minor, *view)


def arrival(context: Context, bounds: Share, loan: Sequence[Leg], ends: Ends) -> Arrival | None:
    """None: less than φ of the loan ended there."""
    disbursed = sum(leg.amount_minor for leg in loan)
    reached = reach(context, loan, bounds)
    ways = _ways(bounds, loan, ends, reached, disbursed)
    if ways is None:
        return None

    borrower = loan[0].dst
    found = nearest(borrower, reached, bounds, ways)
    followed = passed(borrower, found, bounds, ends.is_passed)
    if not _can_arrive(context, bounds, loan, ends, followed):
        return None
    trace = follow(context, loan, bounds, followed, found.limits)
    carried = trace.carriers()
    last = [leg for leg in ends.legs(trace.edges) if leg in carried]
    counted = ends.counted(last, carried.__getitem__)
    minor = sum(counted.values())
    if not _is_enough(bounds, minor, disbursed):
        return None
    paid = tuple(leg for leg in last if leg.seq in counted)
    attributed = trace.towards(paid) | {leg.seq: leg.amount_minor for leg in loan} | counted
    return Arrival(loan, disbursed, minor, attributed, paid, trace.limits)


def _ways(bounds: Share, loan: Sequence[Leg], ends: Ends, reached: Reached, disbursed: int) -> Int32s | None:
    """The accounts by way of which money can have ended there; None: it would not be enough if every
    transfer there were the loan's money to the last fen, or if as much of it as can have passed between
    did."""
    if any(limit.name == "edges" for limit in reached.limits):
        return distinct(reached.edges.dst)
    last = ends.legs(reached.edges)
    most = ends.counted(last, _whole_amount)
    if not _is_enough(bounds, sum(most.values()), disbursed):
        return None
    brought = {leg.seq: leg.amount_minor for leg in last if leg.seq in most}
    bound = homeward(reached, brought, bounds.max_legs - 1)
    return bound.ways() if _is_enough(bounds, bound.of(loan[0].dst), disbursed) else None


def _can_arrive(context: Context, bounds: Share, loan: Sequence[Leg], ends: Ends, followed: Int32s) -> bool:
    """Enough can have ended there of what those `followed` paid, and of the loan itself; or they paid more
    often than is listed."""
    until_us = last_us(context, loan, bounds)
    paid = context.graph.edges_out_of(followed, loan[0].ts_us, until_us, context.as_of, bounds.max_edges)
    if paid.truncated:
        return True
    most = most_carried(paid, followed, loan)
    carriers = np.flatnonzero(most)
    carried = dict(zip(paid.seq[carriers].tolist(), most[carriers].tolist(), strict=True))
    carried |= {leg.seq: leg.amount_minor for leg in loan}
    lent = context.graph.edges(leg.seq for leg in loan)
    last = ends.legs(merged(lent, Edges(paid.records.take(carriers))))
    counted = ends.counted(last, lambda leg: carried[leg.seq])
    return _is_enough(bounds, sum(counted.values()), sum(leg.amount_minor for leg in loan))


def _is_enough(bounds: Share, minor: int, disbursed: int) -> bool:
    return minor > 0 and minor * _WHOLE >= bounds.share_bp * disbursed


def paid_there(loan: Sequence[Leg]) -> Arrival:
    """The loan was paid out to where it was looked for."""
    disbursed = sum(leg.amount_minor for leg in loan)
    return Arrival(loan, disbursed, disbursed, {leg.seq: leg.amount_minor for leg in loan}, (), ())


def _whole_amount(leg: Leg) -> int:
    return leg.amount_minor
