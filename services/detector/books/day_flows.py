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

from compiled import Array, Int16s, Int32s, Int64s, direct, kernel, read_only, signed
from schemas.registry import AccountRole, ProductKind
from schemas.transaction import Purpose
from services.detector.beijing import day_at, day_of
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.growing import with_room
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


class _Batch(NamedTuple):
    """What is read of a batch's rows."""

    src: Int32s
    dst: Int32s
    src_marks: Array
    dst_marks: Array
    seq: Int64s
    ts_us: Int64s
    clock_us: Int64s
    amount_minor: Int64s
    product: Int32s
    currency: Int16s


class _Known(NamedTuple):
    """By account and by product the number of who owns the money; and of books, by owner and currency."""

    of_account: Int32s
    of_product: Int32s
    books: Int32s


class _Rows(NamedTuple):
    """Rows that count, ascending: `took` or brought by `who`."""

    seq: Array
    book: Array
    day: Array
    clock_day: Array
    minor: Array
    who: Array
    took: Array


_KINDS: Final = ("i8", "i4", "i8", "i8", "i8", "i4", "?")
"""Of the columns, in their order."""


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
        self._owners: dict[tuple[str, str], int] = {}
        """Numbers of institutions and their products, in the order met."""
        self._known = _Known(_unknown(1024), _unknown(1024), _unknown(1, 1))
        self._revision = -1
        self._waiting: _Rows | None = None
        self._at = 0

    def open(self, step: Step) -> Int64s:
        """The batch's rows at which somebody takes, the first of each day."""
        rows = step.passing(_MOVES)
        self._waiting, self._at = None, 0
        if not rows.size:
            return rows
        batch, place = self._opened(step), 0
        while (place := first_unknown(batch, rows, place, self._known)) < rows.size:
            self._meet(step, int(rows[place]))
        waiting = _Rows(*(np.empty(rows.size, kind) for kind in _KINDS))
        firsts = np.empty(rows.size, np.int64)
        counted, days = sort_rows(batch, rows, self._known, self._last_day, waiting, firsts)
        self._waiting = _Rows(*(column[:counted] for column in waiting))
        if days:
            self._last_day = day_of(int(batch.clock_us[firsts[days - 1]]))
        return firsts[:days]

    def advance(self, as_of: int) -> None:
        """Count the rows up to sequence number `as_of`, inclusive."""
        waiting = self._waiting
        if waiting is None:
            return
        until = int(np.searchsorted(waiting.seq, as_of, side="right"))
        if until > self._at:
            self._count(waiting, self._at, until)
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

    def _count(self, rows: _Rows, first: int, end: int) -> None:
        self._roll(int(rows.clock_day[first]), int(rows.clock_day[end - 1]))
        told = np.empty(end - first, np.int64)
        told = told[: count_rows(rows, first, end, self._newest, self._took, self._brought, told)]
        columns = (rows.book, rows.day, rows.who)
        for book, day, who in zip(*(column[told].tolist() for column in columns), strict=True):
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

    def _opened(self, step: Step) -> _Batch:
        accounts, products, books = self._known
        if self._revision != step.registry.revision:
            self._revision = step.registry.revision
            accounts[:] = products[:] = _UNKNOWN
        self._known = _Known(with_room(accounts, step.marks.size, _UNKNOWN), products, books)
        one = step.applied
        return _Batch(
            one.src,
            one.dst,
            step.src_marks,
            step.dst_marks,
            one.seq,
            read_only(one.ts_us),
            one.clock_us,
            read_only(one.amount_minor),
            one.product,
            one.currency,
        )

    def _meet(self, step: Step, row: int) -> None:
        """Ask for what is not known of a row."""
        applied = step.applied
        took = bool(step.src_marks[row] & _KEPT)
        account, clock_us = int((applied.src if took else applied.dst)[row]), int(applied.clock_us[row])
        product, currency = int(applied.product[row]), int(applied.currency[row])
        accounts, products, books = self._known
        products = with_room(products, product + 1, _UNKNOWN)
        if accounts[account] == _UNKNOWN:
            accounts[account] = self._account_owner(step, account, clock_us)
        if products[product] == _UNKNOWN:
            products[product] = self._product_owner(step, product, clock_us)
        owner = int(products[product] if products[product] >= 0 else accounts[account])
        books = _with_books(books, len(self._owners), currency + 1)
        if owner >= 0 and books[owner, currency] == _UNKNOWN:
            book = Book(*list(self._owners)[owner], currency)
            books[owner, currency] = self._number(book, day_of(clock_us))
        self._known = _Known(accounts, products, books)

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


def _unknown(*shape: int) -> Int32s:
    return np.full(shape, _UNKNOWN, np.int32)


def _with_books(books: Int32s, owners: int, currencies: int) -> Int32s:
    rows, width = books.shape
    if owners <= rows and currencies <= width:
        return books
    grown = _unknown(max(rows, 2 * owners), max(width, currencies))
    grown[:rows, :width] = books
    return grown


@direct
@kernel
def first_unknown(batch: _Batch, rows: Int64s, place: int, known: _Known) -> int:
    """The place, from `place` on, of the first row of which something is not known; of the end if all is."""
    while place < rows.size and book_of(batch, rows[place], known) != _UNKNOWN:
        place += 1
    return place


@kernel
def book_of(batch: _Batch, row: int, known: _Known) -> int:
    """_NONE where the row has none."""
    product, currency = batch.product[row], batch.currency[row]
    if product >= known.of_product.size or currency >= known.books.shape[1]:
        return _UNKNOWN
    by_account = known.of_account[batch.src[row] if takes(batch, row) else batch.dst[row]]
    by_product = known.of_product[product]
    if by_account == _UNKNOWN or by_product == _UNKNOWN:
        return _UNKNOWN
    owner = by_product if by_product >= 0 else by_account
    return signed(known.books[owner, currency]) if owner >= 0 else _NONE


@kernel
def takes(batch: _Batch, row: int) -> bool:
    return bool(batch.src_marks[row] & _KEPT != 0)


@direct
@kernel
def sort_rows(
    batch: _Batch, rows: Int64s, known: _Known, last_day: int, counted: _Rows, firsts: Int64s
) -> tuple[int, int]:
    """How many rows count, and at how many of them somebody takes, the first of a day after `last_day`: they
    are the first of `counted` and of `firsts`."""
    count, days = 0, 0
    for row in rows:
        book = book_of(batch, row, known)
        if book < 0:
            continue
        took = takes(batch, row)
        by_source = batch.src_marks[row] & CLIENT != 0 or batch.dst[row] == OUTSIDE_INDEX
        clock_day = day_at(batch.clock_us[row])
        counted.seq[count] = batch.seq[row]
        counted.book[count] = book
        counted.day[count] = day_at(batch.ts_us[row])
        counted.clock_day[count] = clock_day
        counted.minor[count] = batch.amount_minor[row]
        counted.who[count] = batch.src[row] if by_source else batch.dst[row]
        counted.took[count] = took
        count += 1
        if took and clock_day > last_day:
            last_day = clock_day
            firsts[days] = row
            days += 1
    return count, days


@direct
@kernel
def count_rows(
    rows: _Rows, first: int, end: int, newest: int, took: Int64s, brought: Int64s, told: Int64s
) -> int:
    """Sum what is of days that are kept. How many rows also tell who took: they are the first of `told`."""
    count = 0
    for place in range(first, end):
        day = rows.day[place]
        if day <= newest - DAYS:
            continue
        kept = took if rows.took[place] else brought
        kept[rows.book[place], day % DAYS] += rows.minor[place]
        if rows.took[place] and rows.clock_day[place] - day <= _LATE_DAYS:
            told[count] = place
            count += 1
    return count
