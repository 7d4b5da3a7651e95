"""The rolling account graph: the transfers of a window of event time, and questions about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

import networkx as nx
import numpy as np
import pyarrow as pa

from compiled import Array, Bools, Int32s, Int64s, Record, read_only
from schemas.account import TOKEN_BYTES
from schemas.alert import Limit
from schemas.batch import SCHEMA, BatchId, TransferBatch
from schemas.errors import InvalidSetting, Unavailable, Unknown
from schemas.transaction import Purpose
from services.detector.graph.accounts import OUTSIDE_INDEX, intern, intern_rows, look_up, new_accounts
from services.detector.graph.adjacency import new_adjacency
from services.detector.graph.answers import Applied, Branches, Edges, Reached
from services.detector.graph.arcs import MOST_AGE_US
from services.detector.graph.branches import BRANCH, find_branches
from services.detector.graph.codes import Codes
from services.detector.graph.columns import copied, in_order, rows_of
from services.detector.graph.hunt import found_by, new_hunt
from services.detector.graph.invariants import check
from services.detector.graph.lists import (
    EDGE,
    INWARD,
    OUTWARD,
    View,
    list_around,
    list_transfers,
    read_transfers,
)
from services.detector.graph.neighbours import add_marks
from services.detector.graph.ordering import distinct_in_order
from services.detector.graph.reach import Search, new_labels, new_search, reach
from services.detector.graph.returning import Coming, Departing, find_returning, new_departures
from services.detector.graph.ring import NEVER_US, Segments, new_ring
from services.detector.graph.searches import apply_and_search_rows, apply_rows
from services.detector.graph.shapes import Found, Shapes
from services.detector.graph.state import INSERTED, RULES, Rows, State
from services.detector.graph.sums import (
    Payees,
    Wanted,
    find_large_before,
    find_more_taken,
    is_any_wanted,
    payees_of,
)
from services.detector.graph.table import new_table
from services.detector.graph.transfer_ids import TransferIds

_answered: Final = attrgetter(*(field.name for field in fields(Applied)))
"""Of the columns of a batch: those of the answer."""
MOST_TRANSFERS: Final = 1 << 30
MOST_ACCOUNTS: Final = 1 << 30
LONGEST_SEARCHED_US: Final = MOST_AGE_US // 2
"""50 days. A transfer that comes late may stay as long again, behind others that are to stay."""
_EDGES_AT_HAND: Final = 4_096
_HEX_DIGITS: Final = 2 * TOKEN_BYTES
EVERY_MARK: Final = 2**32 - 1
_WARM_ROW: Final = {field.name: 0 if pa.types.is_integer(field.type) else "" for field in SCHEMA} | {
    "src": b"s" * TOKEN_BYTES,
    "dst": b"d" * TOKEN_BYTES,
}


@dataclass(frozen=True, slots=True)
class Counters:
    """Rows since the start, by what became of them, and transfers that left the window."""

    inserted: int
    duplicates: int
    late: int
    too_late: int
    refused: int
    expired: int
    shortened: int
    """Transfers expired before their time, because the window held `max_transfers`."""


class RollingGraph:
    """Transfers whose time is within `window_us` + `lateness_us` of the clock, and their accounts.

    Times are UTC microseconds of event time, and the clock is the greatest of them. Every row is
    handled as if it came alone, so nothing depends on how the log was cut into batches. An account is
    an index, valid for the life of the graph; index 0 is OUTSIDE, which has no transfers of its own
    to list and is nobody's neighbour. Not safe for use from two threads at once.

    `max_transfers` live transfers and `max_accounts` accounts are the stated maximum. Memory follows
    what is live. Beyond the first the oldest transfers expire early (counted as `shortened`, and
    every answer carries the limit "window"); beyond the second, rows with new accounts are refused.

    A query sees what existed just after one row of the batch applied last: it passes that row's
    `as_of`. Sums are over transfers in `sum_currency` only; `marked_payers` counts payers with one
    of `counted_marks`.
    """

    def __init__(
        self,
        *,
        window_us: int,
        lateness_us: int,
        max_transfers: int,
        max_accounts: int,
        sum_currency: str = "CNY",
        counted_marks: int = EVERY_MARK,
        debug: bool = False,
    ) -> None:
        """Raises InvalidSetting for a maximum out of range or a window that is not positive."""
        _check_settings(window_us, lateness_us, max_transfers, max_accounts)
        self.max_transfers = max_transfers
        self.max_accounts = max_accounts
        self._debug = debug
        self._products = Codes("")
        self._currencies = Codes(sum_currency)
        rules = np.zeros(1, RULES)
        rules[0] = (window_us, lateness_us, max_transfers, counted_marks, 0)
        ring = new_ring(max_transfers)
        self._segments = Segments(ring)
        self._state = State(
            ring, new_accounts(max_accounts), new_table(max_transfers), new_table(max_transfers), rules
        )
        self._ids = TransferIds()
        self._labels = new_labels(max_accounts)
        self._outward_labels = new_labels(max_accounts)
        self._departures = new_departures(max_accounts)
        self._searches = 0
        self._adjacency = new_adjacency(max_transfers, max_accounts)
        self._edges = np.empty(_EDGES_AT_HAND, EDGE)
        """Room for an answer, used again."""
        self._first = 0
        self._oldest = 0
        """Oldest live transfer as of the one before `_first`."""
        self._heads: Int64s = np.empty(0, np.int64)
        """And as of each one since."""

    def __getstate__(self) -> dict[str, Any]:
        """Without what the next search builds anew."""
        return self.__dict__ | {"_adjacency": None, "_departures": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._adjacency = new_adjacency(self.max_transfers, self.max_accounts)
        self._departures = new_departures(self.max_accounts)

    def apply(self, batch: TransferBatch) -> Applied:
        """Take the rows of `batch` in. `ts_us`, `amount_minor` and `purpose` of the answer are the
        batch's own columns; the other arrays are the caller's."""
        rows = self._take_in(batch)
        apply_rows(self._state, rows)
        return self._applied(batch, rows)

    def apply_and_search(self, batch: TransferBatch, shapes: Shapes) -> tuple[Applied, Found]:
        """As apply(), and what each row completes: it sees the rows before it and itself only. Raises
        InvalidSetting for a graph whose window and lateness are longer than LONGEST_SEARCHED_US."""
        _check_searched(self._state.rules[0])
        rows = self._take_in(batch)
        hunt = new_hunt(shapes, self._adjacency, batch.rows)
        apply_and_search_rows(self._state, rows, hunt)
        return self._applied(batch, rows), found_by(hunt)

    def _take_in(self, batch: TransferBatch) -> Rows:
        """The batch in columns, its accounts known, and room for it."""
        if self._heads.size:
            self._oldest = int(self._heads[-1])
        self._first = int(self._state.ring.cursor[0]["next"])
        self._segments.make_room(batch.rows, self._oldest)
        self._ids.drop_below(self._oldest)
        rows = rows_of(batch, self._currencies, self._products)
        src, dst = read_only(batch.tokens("src")), read_only(batch.tokens("dst"))
        intern_rows(self._state.accounts, src, dst, rows.src, rows.dst)
        return rows

    def _applied(self, batch: TransferBatch, rows: Rows) -> Applied:
        heads, tx_ids = rows.head, batch.columns.column("tx_id")
        if self._state.ring.cursor[0]["next"] - self._first < batch.rows:
            inserted = rows.status == INSERTED
            heads, tx_ids = heads[inserted], tx_ids.filter(pa.array(inserted))
        self._heads = heads
        self._ids.append(self._first, batch.id.feed_id, tx_ids)
        if self._debug:
            check(self._state)
        return Applied(*_answered(rows))

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
        graph.payees(account, 0, 0, as_of, 1)
        graph.backward(account, 0, 0, as_of, 1, 1, 1)
        graph.branches(account, 0, 0, as_of, 1, 1, 1, 0)
        graph.token(graph.intern(bytes(TOKEN_BYTES)))

    # -- what it holds ---------------------------------------------------------------------------

    @property
    def clock_us(self) -> int | None:
        """Greatest event time seen; None before the first row."""
        cursor = self._state.ring.cursor[0]
        return None if cursor["clock_us"] == NEVER_US else int(cursor["clock_us"])

    @property
    def live(self) -> int:
        """Live transfers."""
        cursor = self._state.ring.cursor[0]
        return int(cursor["next"] - cursor["head"])

    @property
    def accounts(self) -> int:
        """Accounts known, OUTSIDE not counted."""
        return int(self._state.accounts.known[0]) - 1

    @property
    def counters(self) -> Counters:
        cursor = self._state.ring.cursor[0]
        return Counters(**{field.name: int(cursor[field.name]) for field in fields(Counters)})

    @property
    def fill(self) -> float:
        """Share of the stated maximum in use, of transfers or of accounts, whichever is greater.

        An alarm belongs well below 1: at 1 the window shortens or rows are refused.
        """
        return max(self.live / self.max_transfers, self.accounts / self.max_accounts)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limit "window" once transfers have expired early."""
        shortened = self._state.ring.cursor[0]["shortened"] > 0
        return (Limit(name="window", bound=self.max_transfers),) if shortened else ()

    # -- names -----------------------------------------------------------------------------------

    def index(self, token: bytes) -> int | None:
        """Index of an account, None if it was never named."""
        low, high = _halves(token)
        found = int(look_up(self._state.accounts, low, high))
        return None if found < 0 else found

    def intern(self, token: bytes) -> int:
        """Index of an account, known from now on. Raises Unavailable at `max_accounts`."""
        low, high = _halves(token)
        index = int(intern(self._state.accounts, low, high))
        if index < 0:
            raise Unavailable(f"the graph holds its maximum of {self.max_accounts} accounts")
        return index

    def token(self, index: int) -> bytes:
        """Raises Unknown for an index that no account has."""
        self._known(index)
        accounts = self._state.accounts
        halves = np.array([accounts.token_lows[index], accounts.records[index]["token_high"]], "<u8")
        return halves.tobytes()

    def tokens(self, indexes: Int32s) -> list[str]:
        """In hex. Raises Unknown where no account has an index."""
        self._all_known(indexes)
        accounts = self._state.accounts
        halves = np.empty((indexes.size, 2), "<u8")
        halves[:, 0] = accounts.token_lows[indexes]
        halves[:, 1] = accounts.records["token_high"][indexes]
        digits = halves.tobytes().hex()
        return [digits[first : first + _HEX_DIGITS] for first in range(0, len(digits), _HEX_DIGITS)]

    def mark(self, index: int, marks: int) -> None:
        """Set mark bits of an account; they stay. Raises Unknown for an index that no account has."""
        self._known(index)
        add_marks(self._state, index, marks)

    def marks(self, index: int) -> int:
        """Raises Unknown for an index that no account has."""
        self._known(index)
        return int(self._state.accounts.records[index]["marks"])

    def product(self, code: int) -> str:
        return self._products.text(code)

    def product_code(self, product: str) -> int | None:
        """None for a product that no transfer has named."""
        return self._products.code(product)

    def currency(self, code: int) -> str:
        return self._currencies.text(code)

    def holds(self, seq: int) -> bool:
        """False once it expired, or gave way to newer ones at the stated maximum."""
        return bool(self._oldest <= seq < self._state.ring.cursor[0]["next"])

    def transfer_id(self, seq: int) -> tuple[str, str]:
        """(feed id, transaction id). Raises Unknown for a transfer that is not held any more."""
        self._held(seq)
        return self._ids.of(seq)

    # -- questions -------------------------------------------------------------------------------

    def edges_in(self, account: int, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers into `account` with since_us <= time <= until_us, to oneself and from OUTSIDE too.

        Over `limit`: those logged last. Raises Unknown for an account or an `as_of` that is not known.
        """
        return self._list(account, INWARD, self._view(since_us, until_us, as_of), limit)

    def edges_out(self, account: int, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers out of `account`, as edges_in()."""
        return self._list(account, OUTWARD, self._view(since_us, until_us, as_of), limit)

    def edges_around(self, accounts: Int32s, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers into and out of any of `accounts`, each once; over `limit` into one of them, or out of
        one, those logged last. As edges_in()."""
        view = self._view(since_us, until_us, as_of)
        return self._list_around(accounts, (INWARD, OUTWARD), view, limit)

    def edges_out_of(self, accounts: Int32s, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers out of any of `accounts`; over `limit` out of one of them, those logged last. As
        edges_in()."""
        return self._list_around(accounts, (OUTWARD,), self._view(since_us, until_us, as_of), limit)

    def payees(self, account: int, since_us: int, until_us: int, as_of: int, limit: int) -> Payees:
        """Whom the transfers pay that edges_out() lists, and how much."""
        self._known(account)
        view = self._view(since_us, until_us, as_of)
        return payees_of(self._state.ring, self._state.accounts.records, account, view, limit)

    def take_more(
        self, accounts: Int32s, most_minor: Int64s, since_us: int, until_us: int, as_of: int, limit: int
    ) -> Bools:
        """Into which of `accounts` the transfers that edges_in() lists come to more than the `most_minor`
        that is theirs."""
        self._all_known(accounts)
        view, more = self._view(since_us, until_us, as_of), np.zeros(accounts.size, np.bool_)
        records = self._state.accounts.records
        find_more_taken(self._state.ring, records, accounts, most_minor, view, limit, more)
        return more

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

    def was_paid(
        self, account: int, wanted: Wanted, since_us: int, until_us: int, as_of: int, limit: int
    ) -> bool:
        """One of the transfers that edges_in() lists is `wanted`."""
        self._known(account)
        view, records = self._view(since_us, until_us, as_of), self._state.accounts.records
        return is_any_wanted(self._state.ring, records, account, wanted, view, limit)

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
        asked, limits = self._search(account, OUTWARD, view, max_hops, max_edges, hub_degree)
        room = np.empty(max_edges, BRANCH)
        found = room[: find_branches(self._state, asked, account, least_minor, room)]
        nearest = np.lexsort((found["seq"], found["hops"]))
        return Branches(found["account"][nearest].astype(np.int32), limits)

    def returning(
        self, coming: Coming, departing: Departing, max_hops: int, max_edges: int, hub_degree: int
    ) -> Bools:
        """Which transfers of the batch applied last may bring money home: a superset of those on whose cycle
        a leg departs, and of those for whose payer backward() finds one that does."""
        count = coming.seq.size
        view = self._view(0, 0, self._first - 1)
        asked = new_search(
            self._labels, self._searches + 1, INWARD, view, max_hops - 1, max_edges, hub_degree
        )
        self._searches += count
        oldest = self._heads[coming.seq - self._first]
        chosen = np.zeros(count, np.bool_)
        find_returning(self._state, asked, self._departures, coming, oldest, departing, chosen)
        return chosen

    def edges(self, seqs: Iterable[int]) -> Edges:
        """These transfers. Raises Unknown when one is not held any more."""
        wanted = np.unique(np.fromiter(seqs, np.int64))
        if wanted.size:
            self._held(int(wanted[0]))
            self._held(int(wanted[-1]))
        records = self._read(wanted)
        return Edges(records.take(in_order(records)))

    def oldest(self, as_of: int) -> int:
        """Sequence number of the oldest transfer that was live just after the row of `as_of`."""
        return self._view(0, 0, as_of).oldest

    def to_networkx(self, edges: Edges) -> nx.MultiDiGraph[str]:
        """Nodes are tokens in hex; an edge's key is its sequence number."""
        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        ids = {seq: self.transfer_id(seq) for seq in sorted(edges.seq.tolist())}  # as they lie together
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

    def _known(self, index: int) -> None:
        if not 0 <= index < self._state.accounts.known[0]:
            raise Unknown(f"no account has index {index}")

    def _all_known(self, indexes: Int32s) -> None:
        self._known(int(indexes.min(initial=OUTSIDE_INDEX)))
        self._known(int(indexes.max(initial=OUTSIDE_INDEX)))

    def _held(self, seq: int) -> None:
        if not self.holds(seq):
            raise Unknown(f"transfer {seq} is not in the window")

    def _view(self, since_us: int, until_us: int, as_of: int) -> View:
        place = as_of - self._first
        if not -1 <= place < self._heads.size:
            raise Unknown(f"{as_of} is not a row of the batch applied last")
        oldest = self._oldest if place < 0 else int(self._heads[place])
        return View(oldest, as_of, since_us, until_us)

    def _list(self, account: int, direction: int, view: View, limit: int) -> Edges:
        self._known(account)
        room = self._edges[:limit] if limit <= self._edges.size else np.empty(limit, EDGE)
        ring, accounts = self._state.ring, self._state.accounts.records
        count, ordered = list_transfers(ring, accounts, account, direction, view, room)
        found = room[limit - min(count, limit) :]
        return Edges(copied(found) if ordered else found.take(in_order(found)), count > limit)

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
        asked, limits = self._search(account, direction, view, max_hops, max_edges, hub_degree)
        legs, met = int(asked.progress["legs"][0]), int(asked.progress["hubs"][0])
        records = self._read(asked.found[:legs])
        order = in_order(records)
        return Reached(Edges(records.take(order)), asked.hops[:legs][order], asked.hubs[:met], limits)

    def _search(
        self, account: int, direction: int, view: View, max_hops: int, max_edges: int, hub_degree: int
    ) -> tuple[Search, tuple[Limit, ...]]:
        self._known(account)
        self._searches += 1
        labels = self._labels if direction == INWARD else self._outward_labels
        asked = new_search(labels, self._searches, direction, view, max_hops, max_edges, hub_degree)
        more, beyond = reach(self._state, asked, account)
        bounds = (
            ("hops", max_hops, beyond),
            ("edges", max_edges, more),
            ("hub_degree", hub_degree, asked.progress[0]["hubs"] > 0),
        )
        limits = tuple(Limit(name=name, bound=bound) for name, bound, is_hit in bounds if is_hit)
        return asked, limits + self.limits


def _halves(token: bytes) -> tuple[np.uint64, np.uint64]:
    if len(token) != TOKEN_BYTES:
        raise InvalidSetting(f"a token has {TOKEN_BYTES} bytes, not {len(token)}")
    low, high = np.frombuffer(token, "<u8")
    return low, high


def _check_searched(rules: Record) -> None:
    held_us = int(rules["window_us"] + rules["lateness_us"])
    if held_us > LONGEST_SEARCHED_US:
        raise InvalidSetting(
            f"window and lateness are {held_us} us; searched are {LONGEST_SEARCHED_US} at most"
        )


def _check_settings(window_us: int, lateness_us: int, max_transfers: int, max_accounts: int) -> None:
    bounds = {
        "window_us": (window_us, 1, 1 << 60),
        "lateness_us": (lateness_us, 0, 1 << 60),
        "max_transfers": (max_transfers, 1, MOST_TRANSFERS),
        "max_accounts": (max_accounts, 1, MOST_ACCOUNTS),
    }
    for name, (value, least, most) in bounds.items():
        if not least <= value <= most:
            raise InvalidSetting(f"{name} is {value}; it must be {least} to {most}")
