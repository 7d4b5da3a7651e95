"""Time-respecting paths: what money could have reached, and which way it may have come home."""

from __future__ import annotations

from functools import cached_property, lru_cache
from itertools import compress
from typing import Final

import numpy as np

from compiled import Array, Bools, Int64s, direct
from schemas.alert import Limit
from services.detector.graph.answers import Branches, Edges, Reached
from services.detector.graph.branches import BRANCH, reach_branches
from services.detector.graph.carried import ANY
from services.detector.graph.columns import in_order
from services.detector.graph.listing import Listing
from services.detector.graph.lists import (
    INWARD,
    OUTWARD,
    View,
)
from services.detector.graph.reach import (
    Scratch,
    Search,
    new_crowds,
    new_labels,
    new_scratch,
    new_search,
    reach,
)
from services.detector.graph.returning import Coming, Departing, Way, find_returning, list_departures
from services.detector.graph.state import Records, Walked

_reach: Final = direct(reach)
_reach_branches: Final = direct(reach_branches)
_LEGS_AT_HAND: Final = 2_000
"""As many as the typologies let a search find."""


class Paths(Listing):
    _searches = 0
    """Numbers of searches that were given to labels."""

    def backward(
        self,
        account: int,
        at_us: int,
        since_us: int,
        as_of: int,
        max_hops: int,
        max_edges: int,
        hub_degree: int,
    ) -> Reached:
        """Legs of the time-respecting paths that end at `account` by `at_us` (inclusive).

        Each leg is before the next: earlier, or at the same time with a lower sequence number. No leg
        is before `since_us`, is a transfer to oneself, or has OUTSIDE as an end. An account other than
        `account` with more than `hub_degree` transfers in since `since_us` is not passed.
        """
        view = self._view(since_us, at_us, as_of)
        return self._reach(account, INWARD, view, max_hops, max_edges, hub_degree)

    def forward(
        self,
        account: int,
        from_us: int,
        until_us: int,
        as_of: int,
        max_hops: int,
        max_edges: int,
        hub_degree: int,
    ) -> Reached:
        """Legs of the time-respecting paths that start at `account` at `from_us` (inclusive) or later
        and end by `until_us`; as backward(), with transfers out for transfers in."""
        view = self._view(from_us, until_us, as_of)
        return self._reach(account, OUTWARD, view, max_hops, max_edges, hub_degree)

    def branches(
        self,
        account: int,
        from_us: int,
        until_us: int,
        as_of: int,
        max_hops: int,
        max_edges: int,
        hub_degree: int,
        least_minor: int,
    ) -> Branches:
        """The accounts that paths of forward() lead through and much money went: on all of its legs, at
        least `least_minor` came to each and as much went on. Neither `account` nor a hub is one of them."""
        view = self._view(from_us, until_us, as_of)
        asked = self._asked(account, OUTWARD, view, max_hops, max_edges, hub_degree)
        room = self._branches if max_edges <= self._branches.size else np.empty(max_edges, BRANCH)
        cut, count = _reach_branches(self._walked, asked, account, least_minor, room)
        return Branches(asked.layer[:count].copy(), self._limits_of(asked, *cut))

    def returning(
        self, coming: Coming, departing: Departing, way: Way, max_edges: int, hub_degree: int
    ) -> Bools:
        """Which transfers of the batch applied last may bring money home: those with departures()."""
        asked, left = self._departures(coming.seq.size, max_edges, hub_degree)
        chosen = np.zeros(coming.seq.size, np.bool_)
        oldest = self._heads[coming.seq - self._first]
        find_returning(self._state, asked, coming, oldest, departing, way, left, chosen)
        return chosen

    def departures(
        self, coming: Coming, departing: Departing, way: Way, max_edges: int, hub_degree: int
    ) -> tuple[Edges, tuple[Limit, ...]]:
        """Of one transfer of the batch applied last: the legs by which what it brings home may have left it,
        and the limit "edges" where a bound kept some from being found. A path passes no hub, as backward()'s
        does not, with the degree counted from when the first leg left."""
        asked, left = self._departures(1, max_edges, hub_degree)
        oldest = int(self._heads[coming.seq[0] - self._first])
        count, is_cut = list_departures(self._state, asked, coming, 0, oldest, departing, way, left)
        limits = (Limit(name="edges", bound=max_edges),) if is_cut else ()
        return self.edges(left[:count]), limits

    # -- how -------------------------------------------------------------------------------------

    @cached_property
    def _labels(self) -> Array:
        return new_labels(self.max_accounts)

    @cached_property
    def _crowds_in(self) -> Array:
        return new_crowds(self.max_accounts)

    @cached_property
    def _crowds_out(self) -> Array:
        return new_crowds(self.max_accounts)

    @cached_property
    def _branches(self) -> Array:
        return np.empty(_LEGS_AT_HAND, BRANCH)

    @cached_property
    def _scratch(self) -> Scratch:
        return new_scratch(_LEGS_AT_HAND)

    @cached_property
    def _walked(self) -> Walked:
        return Walked(self._state.ring, Records(self._state.accounts.records))

    def _reach(
        self, account: int, direction: int, view: View, max_hops: int, max_edges: int, hub_degree: int
    ) -> Reached:
        asked = self._asked(account, direction, view, max_hops, max_edges, hub_degree)
        limits = self._limits_of(asked, *_reach(self._walked, asked, account))
        legs, met = int(asked.progress["legs"][0]), int(asked.progress["hubs"][0])
        records = self._read(asked.found[:legs])
        order = in_order(records)
        return Reached(Edges(records.take(order)), asked.hops[:legs][order], asked.hubs[:met].copy(), limits)

    def _departures(self, transfers: int, max_edges: int, hub_degree: int) -> tuple[Search, Int64s]:
        """A search for as many transfers, one after the other, and room for their departures."""
        view, number = self._view(0, 0, self._first - 1), self._searches + 1
        self._searches += transfers
        graph, scratch = (self._labels, self._crowds_in), self._scratch_for(max_edges)
        asked = new_search(*graph, number, INWARD, view, ANY, 0, hub_degree, scratch)
        return asked, np.empty(max_edges, np.int64)

    def _scratch_for(self, max_edges: int) -> Scratch:
        """What was found in it before is lost."""
        if self._scratch.found.size != max_edges:
            self._scratch = new_scratch(max_edges)
        return self._scratch

    def _asked(
        self, account: int, direction: int, view: View, max_hops: int, max_edges: int, hub_degree: int
    ) -> Search:
        """A search with a number of its own, in room that the next one uses again."""
        self._known(account)
        self._searches += 1
        crowds = self._crowds_in if direction == INWARD else self._crowds_out
        graph, scratch = (self._labels, crowds), self._scratch_for(max_edges)
        return new_search(*graph, self._searches, direction, view, ANY, max_hops, hub_degree, scratch)

    def _limits_of(self, asked: Search, more: bool, beyond: bool, is_hub_met: bool) -> tuple[Limit, ...]:
        """Of what reach() answered."""
        bounds = (asked.max_hops, asked.found.size, asked.hub_degree)
        return _limits(*bounds, beyond, more, is_hub_met) + self.limits(asked.scope.newest)


@lru_cache(maxsize=1_000)
def _limits(hops: int, edges: int, hub_degree: int, *is_hit: bool) -> tuple[Limit, ...]:
    """Those of the three that are hit."""
    bounds = {"hops": hops, "edges": edges, "hub_degree": hub_degree}
    return tuple(Limit(name=name, bound=bounds[name]) for name in compress(bounds, is_hit))
