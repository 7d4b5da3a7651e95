"""The transfers of a window of event time, taken in row by row, and the names of who made them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

import numpy as np
import pyarrow as pa

from compiled import Int32s, Int64s, Record, direct, read_only
from schemas.account import TOKEN_BYTES
from schemas.alert import Limit
from schemas.batch import TransferBatch
from schemas.errors import InvalidSetting, Unavailable, Unknown
from services.detector.graph.accounts import OUTSIDE_INDEX, intern, intern_rows, look_up, new_accounts
from services.detector.graph.adjacency import Adjacency, new_adjacency
from services.detector.graph.answers import Applied
from services.detector.graph.arcs import MOST_AGE_US
from services.detector.graph.codes import Codes
from services.detector.graph.columns import rows_of, sent_ids
from services.detector.graph.hunt import found_by, new_hunt
from services.detector.graph.invariants import check
from services.detector.graph.neighbours import add_marks
from services.detector.graph.ring import NEVER_US, Segments, new_ring
from services.detector.graph.searches import apply_and_search_rows, apply_rows
from services.detector.graph.shapes import Found, Shapes
from services.detector.graph.state import INSERTED, RULES, Rows, State
from services.detector.graph.table import new_table
from services.detector.graph.transfer_ids import TransferIds

_apply_rows: Final = direct(apply_rows)
_intern_rows: Final = direct(intern_rows)
_answered: Final = attrgetter(*(field.name for field in fields(Applied) if field.name in Rows._fields))
"""Of the columns of a batch: those of the answer."""
MOST_TRANSFERS: Final = 1 << 30
MOST_ACCOUNTS: Final = 1 << 30
LONGEST_SEARCHED_US: Final = MOST_AGE_US // 2
"""50 days. A transfer that comes late may stay as long again, behind others that are to stay."""
EVERY_MARK: Final = 2**32 - 1


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


class Window:
    """Transfers whose time is within `window_us` + `lateness_us` of the clock, and their accounts.

    Times are UTC microseconds of event time, and the clock is the greatest of them. Every row is
    handled as if it came alone, so nothing depends on how the log was cut into batches. An account is
    an index, valid for the life of the graph; index 0 is OUTSIDE, which has no transfers of its own
    to list and is nobody's neighbour. Not safe for use from two threads at once.

    `max_transfers` live transfers and `max_accounts` accounts are the stated maximum. Memory follows
    what is live. Beyond the first the oldest transfers expire early (counted as `shortened`, and
    every answer carries the limit "window"); beyond the second, rows with new accounts are refused.

    Sums are over transfers in `sum_currency` only; `marked_payers` counts payers with one of
    `counted_marks`. What is a cached_property is scratch: made when it is first used, never pickled.
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
            ring,
            new_accounts(max_accounts),
            new_table(max_transfers, np.uint8),
            new_table(max_transfers),
            rules,
        )
        self._ids = TransferIds()
        self._first = 0
        self._oldest = 0
        """Oldest live transfer as of the one before `_first`."""
        self._heads: Int64s = np.empty(0, np.int64)
        """And as of each one since."""

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in self.__dict__.items()
            if not isinstance(getattr(type(self), name, None), cached_property)
        }

    @cached_property
    def _adjacency(self) -> Adjacency:
        return new_adjacency(self.max_transfers, self.max_accounts)

    def apply(self, batch: TransferBatch) -> Applied:
        """Take the rows of `batch` in. `ts_us`, `amount_minor` and `purpose` of the answer are the
        batch's own columns; the other arrays are the caller's."""
        rows = self._take_in(batch)
        _apply_rows(self._state, rows)
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
        _intern_rows(self._state.accounts, src, dst, rows.src, rows.dst)
        return rows

    def _applied(self, batch: TransferBatch, rows: Rows) -> Applied:
        is_inserted = rows.status == INSERTED
        self._heads = rows.head[is_inserted]
        seq = self._first
        for sent, tx_ids in sent_ids(batch):
            kept = is_inserted[sent.first : sent.end]
            inserted = tx_ids if kept.all() else tx_ids.filter(pa.array(kept))
            self._ids.append(seq, sent.feed_id, inserted)
            seq += len(inserted)
        if self._debug:
            check(self._state)
        return Applied(self.accounts, *_answered(rows))

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

    def limits(self, as_of: int) -> tuple[Limit, ...]:
        """The limit "window" where transfers had expired early as of sequence number `as_of`."""
        cursor = self._state.ring.cursor
        shortened = cursor["shortened"].item() and as_of >= cursor["shortened_by"].item()
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
        low, high = int(accounts.token_lows[index]), int(accounts.records["token_high"][index])
        return (high << 64 | low).to_bytes(TOKEN_BYTES, "little")

    def tokens(self, indexes: Int32s) -> list[str]:
        """In hex. Raises Unknown where no account has an index."""
        self._all_known(indexes)
        accounts = self._state.accounts
        halves = np.empty((indexes.size, 2), "<u8")
        halves[:, 0] = accounts.token_lows[indexes]
        halves[:, 1] = accounts.records["token_high"][indexes]
        return halves.tobytes().hex(" ", TOKEN_BYTES).split()

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

    def transfer_id(self, seq: int) -> tuple[str, str]:
        """(feed id, transaction id). Raises Unknown for a transfer that is not held any more."""
        self._held(seq)
        return self._ids.of(seq)

    def transfer_ids(self, seqs: Collection[int]) -> list[tuple[str, str]]:
        """As transfer_id(), for each; quickest in ascending order."""
        if seqs:
            self._held(min(seqs))
            self._held(max(seqs))
        return self._ids.of_all(seqs)

    def _known(self, index: int) -> None:
        if not 0 <= index < self._state.accounts.known[0]:
            raise Unknown(f"no account has index {index}")

    def _all_known(self, indexes: Int32s) -> None:
        self._known(int(indexes.min(initial=OUTSIDE_INDEX)))
        self._known(int(indexes.max(initial=OUTSIDE_INDEX)))

    def _held(self, seq: int) -> None:
        if not self._oldest <= seq < self._state.ring.cursor[0]["next"]:
            raise Unknown(f"transfer {seq} is not in the window")


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
