"""What honest borrowers do with their money: firms pay suppliers, people pay for what they borrowed for.

Among the suppliers is now and then one that belongs to the platform's group, paid a small share; among
the staff somebody from the platform's board, paid a salary. Neither is self-lending.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import OFFICE
from simulator.flows import NONE
from simulator.loans import Loan
from simulator.register import OUTSIDE
from simulator.streams import shares, stream
from simulator.today import Today


class _Payment(NamedTuple):
    src: int
    dst: int
    amount: int
    purpose: Purpose
    pattern: int = NONE


class Borrowers:
    def __init__(self, cast: Cast) -> None:
        self._planned: defaultdict[int, list[_Payment]] = defaultdict(list)
        self._suppliers = np.array([c.account for c in (*cast.companies, *cast.firms)], dtype=np.int64)
        self._shops = cast.shops

    def act(self, today: Today) -> None:
        rng = today.stream("borrowers")
        due = self._planned.pop(today.day, [])
        if not today.date.working:
            self._planned[today.day + 1].extend(due)
            return
        for payment in due:
            at = int(today.date.moments(rng, OFFICE, 1)[0])
            today.pay(payment.src, payment.dst, payment.amount, at, payment.purpose, pattern=payment.pattern)
        for loan in today.disbursed:
            if loan.listing.pattern == NONE:
                plan = self._of_firm if loan.listing.firm else self._of_person
                name = today.cast.register.products[loan.listing.product].product_id
                plan(stream(today.seed, "borrower", name), loan, today)

    def _of_firm(self, rng: np.random.Generator, loan: Loan, today: Today) -> None:
        listing = loan.listing
        platform = today.cast.platforms[listing.platform]
        spent = int(listing.principal * rng.uniform(0.4, 0.75))
        if rng.random() < p.MATERIAL_LOANS:
            self._buy_materials(rng, loan, today, spent)
            return
        suppliers = self._suppliers[self._suppliers != listing.borrower]
        for amount in shares(rng, spent, int(rng.integers(2, 6)), p.YUAN):
            self._plan(
                rng,
                today,
                _Payment(listing.borrower, int(rng.choice(suppliers)), int(amount), Purpose.purchase),
            )
        if rng.random() < p.RELATED_SUPPLIER:
            small = int(listing.principal * rng.uniform(0.02, 0.06))
            label = platform.patterns.related_supplier
            supplier = platform.group.supplier[1]
            self._plan(rng, today, _Payment(listing.borrower, supplier, small, Purpose.purchase, label))
        if rng.random() < p.RELATED_SALARY:
            salary = int(rng.integers(8_000, 20_000)) * p.YUAN
            label = platform.patterns.salary_related
            director = platform.group.director[1]
            self._plan(rng, today, _Payment(listing.borrower, director, salary, Purpose.salary, label))

    def _buy_materials(self, rng: np.random.Generator, loan: Loan, today: Today, spent: int) -> None:
        """For a site: the material in two deliveries, and the developer of the site a small deposit."""
        materials = today.cast.materials
        borrower, label = loan.listing.borrower, materials.pattern
        for amount in shares(rng, spent, 2, p.YUAN):
            bought = _Payment(borrower, materials.account, int(amount), Purpose.purchase, label)
            self._plan(rng, today, bought)
        developer = today.cast.developers[int(rng.integers(0, len(today.cast.developers)))].account
        deposit = loan.listing.principal // 40 // p.YUAN * p.YUAN
        self._plan(rng, today, _Payment(borrower, developer, deposit, Purpose.transfer, label))

    def _of_person(self, rng: np.random.Generator, loan: Loan, today: Today) -> None:
        """Renovation, a car, tuition, a small trade: one to three payments, some of them out of sight."""
        listing = loan.listing
        spent = int(listing.principal * rng.uniform(0.5, 0.8))
        for amount in shares(rng, spent, int(rng.integers(1, 4)), p.YUAN):
            if rng.random() < p.BIG_SHOP:
                big = self._shops[0]
                bought = _Payment(listing.borrower, big.account, int(amount), Purpose.purchase, big.pattern)
                self._plan(rng, today, bought)
                continue
            shop = self._shops[int(rng.integers(0, len(self._shops)))].account
            payee = shop if rng.random() < 0.5 else OUTSIDE
            self._plan(rng, today, _Payment(listing.borrower, payee, int(amount), Purpose.purchase))
        if listing.months == 1:  # stock, paid for by what it sells for
            earned = _Payment(OUTSIDE, listing.borrower, loan.instalment(), Purpose.purchase)
            self._planned[today.day + 24].append(earned)

    def _plan(self, rng: np.random.Generator, today: Today, payment: _Payment) -> None:
        self._planned[today.day + int(rng.integers(1, 7))].append(payment)
