"""What clients took out of each institution and brought to it, day by day, and how many took.

A day is Beijing's, by the time of the transfer. An account belongs to the institution in whose business the
registry had it when it was first met since the registry's last change. Rows of a batch count one by one, in
order: open() a batch, advance() to what a query sees, close() it. Integers only; DAYS days are kept of at
most MAX_BOOKS institutions and currencies, further ones are not counted.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.beijing import day_of
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.kernel import Bools, Int64s
from services.detector.parties.marks import CLIENT, bits_of
from services.detector.purposes import among
from services.detector.typology import Step

DAYS: Final = 128
MAX_BOOKS: Final = 5_000
HOLDING: Final = frozenset({AccountRole.custody, AccountRole.reserve, AccountRole.product_vehicle})
"""Roles of the accounts in which an institution keeps its clients' money together."""

_KEPT: Final = bits_of({*HOLDING, AccountRole.client})
_ROLES: Final = frozenset({*HOLDING, AccountRole.client})
_UNKNOWN: Final = -2
_NONE: Final = -1
_CURRENCIES: Final = 1 << 15
"""More than the graph has codes for."""
_LATE_DAYS: Final = 2
"""Of a transfer later than this the amount counts, and not who it was."""
_TAKES: Final = among([Purpose.withdraw, Purpose.redemption])
_BRINGS: Final = among([Purpose.recharge, Purpose.top_up, Purpose.invest])

Book = tuple[str, int]
"""(institution, currency code)."""


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
        self._met: dict[int, int] = {}
        self._whose = np.full(1024, _UNKNOWN, np.int32)
        self._institutions: list[str] = []
        self._institution_numbers: dict[str, int] = {}
        self._revision = -1
        self._waiting: _Rows | None = None
        self._at = 0

    def open(self, step: Step) -> Int64s:
        """The batch's rows at which somebody takes, each with the first of its institution that day."""
        rows, took = _moves(step)
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
        taking = np.flatnonzero(took)
        days = self._waiting.clock_day[taking]
        _, first = np.unique(days * MAX_BOOKS + books[taking], return_index=True)
        return rows[[place for place in taking[np.sort(first)].tolist() if self._is_first(place)]]

    def _is_first(self, place: int) -> bool:
        assert self._waiting is not None
        book, day = int(self._waiting.book[place]), int(self._waiting.clock_day[place])
        is_first = self._met.get(book, -1) < day
        self._met[book] = day
        return is_first

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

    def books_of(self, institution_id: str) -> list[Book]:
        """One a currency."""
        return [book for book in self._books if book[0] == institution_id]

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
        rows = rows.chosen(rows.day > self._newest - DAYS)
        place = rows.book, rows.day % DAYS
        for kept, chosen in ((self._took, rows.took), (self._brought, ~rows.took)):
            np.add.at(kept, (place[0][chosen], place[1][chosen]), rows.minor[chosen])
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
        fresh = np.arange(max(self._newest, newest - DAYS) + 1, newest + 1) % DAYS
        for kept in (self._took, self._brought, self._takers):
            kept[:, fresh] = 0
        self._newest = max(self._newest, newest)
        for day in [one for one in self._seen if one < first_clock_day - _LATE_DAYS]:
            del self._seen[day]

    def _books_of(self, step: Step, rows: Int64s, took: Bools) -> Int64s:
        """The number of each row's book; -1 where it has none."""
        applied = step.applied
        if self._revision != step.registry.revision:
            self._whose[:] = _UNKNOWN
            self._revision = step.registry.revision
        if step.marks.size > self._whose.size:
            more = np.full(step.marks.size - self._whose.size, _UNKNOWN, np.int32)
            self._whose = np.concatenate((self._whose, more))
        ends = np.where(took, applied.src[rows], applied.dst[rows])
        met = np.flatnonzero(self._whose[ends] == _UNKNOWN)
        for place in met[np.sort(np.unique(ends[met], return_index=True)[1])].tolist():
            clock_us = int(applied.clock_us[rows[place]])
            self._whose[ends[place]] = self._institution(step, int(ends[place]), clock_us)
        whose = self._whose[ends].astype(np.int64)
        keys = np.where(whose < 0, -1, whose * _CURRENCIES + applied.currency[rows])
        distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        numbers = np.full(distinct.size, -1, np.int64)
        for one in np.argsort(first).tolist():
            if distinct[one] >= 0:
                book = self._institutions[int(distinct[one]) // _CURRENCIES], int(distinct[one]) % _CURRENCIES
                numbers[one] = self._number(book, int(day_of(int(applied.clock_us[rows[first[one]]]))))
        return numbers[inverse]

    def _institution(self, step: Step, account: int, clock_us: int) -> int:
        """Its number; _NONE where the account has none."""
        records = step.registry.accounts(step.graph.token(account).hex(), clock_us)
        whose = next(
            (one.institution_id for one in records if one.role in _ROLES and one.institution_id), None
        )
        if whose is None:
            return _NONE
        if whose not in self._institution_numbers:
            self._institution_numbers[whose] = len(self._institutions)
            self._institutions.append(whose)
        return self._institution_numbers[whose]

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


def _moves(step: Step) -> tuple[Int64s, Bools]:
    """The rows at which somebody takes money out or brings it, and which of them take. Where the feed does
    not say why, only money between a client's account and one that keeps nothing for clients counts."""
    applied, purpose = step.applied, step.applied.purpose
    from_kept, to_kept = (step.src_marks & _KEPT) != 0, (step.dst_marks & _KEPT) != 0
    unstated = purpose == Purpose.unknown
    takes = _TAKES[purpose] | (unstated & ((step.src_marks & CLIENT) != 0))
    brings = _BRINGS[purpose] | (unstated & ((step.dst_marks & CLIENT) != 0))
    took = from_kept & ~to_kept & takes & step.inserted
    counted = took | (to_kept & ~from_kept & brings & step.inserted)
    rows = np.flatnonzero(counted & (applied.src != applied.dst)).astype(np.int64)
    return rows, took[rows]
