"""挪用客户资金: what clients keep in custody goes to somebody who is neither investor nor borrower.

showroom          clumsy: custody pays a car dealer
sham_withdrawals  strangers "withdraw" from custody what they never had there
other_payee       a listing is paid out to somebody other than its borrower
sleepers          careful: small sums out of the sub-accounts of clients who seldom look, to four strangers

Returned by the evening each would be what an honest clerk corrects, simulator.business.custody_errors.
"""

from __future__ import annotations

import numpy as np

from schemas.instant import SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.flows import Channel
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
    until_held,
    wait,
)
from simulator.misconduct.offering import Offering
from simulator.register import TRADE
from simulator.today import Script


def showroom(plan: Plan) -> Play:
    _, platform = plan.platform()
    dealer = plan.company("汽车销售", TRADE)
    label = plan.label((platform.custody, dealer))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        price = int(rng.integers(200, 450)) * 100 * p.YUAN
        today = yield from until_held(today, platform.custody, price)
        today.pay(platform.custody, dealer, price, office_moment(today, rng), Purpose.purchase, pattern=label)
        today.finished.add(label)

    return script


def sham_withdrawals(plan: Plan) -> Play:
    _, platform = plan.platform()
    takers = np.array([plan.person() for _ in range(5)])
    label = plan.label((platform.custody, *(int(taker) for taker in takers)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(3):
            today = yield from until_held(today, platform.custody, 50_000 * p.YUAN)
            total = int(today.ledger.spendable[platform.custody] * rng.uniform(0.05, 0.1))
            pay_on(today, rng, platform.custody, rng.permutation(takers)[:4], total, Purpose.withdraw, label)
            today = yield
        today.finished.add(label)

    return script


def other_payee(plan: Plan) -> Play:
    _, platform = plan.platform()
    named, payee = plan.person(), plan.company("贸易发展", TRADE)
    principal = int(plan.rng.integers(40, 90)) * 1_000 * p.YUAN
    product = plan.product(platform, named, principal, 1_080, 180)
    label = plan.label((platform.custody, payee))
    offering = Offering(platform, product, payee, label)

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        raised = 0
        while raised < principal * 0.7:
            raised += offering.sell(today, rng, platform.sub, principal - raised).total
            today = yield
        today = yield from wait(today, rng, 0, 1)
        today = yield from offering.disburse(today, rng, raised)
        today.finished.add(label)

    return script


def sleepers(plan: Plan) -> Play:
    _, platform = plan.platform()
    takers = [plan.person(role=None) for _ in range(4)]
    victims = platform.sub[plan.clients(platform, 60)]
    label = plan.label((*takers,))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for turn, part in enumerate(np.array_split(victims, 10)):
            sums = rng.integers(80, 800, len(part)) * p.YUAN
            at = today.date.at(21) + rng.integers(0, 2 * 3600, len(part)) * SECOND
            today.pay(
                part, takers[turn % 4], sums, at, Purpose.withdraw, channel=Channel.online, pattern=label
            )
            today = yield
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(showroom, CLUMSY, days=6, by_evening=True),
    Variant(sham_withdrawals, ORDINARY, days=12, by_evening=True),
    Variant(other_payee, ORDINARY, days=9, by_evening=True),
    Variant(sleepers, CAREFUL, days=11, by_evening=True),
)
