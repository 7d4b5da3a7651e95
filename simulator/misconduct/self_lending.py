"""自融: a listing's money, once disbursed, comes to the platform itself or to those behind it.

own_company   clumsy: the borrower is a sister company of the platform
direct_shell  a shell borrows, and hands on to the platform's own account within hours
split_shell   a shell hands on in parts over two days, to the holding and a sister company
layered       shell → a trading company → the controller's own company, a day apart, a cut kept
straw         five or so people borrow below the cap; a collector passes it to the controller
patient       careful: two intermediaries, days of waiting, parts, and honest trade mixed in
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
    pass_on,
    pay_on,
    until,
    until_disbursed,
)
from simulator.register import LEASING, TRADE
from simulator.today import Script


def _principal(rng: np.random.Generator) -> int:
    return int(rng.integers(150, 450)) * 1_000 * p.YUAN


def own_company(plan: Plan) -> Play:
    number, platform = plan.platform()
    borrower = platform.group.affiliate[1]
    label = plan.label((borrower,))
    listing = plan.listing(
        number, borrower, _principal(plan.rng), label, platform.group.holding[1], firm=True
    )

    def script(_: np.random.Generator) -> Script:
        today = yield
        today, _loan = yield from until_disbursed(today, listing)
        today.finished.add(label)

    return script


def direct_shell(plan: Plan) -> Play:
    number, platform = plan.platform()
    shell = plan.company("贸易", TRADE)
    label = plan.label((platform.own, shell))
    listing = plan.listing(number, shell, _principal(plan.rng), label, platform.own, firm=True)

    def script(rng: np.random.Generator) -> Script:
        today = yield
        today, loan = yield from until_disbursed(today, listing)
        amount = int(listing.principal * rng.uniform(0.90, 0.96))
        pass_on(today, rng, shell, platform.own, amount, loan.disbursed_us, label)
        today.finished.add(label)

    return script


def split_shell(plan: Plan) -> Play:
    number, platform = plan.platform()
    shell = plan.company("实业发展", TRADE)
    receivers = (platform.group.holding[1], platform.group.affiliate[1])
    label = plan.label((*receivers, shell))
    listing = plan.listing(number, shell, _principal(plan.rng), label, receivers[0], firm=True)

    def script(rng: np.random.Generator) -> Script:
        today = yield
        today, _ = yield from until_disbursed(today, listing)
        for _ in range(2):
            today = yield
            parts = np.array([*receivers, receivers[0]])[: int(rng.integers(2, 4))]
            amount = int(listing.principal * rng.uniform(0.42, 0.47))
            pay_on(today, rng, shell, parts, amount, Purpose.transfer, label)
        today.finished.add(label)

    return script


def layered(plan: Plan) -> Play:
    number, platform = plan.platform()
    shell, between = plan.company("建材", TRADE), plan.company("物资", TRADE)
    final = platform.group.family[1]
    label = plan.label((final, shell, between))
    listing = plan.listing(number, shell, _principal(plan.rng), label, final, firm=True)

    def script(rng: np.random.Generator) -> Script:
        today = yield
        today, _ = yield from until_disbursed(today, listing)
        amount = int(listing.principal * rng.uniform(0.93, 0.96))
        for src, dst in ((shell, between), (between, final)):
            today = yield
            today.pay(src, dst, amount, office_moment(today, rng), Purpose.purchase, pattern=label)
            amount = int(amount * rng.uniform(0.97, 0.99))
        today.finished.add(label)

    return script


def straw(plan: Plan) -> Play:
    number, platform = plan.platform()
    people = [plan.person() for _ in range(int(plan.rng.integers(4, 7)))]
    collector = plan.person()
    final = platform.group.controller[1]
    label = plan.label((final, collector, *people))
    listings = [
        plan.listing(
            number, person, int(plan.rng.integers(80, 191)) * 1_000 * p.YUAN, label, final, firm=False
        )
        for person in people
    ]

    def script(rng: np.random.Generator) -> Script:
        today = yield
        waiting = list(listings)
        collected = 0
        while waiting:
            for loan in [loan for loan in today.disbursed if loan.listing in waiting]:
                amount = int(loan.listing.principal * rng.uniform(0.90, 0.95))
                borrower = loan.listing.borrower
                pass_on(today, rng, borrower, collector, amount, loan.disbursed_us, label)
                collected += amount
                waiting.remove(loan.listing)
            today = yield
        today = yield from until(today, today.day + int(rng.integers(0, 2)))
        parts = np.full(int(rng.integers(2, 4)), final)
        pay_on(
            today, rng, collector, parts, int(collected * rng.uniform(0.95, 0.98)), Purpose.transfer, label
        )
        today.finished.add(label)

    return script


def patient(plan: Plan) -> Play:
    number, platform = plan.platform()
    shell = plan.company("机电设备", TRADE)
    first, second = plan.company("物流", LEASING), plan.person(role=None)
    final = platform.group.family[1]
    partners = plan.firms(4)
    label = plan.label((final, shell, first, second))
    listing = plan.listing(number, shell, _principal(plan.rng), label, final, firm=True)

    def script(rng: np.random.Generator) -> Script:
        today = yield
        today, _ = yield from until_disbursed(today, listing)
        amount = int(listing.principal * rng.uniform(0.70, 0.80))
        today = yield
        pay_on(today, rng, shell, partners[:2], int(listing.principal * 0.1), Purpose.purchase, -1)
        today.pay(int(partners[2]), first, 60_000_00, office_moment(today, rng), Purpose.purchase)
        for src, dst in ((shell, first), (first, second), (second, final)):
            today = yield from until(today, today.day + int(rng.integers(1, 4)))
            part = int(amount * rng.uniform(0.4, 0.6))
            pay_on(today, rng, src, np.array([dst]), part, Purpose.purchase, label, step=1)
            today = yield
            pay_on(today, rng, src, np.array([dst]), amount - part, Purpose.purchase, label, step=1)
            today = yield
            amount = int(amount * rng.uniform(0.97, 0.99))
        pay_on(today, rng, first, partners[3:], 40_000_00, Purpose.purchase, -1)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(own_company, CLUMSY, days=6),
    Variant(direct_shell, CLUMSY, days=6),
    Variant(split_shell, ORDINARY, days=8),
    Variant(layered, ORDINARY, days=9),
    Variant(straw, ORDINARY, days=12, also=("straw_borrowers", "structuring")),
    Variant(patient, CAREFUL, days=22),
)
