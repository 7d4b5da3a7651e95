"""What platforms' loans did with money: by listing, by borrower, and by day for each platform account.

What a transfer is booked as: services.detector.books.loan_flows.

Rows of a batch count one by one, in order: open() a batch, advance() to a row, close() it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from compiled import Int32s, Int64s, direct, kernel
from schemas.alert import Limit
from schemas.instant import HOUR
from services.detector.beijing import day_of
from services.detector.books.loan_flows import (
    AHEAD,
    EPOCH_HOURS,
    MAX_PRODUCTS,
    MOVES_LOAN,
    Booked,
    Flow,
    booked,
)
from services.detector.graph import Applied
from services.detector.growing import with_room
from services.detector.sieve import Sights

RING_DAYS: Final = 64
"""Days kept by platform account: a window is at most one less."""
MAX_PLATFORM_ACCOUNTS: Final = 4_096
MAX_LOANS: Final = 500_000
"""Past it the loan that was disbursed first is forgotten."""


@dataclass(slots=True)
class Loan:
    """What one borrower got under one product; `product` is 0 where the feed names none, and all that
    the account ever got so is one loan."""

    product: int
    borrower: int
    custody: int
    first_us: int
    disbursed_minor: int = 0
    repaid_minor: int = 0
    """By whomever, interest left out where the feed tells it apart."""

    @property
    def outstanding_minor(self) -> int:
        return max(0, self.disbursed_minor - self.repaid_minor)


_NOTHING: Final = np.empty(0, np.int64)
_NEVER: Final = 2**62
_EMPTY: Final = Booked(*[_NOTHING] * len(Booked._fields))


class LoanBook:
    """Memory: 350 bytes a product, 6 kB a platform account, some 400 bytes a loan."""

    def __init__(self) -> None:
        self._sums = np.zeros((1024, len(Flow)), np.int64)
        self._most = np.zeros_like(self._sums)
        self._least = np.zeros_like(self._sums)
        self._moments = np.zeros((1024, len(Flow)), np.int64)
        self._slots = np.full(1024, -1, np.int32)
        self._accounts: list[int] = []
        self._days = np.zeros((16, RING_DAYS, len(Flow)), np.int64)
        self._today = np.zeros(1, np.int64)
        self._loans: dict[int, Loan] = {}
        self._borrowed: dict[int, list[int]] = {}
        self._at = 0
        self._next_row = _NEVER
        """The first of the batch that is not counted yet."""
        self._row = -1
        self._forgotten = False
        self.since_us: int | None = None
        """Clock of the first transfer that the book was shown."""
        self.batch = _EMPTY
        self._loan_places = _NOTHING
        self._ahead: Int64s | None = None

    # -- a batch ---------------------------------------------------------------------------------

    def open(self, applied: Applied, sights: Sights) -> None:
        if self.since_us is None:
            self.since_us = int(applied.clock_us[0])
        self.batch = booked(applied, sights)
        self._loan_places = MOVES_LOAN[self.batch.flow].nonzero()[0]
        self._ahead = None
        self._at, self._row = 0, -1
        self._next_row = int(self.batch.rows[0]) if self.batch.rows.size else _NEVER
        self._make_room(applied.accounts)
        self._note_platforms()
        bound_rows(self._most, self._least, self.batch)

    def advance(self, row: int) -> None:
        """What is asked from now on sees the rows up to and including `row`."""
        self._row = row

    def close(self) -> None:
        if self.batch.rows.size:
            self.advance(int(self.batch.rows[-1]))
            self._settle()
            end_bounds(self._sums, self._most, self._least, self.batch)
        self.batch = _EMPTY
        self._ahead = None
        self._at, self._next_row = 0, _NEVER

    # -- a listing -------------------------------------------------------------------------------

    def total(self, product: int, *flows: Flow) -> int:
        """Net, as far as the book has advanced."""
        self._settle()
        if not 0 < product < len(self._sums):
            return 0
        sums = self._sums[product]
        return sum(int(sums[flow]) for flow in flows)

    def most(self, products: Int32s, flow: Flow) -> Int64s:
        """No row of the batch sees more than this."""
        most: Int64s = self._most[products, int(flow)]
        return most

    def least(self, products: Int32s, flow: Flow) -> Int64s:
        """No row of the batch sees less than this."""
        least: Int64s = self._least[products, int(flow)]
        return least

    @property
    def ahead(self) -> Int64s:
        """For each booked row of the batch: how much more principal its product's investors have been
        paid than others have paid in for it, just after it; 0 where it names no product. To be asked for
        before the book advances."""
        if self._ahead is None:
            self._ahead = np.zeros(self.batch.rows.size, np.int64)
            run_ahead(self._sums, AHEAD, self.batch, np.zeros(len(self._sums), np.int64), self._ahead)
        return self._ahead

    def principal_hours(self, product: int, now_us: int, returned_bp: int = 10_000) -> int:
        """Minor units × hours that investors' principal has been out by `now_us`. `returned_bp`: the
        share of what was paid to them that returns principal."""
        self._settle()
        if not 0 < product < len(self._sums):
            return 0
        hours = now_us // HOUR - EPOCH_HOURS
        areas = self._sums[product] * hours - self._moments[product]
        out = int(areas[Flow.invested] - areas[Flow.refunded])
        return out - int(areas[Flow.paid]) * returned_bp // 10_000

    # -- a borrower ------------------------------------------------------------------------------

    def loan(self, product: int) -> Loan | None:
        self._settle()
        return self._loans.get(product) if product > 0 else None

    def loans_of(self, account: int) -> list[Loan]:
        """Those disbursed to the account, in the order of their first disbursement."""
        self._settle()
        keys = self._borrowed.get(account, ())
        return [self._loans[key] for key in keys if key in self._loans]

    # -- a platform ------------------------------------------------------------------------------

    @property
    def platform_accounts(self) -> tuple[int, ...]:
        """Accounts that money was booked at, in the order they were first seen."""
        return tuple(self._accounts)

    def over(self, account: int, days: int, now_us: int) -> Int64s:
        """By Flow: the account's sums over the last `days` days, today's included."""
        self._settle()
        slot = int(self._slots[account]) if account < self._slots.size else -1
        today = day_of(now_us)
        window = np.arange(today - days + 1, min(today, int(self._today[0])) + 1) % RING_DAYS
        if slot < 0 or days >= RING_DAYS:
            return np.zeros(len(Flow), np.int64)
        sums: Int64s = self._days[slot, window].sum(axis=0)
        return sums

    @property
    def limits(self) -> tuple[Limit, ...]:
        bounds = (
            ("loans", MAX_LOANS, self._forgotten),
            ("platform_accounts", MAX_PLATFORM_ACCOUNTS, len(self._accounts) >= MAX_PLATFORM_ACCOUNTS),
            ("products", MAX_PRODUCTS, len(self._sums) >= MAX_PRODUCTS),
        )
        return tuple(Limit(name=name, bound=bound) for name, bound, is_hit in bounds if is_hit)

    # -- how -------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Count what was booked up to the row that the book has advanced to."""
        if self._row < self._next_row:
            return
        rows, at = self.batch.rows, self._at
        self._at = int(np.searchsorted(rows, self._row, "right"))
        self._next_row = int(rows[self._at]) if self._at < rows.size else _NEVER
        count_rows(self._sums, self._moments, self._days, self._today, self._slots, self.batch, at, self._at)
        first, last = np.searchsorted(self._loan_places, (at, self._at)).tolist()
        if first < last:
            self._note_loans(self._loan_places[first:last])

    def _make_room(self, account: int) -> None:
        product = int(self.batch.product.max(initial=0))
        for name in ("_sums", "_most", "_least", "_moments"):
            setattr(self, name, with_room(getattr(self, name), product + 1))
        self._slots = with_room(self._slots, account + 1, -1)

    def _note_platforms(self) -> None:
        accounts = self.batch.account
        for account in dict.fromkeys(accounts[self._slots[accounts] < 0].tolist()):
            if len(self._accounts) >= MAX_PLATFORM_ACCOUNTS:
                return
            self._slots[account] = len(self._accounts)
            self._accounts.append(account)
        self._days = with_room(self._days, len(self._accounts))

    def _note_loans(self, places: Int64s) -> None:
        batch = self.batch
        columns = (batch.flow, batch.product, batch.account, batch.other, batch.minor, batch.ts_us)
        for flow, product, account, other, minor, ts_us in zip(
            *(column[places].tolist() for column in columns), strict=True
        ):
            key = product or -other
            if flow == Flow.disbursed:
                self._lend(key, Loan(product, other, account, ts_us), minor)
            elif (loan := self._loans.get(key)) is not None:
                loan.repaid_minor += minor

    def _lend(self, key: int, new: Loan, minor: int) -> None:
        loan = self._loans.setdefault(key, new)
        loan.disbursed_minor += minor
        keys = self._borrowed.setdefault(new.borrower, [])
        if key not in keys:
            keys.append(key)
        if len(self._loans) > MAX_LOANS:
            oldest = next(iter(self._loans))
            self._forget(self._loans.pop(oldest), oldest)

    def _forget(self, loan: Loan, key: int) -> None:
        self._forgotten = True
        keys = self._borrowed[loan.borrower]
        keys.remove(key)
        if not keys:
            del self._borrowed[loan.borrower]


@direct
@kernel
def count_rows(
    sums: Int64s,
    moments: Int64s,
    days: Int64s,
    today: Int64s,
    slots: Int32s,
    rows: Booked,
    first: int,
    last: int,
) -> None:
    for place in range(first, last):
        flow, product, day = rows.flow[place], rows.product[place], rows.day[place]
        minor, slot = rows.minor[place], slots[rows.account[place]]
        sums[product, flow] += minor
        moments[product, flow] += minor * rows.hours[place]
        for new in range(max(today[0] + 1, day - RING_DAYS + 1), day + 1):
            days[:, new % RING_DAYS, :] = 0
        today[0] = max(today[0], day)
        if slot >= 0:
            days[slot, day % RING_DAYS, flow] += minor


@direct
@kernel
def bound_rows(most: Int64s, least: Int64s, rows: Booked) -> None:
    """What rises only, and what falls only."""
    for place in range(rows.minor.size):
        product, flow, minor = rows.product[place], rows.flow[place], rows.minor[place]
        most[product, flow] += max(minor, 0)
        least[product, flow] += min(minor, 0)


@direct
@kernel
def end_bounds(sums: Int64s, most: Int64s, least: Int64s, rows: Booked) -> None:
    """All rows have counted."""
    for place in range(rows.minor.size):
        product, flow = rows.product[place], rows.flow[place]
        most[product, flow] = least[product, flow] = sums[product, flow]


@direct
@kernel
def run_ahead(sums: Int64s, weights: Int64s, rows: Booked, moved: Int64s, ahead: Int64s) -> None:
    """`ahead`: of each row that moves it, its product's sums as weighed, with those of the rows up to it.
    `moved`, by product, is nothing at first."""
    for place in range(ahead.size):
        product, minor = rows.product[place], weights[rows.flow[place]] * rows.minor[place]
        if product > 0 and minor != 0:
            moved[product] += minor
            ahead[place] = moved[product]
            for flow in range(weights.size):
                ahead[place] += weights[flow] * sums[product, flow]
