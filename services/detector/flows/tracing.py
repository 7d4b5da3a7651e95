"""Following a loan: the bounded subgraph that its money could have entered, and how much did.

Time-respecting paths from the borrower's account, and a method of attribution through every account on
them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import networkx as nx
import numpy as np

from attribution import Method, Payments, carry
from compiled import Int32s, Int64s
from schemas.alert import Limit
from schemas.instant import DAY
from services.detector.graph import Edges, Reached
from services.detector.legs import Leg, legs_of, merged, some_of
from services.detector.typology import Context


class Bounds(Protocol):
    """How far money is followed: parameters of a typology."""

    @property
    def max_legs(self) -> int: ...
    @property
    def window_days(self) -> int: ...
    @property
    def max_edges(self) -> int: ...
    @property
    def hub_degree(self) -> int: ...
    @property
    def max_accounts(self) -> int: ...
    @property
    def attribution(self) -> str:
        """A attribution.Method by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """`edges`: every transfer in and out of the accounts followed, in order, and how much of the loan
    each carried over at most `max_legs` legs."""

    edges: Edges
    carried_minor: Int64s
    limits: tuple[Limit, ...]

    def carriers(self) -> dict[Leg, int]:
        """The legs that carried any of the loan, and how much."""
        chosen = self.carried_minor > 0
        legs = legs_of(self.edges, chosen)
        return dict(zip(legs, self.carried_minor[chosen].tolist(), strict=True))

    def towards(self, ends: Collection[Leg]) -> dict[int, int]:
        """What was carried on some way to the payers of `ends`, by sequence number."""
        graph: nx.DiGraph[int] = nx.DiGraph()
        carriers = self.carriers()
        graph.add_edges_from((leg.src, leg.dst) for leg in carriers)
        payers = {leg.src for leg in ends}
        on_the_way = payers.union(*(nx.ancestors(graph, payer) for payer in sorted(payers)))
        return {leg.seq: minor for leg, minor in carriers.items() if leg.dst in on_the_way}


@dataclass(frozen=True, slots=True, eq=False)
class Homeward:
    """`minor[i]`: no more of the loan than this can have come home by way of account `accounts[i]`."""

    accounts: Int64s
    minor: Int64s

    def of(self, account: int) -> int:
        place = int(np.searchsorted(self.accounts, account))
        return int(self.minor[place]) if self.accounts[place] == account else 0

    def ways(self) -> frozenset[int]:
        """The accounts by way of which any can have come home."""
        return frozenset(self.accounts[self.minor > 0].tolist())


def reach(context: Context, loan: Sequence[Leg], bounds: Bounds) -> Reached:
    """Every transfer that the money of `loan` could have taken: payments of one currency into one
    account, in time order, followed for at most `window_days` after the last of them."""
    return context.graph.forward(
        loan[0].dst,
        loan[0].ts_us,
        _until_us(context, loan, bounds),
        context.as_of,
        bounds.max_legs - 1,
        bounds.max_edges,
        bounds.hub_degree,
    )


def homeward(reached: Reached, home: Mapping[int, int], legs: int) -> Homeward:
    """`home`: how much each transfer home brings at most, by sequence number.

    What an account can bring home over h legs is what it pays home itself, and for each payee the
    smaller of what it pays there and what that one can bring home over h - 1: whatever the rule of
    attribution, money is conserved.
    """
    edges = reached.edges
    accounts, ends = np.unique(np.concatenate((edges.src, edges.dst)), return_inverse=True)
    size, src, dst = accounts.size, ends[: len(edges)], ends[len(edges) :]
    pairs, pair = np.unique(src * size + dst, return_inverse=True)
    paid = np.zeros(pairs.size, np.int64)
    np.add.at(paid, pair, edges.amount_minor)
    straight = np.zeros(size, np.int64)
    is_home = np.isin(edges.seq, list(home))
    np.add.at(straight, src[is_home], [home[seq] for seq in edges.seq[is_home].tolist()])
    most = straight
    for _ in range(legs - 1):
        onward = straight.copy()
        np.add.at(onward, pairs // size, np.minimum(paid, most[pairs % size]))
        most = onward
    return Homeward(accounts.astype(np.int64), most)


def follow(
    context: Context,
    loan: Sequence[Leg],
    bounds: Bounds,
    reached: Reached,
    is_passed: Callable[[int], bool],
) -> Trace:
    """Follow `loan` through the accounts `reached` for which `is_passed`."""
    since_us, until_us = loan[0].ts_us, _until_us(context, loan, bounds)
    followed = _followed(loan[0].dst, reached, bounds, is_passed)
    cut = len(followed) == bounds.max_accounts
    limits = (*reached.limits, *([Limit(name="accounts", bound=bounds.max_accounts)] if cut else []))
    edges = merged(
        context.graph.edges(leg.seq for leg in loan),
        context.graph.edges_around(followed, since_us, until_us, context.as_of, bounds.max_edges),
    )
    edges = some_of(edges, edges.currency == loan[0].currency)
    is_loan = np.isin(edges.seq, [leg.seq for leg in loan])
    payments = Payments(places(followed, edges.src), places(followed, edges.dst), edges.amount_minor, is_loan)
    carried = carry(payments, followed.size, bounds.max_legs, Method(bounds.attribution))
    return Trace(edges, carried.by_legs, limits)


def places(followed: Int32s, accounts: Int32s) -> Int32s:
    """Of each account among those followed, which are ascending; -1: it is not."""
    places = np.minimum(np.searchsorted(followed, accounts), followed.size - 1)
    return np.where(followed[places] == accounts, places, -1).astype(np.int32)


def _until_us(context: Context, loan: Sequence[Leg], bounds: Bounds) -> int:
    return min(context.now_us, loan[-1].ts_us + bounds.window_days * DAY)


def _followed(borrower: int, reached: Reached, bounds: Bounds, is_passed: Callable[[int], bool]) -> Int32s:
    """The nearest accounts first, up to the bound; ascending."""
    near = (reached.hops < bounds.max_legs - 1) & ~np.isin(reached.edges.dst, reached.hubs)
    payees = reached.edges.dst[near]
    nearest = payees[np.lexsort((reached.edges.seq[near], reached.hops[near]))]
    followed = {borrower}
    for account in dict.fromkeys(nearest.tolist()):
        if len(followed) == bounds.max_accounts:
            break
        if account != borrower and is_passed(account):
            followed.add(account)
    return np.array(sorted(followed), np.int32)
