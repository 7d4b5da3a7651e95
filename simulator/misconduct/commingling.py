"""资金混同: the platform's own money and its clients' lie in one account, or flow into each other.

overdraft      clumsy: custody lends the own account cash for some days, and gets most of it back
fat_fee        the fee account takes far more than the filed fee out of custody, and sweeps it on
shared_payroll custody pays the platform's staff, landlord and advertisements
smoothing      careful: small advances of own money into custody and back, booked as refunds
"""

from __future__ import annotations

import numpy as np

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
    pass_on,
    pay_on,
    until,
    until_held,
    wait,
)
from simulator.register import LEASING
from simulator.today import Script


def overdraft(plan: Plan) -> Play:
    _, platform = plan.platform()
    label = plan.label((platform.own, platform.custody))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        taken = 0
        for _ in range(2):
            today = yield from until_held(today, platform.custody, 40_000 * p.YUAN)
            held = int(today.ledger.spendable[platform.custody])
            wish = int(held * rng.uniform(0.15, 0.3)) // p.YUAN * p.YUAN
            at = office_moment(today, rng)
            if today.pay(platform.custody, platform.own, wish, at, Purpose.transfer, pattern=label)[0]:
                taken += wish
            today = yield
        today.proven.add(label)
        today = yield from wait(today, rng, 1, 3)
        back = int(taken * rng.uniform(0.7, 1.0))
        today.pay(
            platform.own, platform.custody, back, office_moment(today, rng), Purpose.transfer, pattern=label
        )
        today.finished.add(label)

    return script


def fat_fee(plan: Plan) -> Play:
    _, platform = plan.platform()
    label = plan.label((platform.fee, platform.custody, platform.own))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(4):
            today = yield from until_held(today, platform.custody, 30_000 * p.YUAN)
            held = int(today.ledger.spendable[platform.custody])
            wish = int(held * rng.uniform(0.08, 0.15)) // 100 * 100
            at = today.date.at(9) + int(rng.integers(0, 3600)) * 1_000_000
            if today.pay(
                platform.custody,
                platform.fee,
                wish,
                at,
                Purpose.fee,
                channel=Channel.custody,
                pattern=label,
            )[0]:
                pass_on(today, rng, platform.fee, platform.own, wish * 9 // 10, at, label, Purpose.fee)
            today = yield
        today.finished.add(label)

    return script


def shared_payroll(plan: Plan) -> Play:
    _, platform = plan.platform()
    staff = np.array([plan.insider(platform), *(plan.person() for _ in range(3))])
    office, agency = plan.company("写字楼物业", LEASING), plan.company("广告传媒", LEASING)
    label = plan.label((platform.custody, *(int(one) for one in staff), office, agency))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        salaries = len(staff) * int(rng.integers(5, 9)) * 1_000 * p.YUAN
        today = yield from until_held(today, platform.custody, salaries)
        pay_on(today, rng, platform.custody, staff, salaries, Purpose.salary, label)
        today = yield
        bills = int(rng.integers(10, 25)) * 1_000 * p.YUAN
        today = yield from until_held(today, platform.custody, bills)
        pay_on(today, rng, platform.custody, np.array([office, agency]), bills, Purpose.purchase, label)
        today.finished.add(label)

    return script


def smoothing(plan: Plan) -> Play:
    _, platform = plan.platform()
    label = plan.label((platform.own, platform.custody))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(4):
            amount = int(rng.integers(15_000, 48_000)) * p.YUAN
            at = office_moment(today, rng)
            today.pay(
                platform.own,
                platform.custody,
                amount,
                at,
                Purpose.refund,
                channel=Channel.custody,
                pattern=label,
            )
            today = yield from wait(today, rng, 1, 2)
            back = int(amount * rng.uniform(0.9, 1.1))
            at = office_moment(today, rng)
            today.pay(
                platform.custody,
                platform.own,
                back,
                at,
                Purpose.refund,
                channel=Channel.custody,
                pattern=label,
            )
            today = yield
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(overdraft, CLUMSY, days=14, also=("misappropriation",)),
    Variant(fat_fee, ORDINARY, days=14, also=("misappropriation",)),
    Variant(shared_payroll, ORDINARY, days=12, also=("misappropriation",)),
    Variant(smoothing, CAREFUL, days=26, also=("misappropriation",)),
)
