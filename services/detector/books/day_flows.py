"""What clients took out of each institution and brought to it, day by day, and how many took.

What names a fund or another product with money of its own counts as that product's, through whosever account
it went; all else as that of the institution in whose business the account is. A day is Beijing's, by the time
of the transfer; accounts and products are what the registry had them for when they were first met since its
last change. Rows of a batch count one by one, in order: open() a batch, advance() to what a query sees,
close() it. Integers only; DAYS days are kept of at most MAX_BOOKS books, further ones are not counted.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Bools, Int32s, Int64s
from schemas.registry import AccountRole, ProductKind
from schemas.transaction import Purpose
from services.detector.beijing import day_of
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.parties.marks import CLIENT, bits_of
from services.detector.sieve import Fact, either, sieve
from services.detector.typology import Step

DAYS: Final = 128
MAX_BOOKS: Final = 5_000
HOLDING: Final = frozenset({AccountRole.custody, AccountRole.reserve, AccountRole.product_vehicle})
"""Roles of the accounts in which an institution keeps its clients' money together."""

_OF_ITS_OWN: Final = frozenset({ProductKind.fund, ProductKind.private, ProductKind.vehicle})
"""Products that keep their money apart from their institution's other clients'."""
_ROLES: Final = frozenset({*HOLDING, AccountRole.client, AccountRole.fund_sales})
_KEPT: Final = bits_of(_ROLES)
_UNKNOWN: Final = -2
_NONE: Final = -1
_LATE_DAYS: Final = 2
"""Of a transfer later than this the amount counts, and not who it was."""
_TAKES: Final = (Purpose.withdraw, Purpose.redemption)
_BRINGS: Final = (Purpose.recharge, Purpose.top_up, Purpose.invest)
_MOVES: Final = either(
    sieve(payer=_KEPT, not_payee=_KEPT, purposes=_TAKES, facts=Fact.between_two),
    sieve(payer=CLIENT, not_payee=_KEPT, purposes=[Purpose.unknown], facts=Fact.between_two),
    sieve(payee=_KEPT, not_payer=_KEPT, purposes=_BRINGS, facts=Fact.between_two),
    sieve(payee=CLIENT, not_payer=_KEPT, purposes=[Purpose.unknown], facts=Fact.between_two),
)
"""Rows at which somebody takes money out or brings it. Where the feed does not say why, only money between a
client's account and one that keeps nothing for clients counts."""


class Book(NamedTuple):
    """Of an institution, or of one product of it; `currency` is the graph's code."""

    institution_id: str
    product_id: str
    currency: int


class _Rows(NamedTuple):
    """Rows that count, ascending: `took` or brought by `who`."""

    seq: Int64s
    book: Int64s
    day: Int64s
    clock_day: Int64s
    minor: Int64s
    who: Int64s
    took: Bools

    def chosen(self, which: slice | Bools) -> _Rows:
        return _Rows(
            self.seq[which],
            self.book[which],
            self.day[which],
            self.clock_day[which],
            self.minor[which],
            self.who[which],
            self.took[which],
        )


class Totals(NamedTuple):
    """Of one book, by day from `first_day` on; `took_minor[0]` is that day's."""

    first_day: int
    took_minor: tuple[int, ...]
    brought_minor: tuple[int, ...]
    takers: tuple[int, ...]


class DayFlows:
    def __init__(self) -> None:
        self._books: dict[Book, int] = {}
        self._first_day: list[int] = []
        self._took = np.zeros((16, DAYS), np.int64)
        self._brought = np.zeros((16, DAYS), np.int64)
        self._takers = np.zeros((16, DAYS), np.int64)
        self._seen: dict[int, set[tuple[int, int]]] = {}
        self._newest = -1
        self._last_day = -1
        self._owner_of_account = np.full(1024, _UNKNOWN, np.int32)
        self._owner_of_product = np.full(1024, _UNKNOWN, np.int32)
        self._owners: dict[tuple[str, str], int] = {}
        """Numbers of institutions and their products, in the order met."""
        self._numbers = np.full((1, 1), _NONE, np.int64)
        """Of books, by owner and currency; the last owner is nobody and has none."""
        self._revision = -1
        self._waiting: _Rows | None = None
        self._at = 0

    def open(self, step: Step) -> Int64s:
        """The batch's rows at which somebody takes, the first of each day."""
        rows = step.passing(_MOVES)
        if not rows.size:
            self._waiting = None
            return rows
        took: Bools = (step.src_marks[rows] & _KEPT) != 0
        books = self._books_of(step, rows, took)
        rows, took, books = rows[books >= 0], took[books >= 0], books[books >= 0]
        applied = step.applied
        src, dst = applied.src[rows], applied.dst[rows]
        by_source = ((step.src_marks[rows] & CLIENT) != 0) | (dst == OUTSIDE_INDEX)
        self._waiting = _Rows(
            applied.seq[rows],
            books,
            day_of(applied.ts_us[rows]),
            day_of(applied.clock_us[rows]),
            applied.amount_minor[rows],
            np.where(by_source, src, dst).astype(np.int64),
            took,
        )
        self._at = 0
        days = self._waiting.clock_day[took]
        first = np.diff(days, prepend=self._last_day) > 0
        self._last_day = max(self._last_day, int(days.max(initial=-1)))
        return rows[took][first]

    def advance(self, as_of: int) -> None:
        """Count the rows up to sequence number `as_of`, inclusive."""
        waiting = self._waiting
        if waiting is None:
            return
        until = int(np.searchsorted(waiting.seq, as_of, side="right"))
        if until > self._at:
            self._count(waiting.chosen(slice(self._at, until)))
            self._at = until

    def close(self) -> None:
        if self._waiting is not None and self._waiting.seq.size:
            self.advance(int(self._waiting.seq[-1]))
        self._waiting = None

    def busy(self, day: int, least: int) -> list[Book]:
        """Those of which at least so many took on a day that is kept."""
        number = np.flatnonzero(self._takers[: len(self._books), day % DAYS] >= least)
        books = list(self._books)
        return [books[each] for each in number.tolist()]

    def totals(self, book: Book, until_day: int) -> Totals:
        """Of the days kept before `until_day`, from the book's first."""
        number = self._books[book]
        first = max(self._first_day[number], self._newest - DAYS + 1)
        columns = np.arange(first, until_day) % DAYS
        kept = (self._took, self._brought, self._takers)
        return Totals(first, *(tuple(each[number, columns].tolist()) for each in kept))

    def takers(self, book: Book, day: int) -> list[int]:
        """The accounts that took on a day no more than _LATE_DAYS before the last one counted, ascending."""
        number = self._books[book]
        return sorted(who for of, who in self._seen.get(day, ()) if of == number)

    def _count(self, rows: _Rows) -> None:
        self._roll(int(rows.clock_day[0]), int(rows.clock_day[-1]))
        kept_days = rows.day > self._newest - DAYS
        if not kept_days.all():
            rows = rows.chosen(kept_days)
        places = rows.book * DAYS + rows.day % DAYS
        for kept, chosen in ((self._took, rows.took), (self._brought, ~rows.took)):
            np.add.at(kept.reshape(-1), places[chosen], rows.minor[chosen])
        known = rows.took & (rows.clock_day - rows.day <= _LATE_DAYS)
        for book, day, who in zip(*(c[known].tolist() for c in (rows.book, rows.day, rows.who)), strict=True):
            seen = self._seen.setdefault(day, set())
            if (book, who) not in seen:
                seen.add((book, who))
                self._takers[book, day % DAYS] += 1

    def _roll(self, first_clock_day: int, newest: int) -> None:
        """Make the days up to `newest` empty, and forget who took on days of which no more are counted."""
        if self._newest < 0:
            self._newest = newest
        if newest > self._newest:
            fresh = np.arange(max(self._newest, newest - DAYS) + 1, newest + 1) % DAYS
            for kept in (self._took, self._brought, self._takers):
                kept[:, fresh] = 0
            self._newest = newest
        for day in [one for one in self._seen if one < first_clock_day - _LATE_DAYS]:
            del self._seen[day]

    def _books_of(self, step: Step, rows: Int64s, took: Bools) -> Int64s:
        """The number of each row's book; -1 where it has none."""
        applied = step.applied
        if self._revision != step.registry.revision:
            self._owner_of_account[:] = self._owner_of_product[:] = _UNKNOWN
            self._revision = step.registry.revision
        ends = np.where(took, applied.src[rows], applied.dst[rows])
        products = applied.product[rows]
        self._owner_of_account = _with_room(self._owner_of_account, step.marks.size)
        self._owner_of_product = _with_room(self._owner_of_product, int(products.max(initial=0)) + 1)
        for place in _firsts(ends, self._owner_of_account):
            clock_us, account = int(applied.clock_us[rows[place]]), int(ends[place])
            self._owner_of_account[account] = self._account_owner(step, account, clock_us)
        for place in _firsts(products, self._owner_of_product):
            clock_us, product = int(applied.clock_us[rows[place]]), int(products[place])
            self._owner_of_product[product] = self._product_owner(step, product, clock_us)
        owners = self._owner_of_product[products].astype(np.int64)
        owners = np.where(owners >= 0, owners, self._owner_of_account[ends])
        currencies = applied.currency[rows]
        self._make_room(int(currencies.max(initial=0)) + 1)
        numbers = self._numbers[owners, currencies]
        new = np.flatnonzero(numbers == _UNKNOWN).tolist()
        names = list(self._owners) if new else []
        for place in new:
            owner, currency = int(owners[place]), int(currencies[place])
            day = day_of(int(applied.clock_us[rows[place]]))
            numbers[place] = self._number(Book(*names[owner], currency), day)
            self._numbers[owner, currency] = numbers[place]
        return numbers

    def _make_room(self, currencies: int) -> None:
        """For all owners in the table of books, and for one that is none at its end."""
        owners, width = self._numbers.shape
        if len(self._owners) >= owners or currencies > width:
            grown = max(owners, 2 * len(self._owners)), max(width, currencies)
            numbers = np.full(grown, _UNKNOWN, np.int64)
            numbers[: owners - 1, :width] = self._numbers[:-1]
            numbers[-1] = _NONE
            self._numbers = numbers

    def _account_owner(self, step: Step, account: int, clock_us: int) -> int:
        """_NONE where it serves nobody's clients."""
        records = step.registry.accounts(step.graph.token(account).hex(), clock_us)
        served = (one.institution_id for one in records if one.role in _ROLES and one.institution_id)
        whose = next(served, None)
        return _NONE if whose is None else self._owners.setdefault((whose, ""), len(self._owners))

    def _product_owner(self, step: Step, product: int, clock_us: int) -> int:
        """_NONE where its money is kept with others', or nobody knows it."""
        record = step.registry.product(step.graph.product(product), clock_us)
        if record is None or record.product_kind not in _OF_ITS_OWN:
            return _NONE
        return self._owners.setdefault((record.institution_id, record.product_id), len(self._owners))

    def _number(self, book: Book, day: int) -> int:
        number = self._books.get(book, -1)
        if number < 0 and len(self._books) < MAX_BOOKS:
            number = self._books[book] = len(self._books)
            self._first_day.append(day)
            if number == len(self._took):
                self._took, self._brought, self._takers = (
                    np.concatenate((kept, np.zeros_like(kept)))
                    for kept in (self._took, self._brought, self._takers)
                )
        return number


def _with_room(owners: Int32s, size: int) -> Int32s:
    if size <= owners.size:
        return owners
    return np.concatenate((owners, np.full(max(size, 2 * owners.size) - owners.size, _UNKNOWN, np.int32)))


def _firsts(codes: Int32s, owners: Int32s) -> list[int]:
    """Where each code without an owner yet comes first, ascending."""
    met = np.flatnonzero(owners[codes] == _UNKNOWN)
    if not met.size:
        return []
    places: list[int] = met[np.sort(np.unique(codes[met], return_index=True)[1])].tolist()
    return places
