"""期限拆分: a long loan is cut into short listings, each of which repays the one before.

fortnights      clumsy: three equal listings, each repaid the day after the next is paid out
growing         three listings of three weeks, each a little larger, with a day or two between
two_companies   careful: listings alternate between two companies of one owner, who hand each other the money
"""

from __future__ import annotations

import numpy as np

from schemas.registry import RelationKind
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
from simulator.misconduct.offering import NOBODY, Offering, Stakes
from simulator.register import BUILDING, OUTSIDE
from simulator.today import Script

_ROUNDS = 3


def _chain(plan: Plan, borrowers: tuple[int, ...], term: int, growth: float, slack: int) -> Play:
    """Listings in turn by `borrowers`; up to `slack` days between what one brings and the other gets back."""
    _, platform = plan.platform()
    rng = plan.rng
    sums = [int(rng.integers(50, 110)) * 1_000 * p.YUAN]
    for _ in range(_ROUNDS - 1):
        sums.append(int(sums[-1] * growth) // (100 * p.YUAN) * 100 * p.YUAN)
    label = plan.label((*borrowers, platform.custody))
    offerings = []
    for turn, principal in enumerate(sums):
        borrower = borrowers[turn % len(borrowers)]
        product = plan.product(platform, borrower, principal, 1_000, term, delay=turn * term)
        offerings.append(Offering(platform, product, borrower, label))
    suppliers = plan.firms(2 * _ROUNDS)

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        before: tuple[Offering, Stakes] | None = None
        for turn, (offering, principal) in enumerate(zip(offerings, sums, strict=True)):
            today = yield from until(today, plan.day + turn * term)
            stakes = NOBODY
            while stakes.total < principal:
                stakes = stakes.and_(offering.sell(today, rng, platform.sub, principal - stakes.total))
                today = yield
            today = yield from wait(today, rng, 0, 0)
            today = yield from offering.disburse(today, rng, principal)
            today.flows.add(OUTSIDE, offering.borrower, principal // 8, today.date.at(18), Purpose.purchase)
            today = yield from wait(today, rng, 1, 1 + slack)
            if before is None:
                spent = int(principal * rng.uniform(0.85, 0.95))
                pay_on(today, rng, offering.borrower, suppliers[:3], spent, Purpose.purchase, -1)
            else:
                earlier, owed = before
                interest = owed.total * term // 3_650
                if earlier.borrower != offering.borrower:
                    at = office_moment(today, rng)
                    handed = owed.total + interest
                    today.pay(
                        offering.borrower, earlier.borrower, handed, at, Purpose.transfer, pattern=label
                    )
                    today = yield from wait(today, rng, 1, 1)
                earlier.repay(today, earlier.borrower, owed, interest, office_moment(today, rng))
                today.proven.add(label)
            before = offering, stakes
        today.finished.add(label)

    return script


def fortnights(plan: Plan) -> Play:
    return _chain(plan, (plan.company("建筑装饰", BUILDING),), term=14, growth=1.02, slack=0)


def growing(plan: Plan) -> Play:
    return _chain(plan, (plan.company("工程", BUILDING),), term=21, growth=1.06, slack=1)


def two_companies(plan: Plan) -> Play:
    first, second = plan.company("建设", BUILDING), plan.company("劳务", BUILDING)
    boss = plan.party_of(plan.person())
    for company in (first, second):
        plan.cast.register.ties(boss, plan.party_of(company), RelationKind.controller)
    return _chain(plan, (first, second), term=20, growth=1.05, slack=1)


VARIANTS = (
    Variant(fortnights, CLUMSY, days=44, also=("maturity_mismatch",)),
    Variant(growing, ORDINARY, days=60, also=("maturity_mismatch",)),
    Variant(two_companies, CAREFUL, days=62, also=("maturity_mismatch",)),
)
