"""The rolling account graph: a window of transfers, and questions about them."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import networkx as nx
import numpy as np
import pyarrow as pa

from compiled import Array, Bools, Int32s, Int64s, direct
from schemas.account import TOKEN_BYTES
from schemas.batch import SCHEMA, BatchId, TransferBatch
from schemas.transaction import Purpose
from services.detector.graph.answers import Edges
from services.detector.graph.paths import Paths
from services.detector.graph.shapes import Shapes
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
from services.detector.graph.through import Passed, Room, Through, list_through, new_room

_list_through: Final = direct(list_through)
_sum_paid: Final = direct(sum_paid)
_is_any_wanted: Final = direct(is_any_wanted)
_pays_as_much: Final = direct(pays_as_much)
_MOVES_AT_HAND: Final = 4_096
_WARM_ROW: Final = {field.name: 0 if pa.types.is_integer(field.type) else "" for field in SCHEMA} | {
    "src": b"s" * TOKEN_BYTES,
    "dst": b"d" * TOKEN_BYTES,
}


class RollingGraph(Paths):
    """Beside lists and paths: what transfers come to, and what went through some accounts. As Listing says, a
    question sees what existed just after one row, and of more than its limit those logged last count."""

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
        graph.paid(account, 0, np.zeros(2, np.uint32), 0, 0, 0, as_of, 1)
        graph.pays(account, 0, 0, 0, as_of, 1)
        graph.traded(account, Trade(0, 0, 1, 1, 0), 0, 0, as_of, 1)
        graph.backward(account, 0, 0, as_of, 1, 1, 1)
        graph.branches(account, 0, 0, as_of, 1, 1, 1, 0)
        graph.token(graph.intern(bytes(TOKEN_BYTES)))

    def through(
        self,
        followed: Int32s,
        origins: Int64s,
        currency: int,
        since_us: int,
        until_us: int,
        as_of: int,
        limit: int,
    ) -> Passed:
        """The payments in one currency that edges_around() lists, and those numbered `origins`, until the
        next question: what accounts that are not `followed` paid, up to the next payment to tell apart, as
        one sum. `followed` and `origins` are ascending, and neither is empty."""
        self._known(int(followed[0]))
        self._known(int(followed[-1]))
        asked = Through(followed, origins, currency, limit, self._view(since_us, until_us, as_of))
        graph = (self._state.ring, self._state.accounts.records, self._crowded)
        at, room = np.empty((2, followed.size), np.int64), self._moves
        moves, payments = _list_through(*graph, asked, at, room)
        if moves > room.moves.size:
            room = new_room(moves)
            _, payments = _list_through(*graph, asked, at, room)
        return room.passed.first(payments)

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
        return Paid(*_sum_paid(self._state.ring, records, account, currency, marks, counted, view, limit))

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
        view, found = self._view(since_us, until_us, as_of), np.zeros(accounts.size, np.bool_)
        graph, room = (self._state.ring, self._state.accounts.records), np.empty(payers, np.int32)
        crowded = self._crowded
        find_crowded(*graph, crowded, accounts, most_minor, least_minor, view, limit, room, found)
        return found

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
        return _pays_as_much(self._state.ring, records, account, least_minor, view, limit)

    def was_paid(
        self, account: int, wanted: Wanted, since_us: int, until_us: int, as_of: int, limit: int
    ) -> bool:
        """One of the transfers that edges_in() lists is `wanted`."""
        self._known(account)
        view, records = self._view(since_us, until_us, as_of), self._state.accounts.records
        return _is_any_wanted(self._state.ring, records, account, wanted, view, limit)

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
    def _few(self) -> Sheet:
        return new_sheet(FEW)

    @cached_property
    def _moves(self) -> Room:
        return new_room(_MOVES_AT_HAND)
