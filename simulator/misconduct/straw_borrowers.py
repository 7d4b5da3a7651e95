"""虚构标的: people who never meant to borrow lend their names; what they get goes to one who stays unseen.

same_day    clumsy: half a dozen borrowers hand on all of it the same day to one company
collectors  two collectors stand between eight borrowers and the boss, who is a stranger to the platform
insider     the boss is the platform's controller
households  careful: straws keep a share and spend some, pay in parts over a week, by way of relatives
"""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.loans import Listing
from simulator.misconduct.case import (
    CAREFUL,
    CLUMSY,
    ORDINARY,
    Plan,
    Play,
    Variant,
    office_moment,
    pass_on,
    pay_on,
    until_all_disbursed,
    wait,
)
from simulator.register import LEASING
from simulator.today import Script


def _listings(plan: Plan, people: list[int], label: int, platform: int, boss: int) -> list[Listing]:
    sums = plan.rng.integers(25, 70, len(people)) * 1_000 * p.YUAN
    return [
        plan.listing(platform, one, int(sums[n]), label, boss, firm=False, delay=n // 3)
        for n, one in enumerate(people)
    ]


def same_day(plan: Plan) -> Play:
    number, _ = plan.platform()
    people = [plan.person() for _ in range(int(plan.rng.integers(5, 8)))]
    boss = plan.company("投资", LEASING)
    label = plan.label((boss, *people))
    waiting = _listings(plan, people, label, number, boss)

    def script(rng: np.random.Generator) -> Script:
        today = yield
        left = len(waiting)
        while left:
            for loan in [loan for loan in today.disbursed if loan.listing in waiting]:
                amount = int(loan.listing.principal * rng.uniform(0.94, 0.965))
                pass_on(today, rng, loan.listing.borrower, boss, amount, loan.disbursed_us, label)
                left -= 1
            if left:
                today = yield
        today.finished.add(label)

    return script


def _by_collectors(plan: Plan, boss: int, number: int) -> Play:
    people = [plan.person() for _ in range(8)]
    collectors = [plan.person(), plan.person(role=None)]
    label = plan.label((boss, *collectors, *people))
    waiting = _listings(plan, people, label, number, boss)

    def script(rng: np.random.Generator) -> Script:
        today, loans = yield from until_all_disbursed((yield), waiting)
        today = yield
        taken = 0
        for turn, loan in enumerate(loans):
            amount = int(loan.listing.principal * rng.uniform(0.90, 0.96))
            at = office_moment(today, rng)
            dst = collectors[turn % 2]
            today.pay(loan.listing.borrower, dst, amount, at, Purpose.transfer, pattern=label)
            taken += amount
        today = yield from wait(today, rng, 1, 2)
        for collector in collectors:
            amount = int(today.ledger.spendable[collector] * rng.uniform(0.95, 0.98))
            parts = np.full(int(rng.integers(1, 4)), boss)
            pay_on(today, rng, collector, parts, amount, Purpose.transfer, label)
        today.finished.add(label)

    return script


def collectors(plan: Plan) -> Play:
    number, _ = plan.platform()
    return _by_collectors(plan, plan.person(), number)


def insider(plan: Plan) -> Play:
    number, platform = plan.platform()
    return _by_collectors(plan, platform.group.controller[1], number)


def households(plan: Plan) -> Play:
    number, _ = plan.platform()
    people = [plan.person() for _ in range(7)]
    relatives = [plan.person(role=None) for _ in range(3)]
    boss = plan.company("文化传播", LEASING)
    shops = [int(shop.account) for shop in plan.cast.shops[:7]]
    label = plan.label((boss, *relatives, *people))
    waiting = _listings(plan, people, label, number, boss)

    def script(rng: np.random.Generator) -> Script:
        today, loans = yield from until_all_disbursed((yield), waiting)
        today = yield
        for _ in range(2):
            for turn, loan in enumerate(loans):
                part = int(loan.listing.principal * rng.uniform(0.38, 0.43))
                at = office_moment(today, rng)
                relay = relatives[turn % 3] if turn % 2 else boss
                today.pay(loan.listing.borrower, relay, part, at, Purpose.transfer, pattern=label)
                spent = int(rng.integers(200, 1_500)) * p.YUAN
                today.pay(loan.listing.borrower, shops[turn], spent, at + 10**6, Purpose.purchase)
            today = yield from wait(today, rng, 2, 3)
        for relative in relatives:
            amount = int(today.ledger.spendable[relative] * rng.uniform(0.93, 0.97))
            pay_on(today, rng, relative, np.array([boss, boss]), amount, Purpose.transfer, label)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(same_day, CLUMSY, days=12),
    Variant(collectors, ORDINARY, days=16),
    Variant(insider, ORDINARY, days=16, also=("self_lending",)),
    Variant(households, CAREFUL, days=22),
)
