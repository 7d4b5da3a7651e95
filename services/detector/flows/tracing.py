"""Following a loan: the bounded subgraph that its money could have entered, and how much did.

Time-respecting paths from the borrower's account, and a method of attribution through every account on
them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, Protocol

import numpy as np

from attribution import Method, carry
from compiled import Array, Int32s, Int64s, kernel
from schemas.alert import Limit
from schemas.instant import DAY
from services.detector.ascending import distinct, place_of
from services.detector.distinct import number_of, numbered, numbers_for
from services.detector.graph import Branches, Edges, Reached
from services.detector.legs import Leg, legs_of
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


class Trace(NamedTuple):
    """The transfers that carried any of the loan, in order, and how much each did over at most `max_legs`
    legs. `read`: of the graph that they are in."""

    read: Callable[[Int64s], Edges]
    seq: Int64s
    src: Int32s
    dst: Int32s
    carried_minor: Int64s
    limits: tuple[Limit, ...]

    @property
    def edges(self) -> Edges:
        return self.read(self.seq)

    def carriers(self) -> dict[Leg, int]:
        """The legs that carried any of the loan, and how much."""
        return dict(zip(legs_of(self.edges), self.carried_minor.tolist(), strict=True))

    def carriers_to(self, accounts: Collection[int]) -> dict[Leg, int]:
        """Those of them that pay one of `accounts`."""
        rows = [row for row, payee in enumerate(self.dst.tolist()) if payee in accounts]
        paid = legs_of(self.read(self.seq.take(rows)))
        return dict(zip(paid, self.carried_minor.take(rows).tolist(), strict=True))

    def towards(self, ends: Collection[Leg]) -> dict[int, int]:
        """What was carried on some way to the payers of `ends`, by sequence number."""
        src, dst = self.src.tolist(), self.dst.tolist()
        payers: dict[int, set[int]] = {}
        for payer, payee in zip(src, dst, strict=True):
            payers.setdefault(payee, set()).add(payer)
        on_the_way, ahead = set[int](), [leg.src for leg in ends]
        while ahead:
            account = ahead.pop()
            if account not in on_the_way:
                on_the_way.add(account)
                ahead += payers.get(account, ())
        carried = zip(self.seq.tolist(), dst, self.carried_minor.tolist(), strict=True)
        return {seq: minor for seq, payee, minor in carried if payee in on_the_way}


PAIR: Final = np.dtype([("payer", "<i4"), ("payee", "<i4"), ("minor", "<i8")])
"""All that one account paid another, by their places."""


@dataclass(frozen=True, slots=True, eq=False)
class Homeward:
    """`minor[i]`: no more of the loan than this can have come home by way of account `accounts[i]`."""

    accounts: Int32s
    minor: Int64s

    def of(self, account: int) -> int:
        place = int(np.searchsorted(self.accounts, account))
        return int(self.minor[place]) if self.accounts[place] == account else 0

    def ways(self) -> Int32s:
        """The accounts by way of which any can have come home, ascending."""
        return self.accounts[self.minor > 0]


def reach(context: Context, loan: Sequence[Leg], bounds: Bounds) -> Reached:
    """Every transfer that the money of `loan` could have taken: payments of one currency into one
    account, in time order, followed for at most `window_days` after the last of them."""
    return context.graph.forward(*_paths(context, loan, bounds))


def branches(context: Context, loan: Sequence[Leg], bounds: Bounds, least_minor: int) -> Branches:
    """The accounts by way of which at least so much can have gone on, of what reach() finds."""
    return context.graph.branches(*_paths(context, loan, bounds), least_minor)


def nearest(borrower: int, reached: Reached, bounds: Bounds, ways: Int32s) -> Branches:
    """Those of `ways`, ascending, that paths from the borrower lead through, and that are no hubs."""
    edges, rows = reached.edges.records, np.full(ways.size, -1, np.int64)
    barred = np.append(reached.hubs, np.int32(borrower))
    find_nearest(edges, reached.hops, bounds.max_legs - 1, ways, barred, rows)
    (found,) = (rows >= 0).nonzero()
    rows = rows[found]
    order = np.lexsort((edges["seq"][rows], reached.hops[rows]))
    return Branches(ways[found[order]], reached.limits)


def homeward(reached: Reached, home: Mapping[int, int], legs: int) -> Homeward:
    """`home`: how much each transfer home brings at most, by sequence number.

    What an account can bring home over h legs is what it pays home itself, and for each payee the
    smaller of what it pays there and what that one can bring home over h - 1: whatever the rule of
    attribution, money is conserved.
    """
    edges, seqs = reached.edges, sorted(home)
    brought = np.array([seqs, [home[seq] for seq in seqs]], np.int64)
    accounts = distinct(np.concatenate((edges.src, edges.dst)))
    numbers, pairs = numbers_for(len(edges)), np.zeros(len(edges), PAIR)
    straight, onward, most = np.zeros((3, accounts.size), np.int64)
    sum_homeward(edges.records, accounts, brought, legs, numbers, pairs, straight, onward, most)
    return Homeward(accounts, most)


def passed(borrower: int, branches: Branches, bounds: Bounds, is_passed: Callable[[int], bool]) -> Int32s:
    """The borrower and the branches that are passed, the nearest up to the bound; ascending."""
    others = islice(filter(is_passed, branches.accounts.tolist()), bounds.max_accounts - 1)
    return np.array(sorted((borrower, *others)), np.int32)


def follow(
    context: Context,
    loan: Sequence[Leg],
    bounds: Bounds,
    followed: Int32s,
    limits: tuple[Limit, ...],
) -> Trace:
    """Follow `loan` through the accounts `followed`; `limits`: of the search that found them."""
    since_us, until_us = loan[0].ts_us, last_us(context, loan, bounds)
    cut = len(followed) == bounds.max_accounts
    limits = (*limits, *([Limit(name="accounts", bound=bounds.max_accounts)] if cut else []))
    origins = np.array(sorted(leg.seq for leg in loan), np.int64)
    went = context.graph.through(
        followed, origins, loan[0].currency, since_us, until_us, context.as_of, bounds.max_edges
    )
    carried = carry(went.payments, followed.size, bounds.max_legs, Method(bounds.attribution)).by_legs
    (carriers,) = carried.nonzero()
    ends = (went.src.take(carriers), went.dst.take(carriers))
    return Trace(context.graph.read, went.seq.take(carriers), *ends, carried.take(carriers), limits)


def places(followed: Int32s, accounts: Int32s) -> Int32s:
    """Of each account among those followed, which are ascending; -1: it is not."""
    places = np.minimum(np.searchsorted(followed, accounts), followed.size - 1)
    return np.where(followed[places] == accounts, places, -1).astype(np.int32)


def last_us(context: Context, loan: Sequence[Leg], bounds: Bounds) -> int:
    """Until when the money of `loan` is followed."""
    return min(context.now_us, loan[-1].ts_us + bounds.window_days * DAY)


def _paths(context: Context, loan: Sequence[Leg], bounds: Bounds) -> tuple[int, int, int, int, int, int, int]:
    """What the graph is asked of the paths from the borrower."""
    from_us, until_us = loan[0].ts_us, last_us(context, loan, bounds)
    most = (bounds.max_legs - 1, bounds.max_edges, bounds.hub_degree)
    return (loan[0].dst, from_us, until_us, context.as_of, *most)


@kernel
def find_nearest(
    edges: Array, hops: Int32s, legs: int, ways: Int32s, barred: Int32s, nearest: Int64s
) -> None:
    """Of each way but those `barred` the row of the first transfer into it over the fewest legs, which are
    fewer than `legs`."""
    for row in range(edges.size):
        place = place_of(ways, edges[row].dst) if hops[row] < legs else -1
        if place >= 0:
            best = nearest[place]
            if best < 0 or (hops[row], edges[row].seq) < (hops[best], edges[best].seq):
                nearest[place] = row
    for account in barred:
        place = place_of(ways, account)
        if place >= 0:
            nearest[place] = -1


@kernel
def sum_homeward(
    edges: Array,
    accounts: Int32s,
    brought: Int64s,
    legs: int,
    numbers: Array,
    pairs: Array,
    straight: Int64s,
    onward: Int64s,
    most: Int64s,
) -> None:
    """Fill `most`. `brought`: the transfers home, ascending, and how much each brings at most."""
    for row in range(edges.size):
        edge = edges[row]
        payer, payee = place_of(accounts, edge.src), place_of(accounts, edge.dst)
        pair = pairs[number_of(numbers, payer * accounts.size + payee)]
        pair.payer = payer
        pair.payee = payee
        pair.minor += edge.amount_minor
        home = place_of(brought[0], edge.seq)
        if home >= 0:
            straight[payer] += brought[1, home]
    for leg in range(legs):
        for place in range(accounts.size):
            onward[place] = straight[place]
        for each in range(numbered(numbers) if leg > 0 else 0):
            pair = pairs[each]
            onward[pair.payer] += min(pair.minor, most[pair.payee])
        for place in range(accounts.size):
            most[place] = onward[place]
