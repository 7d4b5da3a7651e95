"""Listings as planned, and the loans that come of them."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from schemas.instant import DAY, HOUR
from schemas.registry import Product
from simulator import parameters as p
from simulator.cast import Cast, Platform
from simulator.dates import ONLINE, Date
from simulator.flows import NONE
from simulator.streams import Ints, money, stream

OPENING_BOOK_DAYS = 30 * max(p.LOAN_TERMS) + 2
_LATE_DAYS = 21  # from the opening of a listing to its loan, and for an instalment that is late
_ASKED = 4  # borrowers asked before a listing is given up
_TRADERS_EVERY = 30 + _LATE_DAYS + 1


@dataclass(frozen=True, slots=True)
class Listing:
    """A loan somebody asks for on platform number `platform`. `pattern` is NONE for an honest one;
    a planted one is filled first, and its instalments come from `sponsor` when the borrower cannot pay.
    `upkeep`: label of that, where the sponsor is the platform or belongs to it. `firm`: the borrower is a
    company. `look_alike`: label of an honest loan that only looks odd."""

    product: int
    platform: int
    borrower: int
    firm: bool
    principal: int
    rate_bp: int
    months: int
    open_us: int
    open_day: int
    cancelled: bool = False
    defaults_at: int = 0
    pattern: int = NONE
    sponsor: int = NONE
    look_alike: int = NONE
    upkeep: int = NONE


@dataclass(slots=True)
class Loan:
    """`investors[i]` is the sub-account that holds `stakes[i]` of the principal; a sub-account may
    occur more than once. `paid`: instalments paid so far."""

    listing: Listing
    investors: list[Ints] = field(default_factory=list)
    stakes: list[Ints] = field(default_factory=list)
    raised: int = 0
    paid: int = 0
    disbursed_us: int = 0
    overdue_days: int = 0

    @property
    def full(self) -> bool:
        return self.raised == self.listing.principal

    def instalment(self) -> int:
        """The next one: an equal part of the principal, and a month's interest on what is owed."""
        listing = self.listing
        part = listing.principal // listing.months
        owed = listing.principal - part * self.paid
        last = self.paid == listing.months - 1
        return (owed if last else part) + owed * listing.rate_bp // 120_000


class ListingPlan:
    """Every listing of the world by opening day; `first_day` is before 0 for loans already running."""

    def __init__(self, cast: Cast, start_us: int) -> None:
        self._cast = cast
        self._start_us = start_us
        self._by_day: dict[int, list[Listing]] = {}
        self._people_lent: defaultdict[int, list[tuple[int, ...]]] = defaultdict(list)
        self._running: defaultdict[int, list[_Debt]] = defaultdict(list)
        self._numbers: dict[tuple[str, int], int] = {}

    def on(self, day: int) -> list[Listing]:
        return self._by_day.get(day, [])

    def add(
        self,
        platform: int,
        borrower: int,
        principal: int,
        rate_bp: int,
        months: int,
        open_us: int,
        *,
        firm: bool,
        cancelled: bool = False,
        defaults_at: int = 0,
        pattern: int = NONE,
        sponsor: int = NONE,
        look_alike: int = NONE,
        upkeep: int = NONE,
    ) -> Listing:
        """Registers the product and keeps the listing for the day in which `open_us` falls."""
        day = (open_us - self._start_us) // DAY
        institution = self._cast.platforms[platform].institution_id
        listing = Listing(
            self.register(institution, borrower, principal, rate_bp, open_us, months * 30),
            platform,
            borrower,
            firm,
            principal,
            rate_bp,
            months,
            open_us,
            day,
            cancelled,
            defaults_at,
            pattern,
            sponsor,
            look_alike,
            upkeep,
        )
        self._by_day.setdefault(day, []).append(listing)
        return listing

    def register(
        self, institution: str, borrower: int, principal: int, rate_bp: int, open_us: int, days: int
    ) -> int:
        """Index of a new product of the institution that lends for `days` days from `open_us` on."""
        day = (open_us - self._start_us) // DAY
        number = self._numbers[institution, day] = self._numbers.get((institution, day), 0) + 1
        register = self._cast.register
        opened = Date(day, self._start_us).civil
        register.products.append(
            Product(
                product_id=f"{institution}-{opened:%Y%m%d}-{number:03d}",
                institution_id=institution,
                borrower_party_id=register.accounts[borrower].party_id,
                principal_minor=principal,
                rate_bp=rate_bp,
                issued_at=open_us,
                due_at=open_us + days * DAY,
                valid_from=open_us - HOUR,
            )
        )
        return len(register.products) - 1

    def add_honest(self, seed: int, size: p.Size, days: int) -> None:
        """The opening book, and `days` days of new listings."""
        for day in range(-OPENING_BOOK_DAYS, days):
            for number in range(len(self._cast.platforms)):
                date = Date(day, self._start_us)
                self._add_day(stream(seed, "listings", number, day), number, date, size)
                self._add_trader(seed, number, date)

    def _add_day(self, rng: np.random.Generator, number: int, date: Date, size: p.Size) -> None:
        if not date.working:
            return
        yearly = p.FAST_GROWTH if number == 0 else p.GROWTH
        growth = max(1.0 + yearly * date.number / 365, 0.3)
        for _ in range(int(rng.poisson(growth * size.listings))):
            returning = rng.random() < p.RETURNING_BORROWERS
            firm = bool(rng.random() < p.FIRM_BORROWERS) and not returning
            months = int(rng.choice(p.LOAN_TERMS))
            open_us = int(date.moments(rng, ONLINE, 1)[0])
            debt = self._may_borrow(rng, number, date.number, months, firm=firm, returning=returning)
            if debt is None:
                continue
            self.add(
                number,
                debt.borrower,
                debt.principal,
                int(rng.integers(*p.LOAN_RATE_BP)) // 10 * 10,
                months,
                open_us,
                firm=firm,
                cancelled=bool(rng.random() < p.CANCELLED_LISTINGS),
                defaults_at=int(rng.integers(1, months + 1)) if rng.random() < p.DEFAULT_RATE else 0,
                look_alike=self._cast.platforms[number].patterns.later_loan if returning else NONE,
            )

    def _add_trader(self, seed: int, number: int, date: Date) -> None:
        """On each platform a trader borrows near the cap for a month, repays, and borrows again."""
        rng = stream(seed, "trader", number)
        principal, phase = int(rng.integers(60, 90)) * 2_000 * p.YUAN, int(rng.integers(0, 8))
        borrower = int(rng.choice(self._cast.people.card))
        if date.number < 0 or (date.number - phase) % _TRADERS_EVERY:
            return
        if self._room(borrower, number, date.number, 1, p.PERSON_LIMITS) >= principal:
            label = self._cast.platforms[number].patterns.repaid_and_borrowed_again
            self._running[borrower].append(_Debt(borrower, number, principal, *_span(date.number, 1)))
            self.add(number, borrower, principal, 1_000, 1, date.at(10), firm=False, look_alike=label)

    def _may_borrow(
        self,
        rng: np.random.Generator,
        number: int,
        day: int,
        months: int,
        *,
        firm: bool,
        returning: bool,
    ) -> _Debt | None:
        """Somebody who stays within what he may owe, and how much he asks for; None: nobody was found."""
        for _ in range(_ASKED):
            borrower = self._returning(rng, number, day) if returning else self._borrower(rng, firm)
            principal = _principal(rng, firm)
            limits = p.FIRM_LIMITS if firm else p.PERSON_LIMITS
            if borrower != NONE and self._room(borrower, number, day, months, limits) >= principal:
                debt = _Debt(borrower, number, principal, *_span(day, months))
                self._running[borrower].append(debt)
                if not firm:
                    self._people_lent[number].append((day, borrower))
                return debt
        return None

    def _room(self, borrower: int, number: int, day: int, months: int, limits: tuple[int, int]) -> int:
        """What the borrower may still owe, on this platform and on all, in the months to come."""
        begin, end = _span(day, months)
        debts = [d for d in self._running[borrower] if d.begin < end and begin < d.end]
        here = sum(debt.principal for debt in debts if debt.platform == number)
        return min(limits[0] - here, limits[1] - sum(debt.principal for debt in debts))

    def _returning(self, rng: np.random.Generator, number: int, day: int) -> int:
        """A person who had a listing here some time ago."""
        known = self._people_lent[number]
        first, last = (bisect_left(known, (before,)) for before in (day - 60, day - 5))
        return known[int(rng.integers(first, last))][1] if first < last else NONE

    def _borrower(self, rng: np.random.Generator, firm: bool) -> int:
        if firm:
            return self._cast.firms[int(rng.integers(0, len(self._cast.firms)))].account
        return int(rng.choice(self._cast.people.card))


class _Debt(NamedTuple):
    """`principal` may be owed from day `begin` until before `end`."""

    borrower: int
    platform: int
    principal: int
    begin: int
    end: int


def _span(day: int, months: int) -> tuple[int, int]:
    return day, day + 30 * months + _LATE_DAYS


def _principal(rng: np.random.Generator, firm: bool) -> int:
    if firm:
        return int(rng.integers(*p.FIRM_PRINCIPAL)) // (1_000 * p.YUAN) * 1_000 * p.YUAN
    drawn = int(money(rng, p.PERSON_PRINCIPAL_MEDIAN, 0.7, 1, 500 * p.YUAN)[0])
    return min(drawn, p.PERSON_PRINCIPAL_CAP)


def investors_for(rng: np.random.Generator, principal: int) -> int:
    """How many take part in a listing, or in one day's bidding for it."""
    return int(rng.integers(*p.INVESTORS_A_LISTING)) + principal // p.PRINCIPAL_AN_INVESTOR


def opening_loans(plan: ListingPlan, platforms: tuple[Platform, ...], seed: int) -> Iterator[Loan]:
    """Loans that were running before day 0, with who holds them."""
    rng = stream(seed, "opening book")
    for day in range(-OPENING_BOOK_DAYS, 0):
        for listing in plan.on(day):
            loan = Loan(listing, paid=max(0, (-day - 2) // 30), raised=listing.principal)
            if listing.cancelled or loan.paid >= listing.months:
                continue
            count = investors_for(rng, listing.principal)
            stakes = np.maximum(rng.dirichlet(np.full(count, 3.0)) * listing.principal, 1).astype(np.int64)
            stakes[0] += listing.principal - stakes.sum()
            loan.investors = [rng.choice(platforms[listing.platform].sub, count)]
            loan.stakes = [stakes]
            loan.disbursed_us = listing.open_us + DAY
            yield loan
