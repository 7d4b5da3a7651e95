"""自保、刚性兑付: borrowers do not pay, and the platform sees to it that investors never notice.

own_account       clumsy: the platform's own account pays the instalment into custody as a compensation
marketing         the marketing account "subsidises" each investor with just what the borrower owes him
sister            a sister company pays the instalment into custody as if it were the borrower
through_borrower  careful: the controller's company feeds a friend, who feeds the borrower, who then pays
"""

from __future__ import annotations

import numpy as np

from schemas.instant import SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Platform
from simulator.flows import Channel
from simulator.misconduct.case import (
    CAREFUL,
    CLUMSY,
    ORDINARY,
    Plan,
    Play,
    Variant,
    office_moment,
    pass_on,
    until,
    wait,
)
from simulator.misconduct.offering import Offering, Stakes
from simulator.streams import Ints, pro_rata
from simulator.today import Script

_OLD_DAYS = 33  # a loan that was paid out before the case, and whose first instalment is overdue


class _Overdue:
    """A loan of the platform, older than the case, whose borrower stopped paying."""

    def __init__(self, plan: Plan, platform: Platform, accounts: tuple[int, ...]) -> None:
        rng = plan.rng
        investors: Ints = platform.sub[plan.clients(platform, int(rng.integers(8, 16)))]
        self.stakes = Stakes(investors, rng.integers(10, 60, len(investors)) * 100 * p.YUAN)
        borrower = plan.person()
        product = plan.product(platform, borrower, self.stakes.total, 1_200, 90, delay=-_OLD_DAYS)
        self.offering = Offering(platform, product, borrower, plan.label(accounts))

    @property
    def principal(self) -> int:
        return self.stakes.total // 3

    @property
    def interest(self) -> int:
        return self.stakes.total // 100


def _paid_by(plan: Plan, platform: Platform, payer: int, purpose: Purpose) -> Play:
    loan = _Overdue(plan, platform, (payer, platform.custody))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        at = office_moment(today, rng)
        loan.offering.repay(today, payer, loan.stakes, loan.interest, at, purpose, principal=loan.principal)
        today.finished.add(loan.offering.pattern)

    return script


def own_account(plan: Plan) -> Play:
    _, platform = plan.platform()
    return _paid_by(plan, platform, platform.own, Purpose.compensation)


def sister(plan: Plan) -> Play:
    _, platform = plan.platform()
    return _paid_by(plan, platform, platform.group.affiliate[1], Purpose.repay)


def marketing(plan: Plan) -> Play:
    _, platform = plan.platform()
    loan = _Overdue(plan, platform, (platform.marketing,))
    label = loan.offering.pattern

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for part in np.array_split(np.arange(len(loan.stakes.investors)), 2):
            owed = pro_rata(loan.principal + loan.interest, loan.stakes.amounts)[part]
            at = today.date.at(10) + np.sort(rng.integers(0, 6 * 3600, len(part))) * SECOND
            today.pay(
                platform.marketing,
                loan.stakes.investors[part],
                owed,
                at,
                Purpose.subsidy,
                channel=Channel.custody,
                product=loan.offering.product,
                pattern=label,
            )
            today = yield
        today.finished.add(label)

    return script


def through_borrower(plan: Plan) -> Play:
    _, platform = plan.platform()
    sponsor, friend = platform.group.family[1], plan.person(role=None)
    loan = _Overdue(plan, platform, (sponsor, friend, platform.custody))
    label = loan.offering.pattern

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        due = loan.principal + loan.interest
        lent = due + int(rng.integers(5, 20)) * 100 * p.YUAN
        today.pay(sponsor, friend, lent, office_moment(today, rng), Purpose.purchase, pattern=label)
        today = yield from wait(today, rng, 1, 3)
        at = today.date.at(9)
        if not today.pay(friend, loan.offering.borrower, due, at, Purpose.transfer, pattern=label)[0]:
            return
        borrower, product = loan.offering.borrower, loan.offering.product
        at = pass_on(today, rng, borrower, platform.custody, due, at, label, Purpose.repay, product)
        loan.offering.pass_to_investors(today, loan.stakes, loan.principal, loan.interest, at)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(own_account, CLUMSY, days=1, also=("commingling",)),
    Variant(marketing, ORDINARY, days=3, also=("commingling",)),
    Variant(sister, ORDINARY, days=1, also=("commingling",)),
    Variant(through_borrower, CAREFUL, days=8),
)
