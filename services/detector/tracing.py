"""Following a loan: the bounded subgraph that its money could have entered, and how much did.

Time-respecting paths from the borrower's account; first in, first out through every account on them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import networkx as nx
import numpy as np

from schemas.alert import Limit
from schemas.instant import DAY
from services.detector.attribution import Attribution, fifo
from services.detector.graph import Reached
from services.detector.legs import Leg, in_order, legs_of
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


@dataclass(frozen=True, slots=True)
class Trace:
    """`legs`: every transfer in and out of the accounts followed, in order. `money`: what of the loan
    each carried."""

    loan: Sequence[Leg]
    legs: Sequence[Leg]
    money: Attribution
    limits: tuple[Limit, ...]
    max_legs: int

    def carried(self, leg: Leg) -> int:
        return self.money.carried(leg.seq, self.max_legs)

    def towards(self, ends: Collection[Leg]) -> list[Leg]:
        """The legs that carried the loan's money on some way to the payers of `ends`."""
        graph: nx.DiGraph[int] = nx.DiGraph()
        carriers = [leg for leg in self.legs if self.carried(leg)]
        graph.add_edges_from((leg.src, leg.dst) for leg in carriers)
        payers = {leg.src for leg in ends}
        on_the_way = payers.union(*(nx.ancestors(graph, payer) for payer in sorted(payers)))
        return [leg for leg in carriers if leg.dst in on_the_way]


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


def most_home(reached: Reached, borrower: int, home: Mapping[int, int], legs: int) -> int:
    """No more of the money `reached` from `borrower` than this can have come home over `legs` legs.

    `home`: how much each transfer home brings at most, by sequence number. What an account can bring
    home over h legs is what it pays home itself, and for each payee the smaller of what it pays there
    and what that one can bring home over h - 1: whatever the rule of attribution, money is conserved.
    """
    edges = reached.edges
    accounts, ends = np.unique(np.concatenate((edges.src, edges.dst, [borrower])), return_inverse=True)
    size = accounts.size
    pairs, pair = np.unique(ends[: len(edges)] * size + ends[len(edges) : -1], return_inverse=True)
    paid = np.zeros(pairs.size, np.int64)
    np.add.at(paid, pair, edges.amount_minor)
    straight = np.zeros(size, np.int64)
    is_home = np.isin(edges.seq, list(home))
    np.add.at(straight, ends[: len(edges)][is_home], [home[seq] for seq in edges.seq[is_home].tolist()])
    most = straight
    for _ in range(legs - 1):
        onward = straight.copy()
        np.add.at(onward, pairs // size, np.minimum(paid, most[pairs % size]))
        most = onward
    return int(most[ends[-1]])


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
    legs, cut = list(loan), len(followed) == bounds.max_accounts
    limits = [*reached.limits, *([Limit(name="accounts", bound=bounds.max_accounts)] if cut else [])]
    for account in sorted(followed):
        window = (account, since_us, until_us, context.as_of, bounds.max_edges)
        legs += legs_of(context.graph.edges_in(*window))
        legs += legs_of(context.graph.edges_out(*window))
    ordered = in_order(leg for leg in legs if leg.currency == loan[0].currency)
    money = fifo(ordered, {leg.seq for leg in loan}, followed)
    return Trace(loan, ordered, money, tuple(limits), bounds.max_legs)


def _until_us(context: Context, loan: Sequence[Leg], bounds: Bounds) -> int:
    return min(context.now_us, loan[-1].ts_us + bounds.window_days * DAY)


def _followed(
    borrower: int, reached: Reached, bounds: Bounds, is_passed: Callable[[int], bool]
) -> frozenset[int]:
    """The nearest accounts first, up to the bound."""
    hubs = set(reached.hubs.tolist())
    followed = {borrower}
    for place in np.lexsort((reached.edges.seq, reached.hops)).tolist():
        account = int(reached.edges.dst[place])
        near = int(reached.hops[place]) < bounds.max_legs - 1
        if near and account not in hubs and account not in followed and is_passed(account):
            followed.add(account)
        if len(followed) == bounds.max_accounts:
            break
    return frozenset(followed)
