"""场外配资: clients' money, or the platform's own, ends up in securities margin accounts.

direct          clumsy: the own account pays a broker's margin account
funding_firm    a "consulting" firm borrows on the platform and pays the broker the next days
traders         five people borrow for "renovation" and top up their margin accounts within days
matched_stakes  careful: a shell borrows, a funding firm matches traders' stakes, they go to two brokers
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
    until_all_disbursed,
    until_disbursed,
    wait,
)
from simulator.register import LEASING, OUTSIDE
from simulator.today import Script


def _broker(plan: Plan) -> int:
    return plan.cast.brokers[int(plan.rng.integers(0, len(plan.cast.brokers)))].account


def direct(plan: Plan) -> Play:
    _, platform = plan.platform()
    broker = _broker(plan)
    label = plan.label((platform.own, broker))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(2):
            amount = int(rng.integers(60, 160)) * 1_000 * p.YUAN
            at = office_moment(today, rng)
            today.pay(platform.own, broker, amount, at, Purpose.transfer, pattern=label)
            today = yield
        today.finished.add(label)

    return script


def funding_firm(plan: Plan) -> Play:
    number, _ = plan.platform()
    firm, broker = plan.company("投资咨询", LEASING), _broker(plan)
    principal = int(plan.rng.integers(150, 350)) * 1_000 * p.YUAN
    label = plan.label((firm, broker))
    listing = plan.listing(number, firm, principal, label, firm, firm=True)

    def script(rng: np.random.Generator) -> Script:
        today, _ = yield from until_disbursed((yield), listing)
        for _ in range(2):
            today = yield
            part = int(principal * rng.uniform(0.40, 0.47))
            today.pay(firm, broker, part, office_moment(today, rng), Purpose.transfer, pattern=label)
        today.finished.add(label)

    return script


def traders(plan: Plan) -> Play:
    number, _ = plan.platform()
    people = [plan.person() for _ in range(5)]
    brokers = [_broker(plan) for _ in people]
    label = plan.label((*people, *sorted(set(brokers))))
    listings = [
        plan.listing(
            number, one, int(plan.rng.integers(30, 80)) * 1_000 * p.YUAN, label, one, firm=False, delay=n // 2
        )
        for n, one in enumerate(people)
    ]

    def script(rng: np.random.Generator) -> Script:
        today, loans = yield from until_all_disbursed((yield), listings)
        for loan, broker in zip(loans, brokers, strict=True):
            today = yield
            amount = int(loan.listing.principal * rng.uniform(0.85, 0.96))
            at = office_moment(today, rng)
            today.pay(loan.listing.borrower, broker, amount, at, Purpose.transfer, pattern=label)
        today.finished.add(label)

    return script


def matched_stakes(plan: Plan) -> Play:
    number, _ = plan.platform()
    shell, firm = plan.company("商务服务", LEASING), plan.company("资产管理咨询", LEASING)
    people = np.array([plan.person(role=None) for _ in range(5)])
    brokers = [_broker(plan), _broker(plan)]
    partners = plan.firms(2)
    principal = int(plan.rng.integers(180, 380)) * 1_000 * p.YUAN
    label = plan.label((shell, firm, *(int(one) for one in people), *sorted(set(brokers))))
    listing = plan.listing(number, shell, principal, label, shell, firm=True)

    def script(rng: np.random.Generator) -> Script:
        today, _ = yield from until_disbursed((yield), listing)
        today = yield from wait(today, rng, 1, 2)
        amount = int(principal * rng.uniform(0.80, 0.88))
        today.pay(shell, firm, amount, office_moment(today, rng), Purpose.purchase, pattern=label)
        pay_on(today, rng, shell, partners, principal // 20, Purpose.purchase, -1)
        today = yield from wait(today, rng, 1, 2)
        stakes = rng.integers(3, 9, len(people)) * 1_000 * p.YUAN
        today.flows.add(OUTSIDE, people, stakes, today.date.at(8), Purpose.transfer)
        pay_on(today, rng, firm, people, int(amount * 0.97), Purpose.transfer, label)
        today = yield from wait(today, rng, 1, 2)
        for turn, one in enumerate(people):
            held = int(today.ledger.spendable[one] * rng.uniform(0.93, 0.99))
            at = office_moment(today, rng)
            today.pay(int(one), brokers[turn % 2], held, at, Purpose.transfer, pattern=label)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(direct, CLUMSY, days=3),
    Variant(funding_firm, ORDINARY, days=9),
    Variant(traders, ORDINARY, days=16),
    Variant(matched_stakes, CAREFUL, days=22),
)
