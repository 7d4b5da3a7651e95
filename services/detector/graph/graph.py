"""The rolling account graph: a window of transfers, and questions about them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Final

import networkx as nx
import numpy as np
import pyarrow as pa

from compiled import Array, Bools, Int32s, Int64s
from schemas.account import TOKEN_BYTES
from schemas.alert import Limit
from schemas.batch import SCHEMA, BatchId, TransferBatch
from schemas.errors import Unknown
from schemas.transaction import Purpose
from services.detector.graph.answers import Branches, Edges, Reached
from services.detector.graph.branches import BRANCH, reach_branches
from services.detector.graph.brought import Brought, may_be_brought
from services.detector.graph.carried import ANY
from services.detector.graph.columns import copied, in_order
from services.detector.graph.crowded import Crowded, new_crowded
from services.detector.graph.lists import (
    EDGE,
    INWARD,
    OUTWARD,
    Reading,
    View,
    list_around,
    list_transfers,
    read_transfers,
)
from services.detector.graph.ordering import distinct_in_order
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
from services.detector.graph.shapes import Shapes
from services.detector.graph.state import Records, Walked
from services.detector.graph.sums import (
    FEW,
    Paid,
    Payees,
    Sheet,
    Trade,
    Traded,
    Wanted,
    find_crowded,
    find_large_before,
    is_any_wanted,
    new_sheet,
    payees_of,
    pays_as_much,
    sum_paid,
    traded_of,
)
from services.detector.graph.through import Room, Through, list_through, new_room
from services.detector.graph.window import Window

_EDGES_AT_HAND: Final = 10_240
"""Twice as many transfers as the typologies ask for of one account."""
_MOVES_AT_HAND: Final = 4_096
_LEGS_AT_HAND: Final = 2_000
"""As many as the typologies let a search find."""
_WARM_ROW: Final = {field.name: 0 if pa.types.is_integer(field.type) else "" for field in SCHEMA} | {
    "src": b"s" * TOKEN_BYTES,
    "dst": b"d" * TOKEN_BYTES,
}


class RollingGraph(Window):
    """A question sees what existed just after one row of the batch applied last: it passes that row's
    `as_of`. Times are inclusive; a list that is over its limit is of those logged last."""

    _searches = 0
    """Numbers of searches that were given to labels."""

    @staticmethod
    def warm() -> None:
        """Compile every kernel, or load it from the cache beside the source, on a tiny stream."""
        graph = RollingGraph(window_us=1, lateness_us=1, max_transfers=4, max_accounts=4)
        columns = pa.RecordBatch.from_pylist([_WARM_ROW], schema=SCHEMA)
        applied = graph.apply(TransferBatch(BatchId("warm", "warm", 0), columns))
        graph.apply_and_search(TransferBatch(BatchId("warm", "warm", 1), columns), Shapes())
        account, as_of = int(applied.dst[0]), int(applied.as_of[0])
        graph.mark(account, 1)
        graph.edges_in(account, 0, 0, as_of, 1)
        graph.edges_around(np.array([account], np.int32), 0, 0, as_of, 1)
        graph.edges_out_of(np.array([account], np.int32), 0, 0, as_of, 1)
        graph.through(np.array([account], np.int32), np.array([as_of]), 0, 0, 0, as_of, 1)
        graph.payees(account, 0, 0, as_of, 1)
        some = np.array([account], np.int32)
        graph.may_be_brought(Brought(some, some, False, 0, 0, 1), 0, 0, as_of, 1)
        graph.paid(account, 0, np.zeros(2, np.uint32), 0, 0, 0, as_of, 1)
        graph.pays(account, 0, 0, 0, as_of, 1)
        graph.traded(account, Trade(0, 0, 1, 1, 0), 0, 0, as_of, 1)
        graph.backward(account, 0, 0, as_of, 1, 1, 1)
        graph.branches(account, 0, 0, as_of, 1, 1, 1, 0)
        graph.token(graph.intern(bytes(TOKEN_BYTES)))

    def edges_in(self, account: int, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers into `account` with since_us <= time <= until_us, to oneself and from OUTSIDE too.

        Over `limit`: those logged last. Raises Unknown for an account or an `as_of` that is not known.
        """
        return self._list(account, INWARD, self._view(since_us, until_us, as_of), limit)

    def edges_out(self, account: int, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers out of `account`, as edges_in()."""
        return self._list(account, OUTWARD, self._view(since_us, until_us, as_of), limit)

    def reading(self, account: int, since_us: int, until_us: int, as_of: int) -> Reading:
        """How kernels elsewhere read what edges_in() and edges_out() answer: read_both(*reading, …)."""
        self._known(account)
        view = self._view(since_us, until_us, as_of)
        return Reading(self._state.ring, self._state.accounts.records, account, view)

    def edges_around(self, accounts: Int32s, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers into and out of any of `accounts`, each once; over `limit` into one of them, or out of
        one, those logged last. As edges_in()."""
        view = self._view(since_us, until_us, as_of)
        return self._list_around(accounts, (INWARD, OUTWARD), view, limit)

    def edges_out_of(self, accounts: Int32s, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers out of any of `accounts`; over `limit` out of one of them, those logged last. As
        edges_in()."""
        return self._list_around(accounts, (OUTWARD,), self._view(since_us, until_us, as_of), limit)

    def through(
        self,
        followed: Int32s,
        origins: Int64s,
        currency: int,
        since_us: int,
        until_us: int,
        as_of: int,
        limit: int,
    ) -> Array:
        """The payments in one currency that edges_around() lists, and those numbered `origins`, as
        attribution takes them (PAYMENT): what accounts that are not `followed` paid, up to the next payment
        to tell apart, as one sum. `followed` and `origins` are ascending, and neither is empty."""
        self._known(int(followed[0]))
        self._known(int(followed[-1]))
        asked = Through(followed, origins, currency, limit, self._view(since_us, until_us, as_of))
        graph = (self._state.ring, self._state.accounts.records, self._crowded)
        at, room = np.empty((2, followed.size), np.int64), self._moves
        moves, payments = list_through(*graph, asked, at, room)
        if moves > room.moves.size:
            room = new_room(moves)
            _, payments = list_through(*graph, asked, at, room)
        return room.payments[:payments]

    def payees(self, account: int, since_us: int, until_us: int, as_of: int, limit: int) -> Payees:
        """Whom the transfers pay that edges_out() lists, and how much."""
        self._known(account)
        view = self._view(since_us, until_us, as_of)
        ring, records = self._state.ring, self._state.accounts.records
        return payees_of(ring, records, account, view, limit, self._few)

    def paid(
        self,
        account: int,
        currency: int,
        marks: Array,
        counted: int,
        since_us: int,
        until_us: int,
        as_of: int,
        limit: int,
    ) -> Paid:
        """What the transfers that edges_out() lists come to in one currency: in all, and by whether the
        `marks` of who was paid are of those `counted`."""
        self._known(account)
        view, records = self._view(since_us, until_us, as_of), self._state.accounts.records
        return Paid(*sum_paid(self._state.ring, records, account, currency, marks, counted, view, limit))

    def traded(
        self, account: int, trade: Trade, since_us: int, until_us: int, as_of: int, limit: int
    ) -> tuple[Payees, Traded]:
        """What payees() answers, and what falls short of the trade with others that edges_out() and
        edges_in() list."""
        self._known(account)
        view = self._view(since_us, until_us, as_of)
        ring, records = self._state.ring, self._state.accounts.records
        return traded_of(ring, records, account, view, limit, trade, self._few)

    def are_crowded(
        self,
        accounts: Int32s,
        most_minor: Int64s,
        payers: int,
        least_minor: int,
        since_us: int,
        until_us: int,
        as_of: int,
        limit: int,
    ) -> Bools:
        """Into which of `accounts` the transfers that edges_in() lists come to no more than the `most_minor`
        that is theirs, and those of at least `least_minor` are of so many payers or more, OUTSIDE none."""
        self._all_known(accounts)
        view, crowded = self._view(since_us, until_us, as_of), np.zeros(accounts.size, np.bool_)
        ring, records, room = self._state.ring, self._state.accounts.records, np.empty(payers, np.int32)
        find_crowded(ring, records, accounts, most_minor, least_minor, view, limit, room, crowded)
        return crowded

    def paid_before(
        self, payments: Array, least_minor: Int64s, since_us: int, as_of: int, limit: int
    ) -> Bools:
        """The payers of which of `payments` (records of Edges) had been paid as much at once as the
        `least_minor` that is theirs, or more, in the same currency: by a transfer that edges_in() lists from
        `since_us` until the payment."""
        self._all_known(payments["src"])
        view, found = self._view(since_us, since_us, as_of), np.zeros(payments.size, np.bool_)
        records = self._state.accounts.records
        find_large_before(self._state.ring, records, payments, least_minor, view, limit, found)
        return found

    def pays(
        self, account: int, least_minor: int, since_us: int, until_us: int, as_of: int, limit: int
    ) -> bool:
        """The transfers that edges_out() lists come to as much, or are over the limit."""
        self._known(account)
        view, records = self._view(since_us, until_us, as_of), self._state.accounts.records
        return pays_as_much(self._state.ring, records, account, least_minor, view, limit)

    def was_paid(
        self, account: int, wanted: Wanted, since_us: int, until_us: int, as_of: int, limit: int
    ) -> bool:
        """One of the transfers that edges_in() lists is `wanted`."""
        self._known(account)
        view, records = self._view(since_us, until_us, as_of), self._state.accounts.records
        return is_any_wanted(self._state.ring, records, account, wanted, view, limit)

    def may_be_brought(self, brought: Brought, since_us: int, until_us: int, as_of: int, limit: int) -> bool:
        """False: the transfers that edges_in() lists of the takers come to less."""
        self._all_known(brought.takers)
        view, records = self._view(since_us, until_us, as_of), self._state.accounts.records
        return may_be_brought(self._state.ring, records, brought, view, limit)

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
        cut, count = reach_branches(self._walked, asked, account, least_minor, room)
        found = room[:count]
        nearest = np.lexsort((found["seq"], found["hops"]))
        return Branches(found["account"][nearest].astype(np.int32), self._limits_of(asked, *cut))

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
        limits = (_limit("edges", max_edges),) if is_cut else ()
        return self.edges(left[:count]), limits

    def edges(self, seqs: Iterable[int]) -> Edges:
        """These transfers. Raises Unknown when one is not held any more."""
        wanted = np.unique(np.fromiter(seqs, np.int64))
        if wanted.size:
            self._held(int(wanted[0]))
            self._held(int(wanted[-1]))
        records = self._read(wanted)
        return Edges(records.take(in_order(records)))

    def read(self, seqs: Int64s) -> Edges:
        """These transfers, in the order asked. Raises Unknown when one is not held any more."""
        for seq in (seqs.min(initial=self._oldest), seqs.max(initial=self._oldest)):
            self._held(int(seq))
        return Edges(self._read(seqs))

    def oldest(self, as_of: int) -> int:
        """Sequence number of the oldest transfer that was live just after the row of `as_of`."""
        return self._view(0, 0, as_of).oldest

    def to_networkx(self, edges: Edges) -> nx.MultiDiGraph[str]:
        """Nodes are tokens in hex; an edge's key is its sequence number."""
        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        seqs = sorted(edges.seq.tolist())
        ids = dict(zip(seqs, self.transfer_ids(seqs), strict=True))
        for place in range(len(edges)):
            seq = int(edges.seq[place])
            feed_id, tx_id = ids[seq]
            graph.add_edge(
                self.token(int(edges.src[place])).hex(),
                self.token(int(edges.dst[place])).hex(),
                key=seq,
                ts_us=int(edges.ts_us[place]),
                amount_minor=int(edges.amount_minor[place]),
                purpose=Purpose(int(edges.purpose[place])).name,
                product=self.product(int(edges.product[place])),
                currency=self.currency(int(edges.currency[place])),
                tx_id=tx_id,
                feed_id=feed_id,
            )
        return graph

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
    def _edges(self) -> Array:
        """Room for an answer, used again."""
        return np.empty(_EDGES_AT_HAND, EDGE)

    @cached_property
    def _few(self) -> Sheet:
        return new_sheet(FEW)

    @cached_property
    def _moves(self) -> Room:
        return new_room(_MOVES_AT_HAND)

    @cached_property
    def _branches(self) -> Array:
        return np.empty(_LEGS_AT_HAND, BRANCH)

    @cached_property
    def _scratch(self) -> Scratch:
        return new_scratch(_LEGS_AT_HAND)

    @cached_property
    def _crowded(self) -> Crowded:
        return new_crowded()

    @cached_property
    def _walked(self) -> Walked:
        return Walked(self._state.ring, Records(self._state.accounts.records))

    def _view(self, since_us: int, until_us: int, as_of: int) -> View:
        place = as_of - self._first
        if not -1 <= place < self._heads.size:
            raise Unknown(f"{as_of} is not a row of the batch applied last")
        oldest = self._oldest if place < 0 else int(self._heads[place])
        return View(oldest, as_of, since_us, until_us)

    def _list(self, account: int, direction: int, view: View, limit: int) -> Edges:
        self._known(account)
        room = self._room(limit)
        ring, accounts = self._state.ring, self._state.accounts.records
        return _listed(room, *list_transfers(ring, accounts, account, direction, view, room))

    def _room(self, edges: int) -> Array:
        """For an answer; what was there before is lost."""
        return self._edges[:edges] if edges <= self._edges.size else np.empty(edges, EDGE)

    def _list_around(self, accounts: Int32s, directions: tuple[int, ...], view: View, limit: int) -> Edges:
        self._all_known(accounts)
        asked = (self._state.ring, self._state.accounts.records, accounts, directions, view, limit)
        room = self._edges
        count, truncated = list_around(*asked, room)
        if count > room.size:
            room = np.empty(count, EDGE)
            list_around(*asked, room)
        (places, spare), ordered = np.empty((2, count), np.int32), np.empty(count, EDGE)
        return Edges(ordered[: distinct_in_order(room, places, spare, ordered)], truncated)

    def _read(self, seqs: Int64s) -> Array:
        """EDGE records."""
        records = np.empty(seqs.size, EDGE)
        read_transfers(self._state.ring, seqs, records)
        return records

    def _reach(
        self, account: int, direction: int, view: View, max_hops: int, max_edges: int, hub_degree: int
    ) -> Reached:
        asked = self._asked(account, direction, view, max_hops, max_edges, hub_degree)
        limits = self._limits_of(asked, *reach(self._walked, asked, account))
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
        bounds = (
            ("hops", asked.max_hops, beyond),
            ("edges", asked.found.size, more),
            ("hub_degree", asked.hub_degree, is_hub_met),
        )
        return tuple(_limit(name, bound) for name, bound, is_hit in bounds if is_hit) + self.limits


@lru_cache(maxsize=1_000)
def _limit(name: str, bound: int) -> Limit:
    return Limit(name=name, bound=bound)


def _listed(room: Array, count: int, ordered: bool) -> Edges:
    """An answer of list_transfers()."""
    found = room[room.size - min(count, room.size) :]
    return Edges(copied(found) if ordered else found.take(in_order(found)), count > room.size)
