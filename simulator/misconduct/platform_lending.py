"""发放贷款: the platform lends its own money, which only a licensed lender may.

counter      clumsy: the own account pays out "loans" to half a dozen people
bridge       short loans to firms as plain transfers, back within two weeks with interest
by_employee  careful: a director's account gets the money, lends it in small sums, collects, gives it back
"""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.misconduct.case import (
    CAREFUL,
    CLUMSY,
    ORDINARY,
    Plan,
    Play,
    Variant,
    office_moment,
    pay_on,
    until,
    wait,
)
from simulator.register import MAKING, OUTSIDE
from simulator.streams import Ints
from simulator.today import Script, Today


def counter(plan: Plan) -> Play:
    _, platform = plan.platform()
    borrowers = np.array([plan.person() for _ in range(int(plan.rng.integers(5, 9)))])
    label = plan.label((platform.own, *(int(b) for b in borrowers)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for part in np.array_split(borrowers, 3):
            total = len(part) * int(rng.integers(10, 25)) * 1_000 * p.YUAN
            pay_on(today, rng, platform.own, part, total, Purpose.disburse, label)
            today = yield
        today.finished.add(label)

    return script


def bridge(plan: Plan) -> Play:
    _, platform = plan.platform()
    borrowers = [plan.company("制造", MAKING) for _ in range(4)]
    label = plan.label((platform.own, *borrowers))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        lent = []
        for borrower in borrowers:
            amount = int(rng.integers(20, 60)) * 1_000 * p.YUAN
            today.pay(
                platform.own, borrower, amount, office_moment(today, rng), Purpose.transfer, pattern=label
            )
            lent.append(amount)
            today = yield
        today = yield from wait(today, rng, 5, 8)
        for borrower, amount in zip(borrowers, lent, strict=True):
            _earn(today, rng, np.array([borrower]), amount // 10)
            today = yield
            owed = int(amount * rng.uniform(1.015, 1.03))
            today.pay(
                borrower, platform.own, owed, office_moment(today, rng), Purpose.transfer, pattern=label
            )
        today.finished.add(label)

    return script


def by_employee(plan: Plan) -> Play:
    _, platform = plan.platform()
    employee = plan.insider(platform)
    borrowers = np.array([plan.person(role=None) for _ in range(int(plan.rng.integers(8, 13)))])
    label = plan.label((platform.own, employee, *(int(b) for b in borrowers)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        fund = int(rng.integers(60, 110)) * 1_000 * p.YUAN
        for given in (fund // 3, fund - fund // 3):
            at = office_moment(today, rng)
            today.pay(platform.own, employee, given, at, Purpose.purchase, pattern=label)
            today = yield from wait(today, rng, 1, 2)
        for part in np.array_split(borrowers, 4):
            total = fund * 95 * len(part) // (100 * len(borrowers))
            pay_on(today, rng, employee, part, total, Purpose.transfer, label)
            today = yield
        today.proven.add(label)
        _earn(today, rng, borrowers, fund // len(borrowers) // 4)
        today = yield from wait(today, rng, 4, 6)
        for borrower in borrowers:
            owed = int(today.ledger.spendable[borrower] * rng.uniform(0.7, 0.95))
            at = office_moment(today, rng)
            today.pay(int(borrower), employee, owed, at, Purpose.transfer, pattern=label)
        today = yield
        home = int(fund * rng.uniform(0.6, 0.8))
        today.pay(employee, platform.own, home, office_moment(today, rng), Purpose.transfer, pattern=label)
        today.finished.add(label)

    return script


def _earn(today: Today, rng: np.random.Generator, accounts: Ints, most: int) -> None:
    """What the borrowers earn meanwhile, from people outside the feeds."""
    earned = rng.integers(most // 2, most + 1, len(accounts))
    today.flows.add(OUTSIDE, accounts, earned, office_moment(today, rng), Purpose.purchase)


VARIANTS = (
    Variant(counter, CLUMSY, days=4),
    Variant(bridge, ORDINARY, days=22),
    Variant(by_employee, CAREFUL, days=26, also=("fan_out",)),
)
