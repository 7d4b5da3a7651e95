"""Listings as planned, and the loans that come of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from schemas.instant import DAY, HOUR
from schemas.registry import Product
from simulator import parameters as p
from simulator.cast import Cast, Platform
from simulator.dates import ONLINE, Date
from simulator.flows import NONE
from simulator.streams import Ints, money, stream

OPENING_BOOK_DAYS = 30 * max(p.LOAN_TERMS) + 2


@dataclass(frozen=True, slots=True)
class Listing:
    """A loan somebody asks for on platform number `platform`. `pattern` is NONE for an honest one;
    a planted one is filled first, and its instalments come from `sponsor` when the borrower cannot pay.
    `firm`: the borrower is a company."""

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
                self._add_day(stream(seed, "listings", number, day), number, Date(day, self._start_us), size)

    def _add_day(self, rng: np.random.Generator, number: int, date: Date, size: p.Size) -> None:
        if not date.working:
            return
        growth = 1.0 + 0.3 * date.number / 365
        for _ in range(int(rng.poisson(max(growth, 0.3) * size.listings))):
            firm = bool(rng.random() < p.FIRM_BORROWERS)
            months = int(rng.choice(p.LOAN_TERMS))
            self.add(
                number,
                self._borrower(rng, firm),
                _principal(rng, firm),
                int(rng.integers(*p.LOAN_RATE_BP)) // 10 * 10,
                months,
                int(date.moments(rng, ONLINE, 1)[0]),
                firm=firm,
                cancelled=bool(rng.random() < p.CANCELLED_LISTINGS),
                defaults_at=int(rng.integers(1, months + 1)) if rng.random() < p.DEFAULT_RATE else 0,
            )

    def _borrower(self, rng: np.random.Generator, firm: bool) -> int:
        if firm:
            return self._cast.firms[int(rng.integers(0, len(self._cast.firms)))].account
        return int(rng.choice(self._cast.people.card))


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
