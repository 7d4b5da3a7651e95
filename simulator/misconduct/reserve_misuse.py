"""挪用备付金: money leaves a payment institution's reserve for what no client asked for.

developer       clumsy: one large transfer to a property developer
margin          to a broker's margin account, three parts in three days
vehicle         to the institution's own investment vehicle, as a reserve transfer
related         to a sister company, booked as merchant settlement, no instruction behind it
uninstructed    some tens of payouts to private accounts, booked as withdrawals nobody asked for
sham_merchant   careful: a sham merchant is "settled" what nobody bought, and pays the developer on
dribble         careful: a small part a day for ten days to people who pass it to the group
"""

from __future__ import annotations

import numpy as np

from schemas.registry import AccountRole
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import PaymentInstitution
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
)
from simulator.register import FINANCE, TRADE
from simulator.today import Script, Today

_ALSO = ("reserve_shortfall",)
"""Clients are owed what is gone."""


def _slice(
    today: Today, rng: np.random.Generator, firm: PaymentInstitution, least: float, most: float
) -> int:
    """A part of what the reserve holds, in whole thousands of yuan."""
    held = int(today.ledger.spendable[firm.reserve])
    return max(int(held * rng.uniform(least, most)) // (1_000 * p.YUAN), 1) * 1_000 * p.YUAN


def developer(plan: Plan) -> Play:
    firm = plan.payment_institution()
    final = plan.cast.developers[int(plan.rng.integers(0, len(plan.cast.developers)))].account
    label = plan.label((firm.reserve, final))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        amount = _slice(today, rng, firm, 0.06, 0.12)
        today.pay(firm.reserve, final, amount, office_moment(today, rng), Purpose.transfer, pattern=label)
        today.finished.add(label)

    return script


def margin(plan: Plan) -> Play:
    firm = plan.payment_institution()
    final = plan.cast.brokers[int(plan.rng.integers(0, len(plan.cast.brokers)))].account
    label = plan.label((firm.reserve, final))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(3):
            amount = _slice(today, rng, firm, 0.02, 0.04)
            today.pay(firm.reserve, final, amount, office_moment(today, rng), Purpose.transfer, pattern=label)
            today = yield
        today.finished.add(label)

    return script


def vehicle(plan: Plan) -> Play:
    firm = plan.payment_institution()
    final = plan.company("股权投资", FINANCE, AccountRole.product_vehicle)
    plan.cast.register.holds(firm.party, plan.party_of(final), 10_000)
    label = plan.label((firm.reserve, final))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(2):
            amount = _slice(today, rng, firm, 0.03, 0.06)
            today.pay(
                firm.reserve,
                final,
                amount,
                office_moment(today, rng),
                Purpose.reserve_transfer,
                pattern=label,
            )
            today = yield from until(today, today.day + int(rng.integers(1, 4)))
        today.finished.add(label)

    return script


def related(plan: Plan) -> Play:
    firm = plan.payment_institution()
    final = firm.group.affiliate[1]
    label = plan.label((firm.reserve, final))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(int(rng.integers(2, 5))):
            amount = _slice(today, rng, firm, 0.015, 0.03)
            at = office_moment(today, rng)
            today.pay(
                firm.reserve,
                final,
                amount,
                at,
                Purpose.merchant_settlement,
                channel=Channel.clearing,
                pattern=label,
            )
            today = yield
        today.finished.add(label)

    return script


def uninstructed(plan: Plan) -> Play:
    firm = plan.payment_institution()
    people = np.array([plan.person() for _ in range(int(plan.rng.integers(3, 6)))])
    label = plan.label((firm.reserve, *(int(a) for a in people)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(4):
            takers = np.append(people, rng.choice(people, int(rng.integers(1, 4))))
            amount = _slice(today, rng, firm, 0.01, 0.02)
            pay_on(today, rng, firm.reserve, takers, amount, Purpose.withdraw, label, step=10)
            today = yield
        today.finished.add(label)

    return script


def sham_merchant(plan: Plan) -> Play:
    firm = plan.payment_institution()
    party = plan.cast.register.company("汇优百货商贸有限公司", TRADE)
    merchant = plan.cast.register.account(
        party, plan.bank(), "merchant", 0, AccountRole.merchant_settlement, firm.institution_id
    )
    final = plan.cast.developers[int(plan.rng.integers(0, len(plan.cast.developers)))].account
    label = plan.label((firm.reserve, merchant, final))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(5):
            amount = int(_slice(today, rng, firm, 0.008, 0.015) * rng.uniform(0.9, 1.0)) // 10 * 10
            at = today.date.at(2) + int(rng.integers(0, 900)) * 1_000_000
            paid = today.pay(
                firm.reserve,
                merchant,
                amount,
                at,
                Purpose.merchant_settlement,
                channel=Channel.clearing,
                pattern=label,
            )
            if paid[0]:
                onward = amount * 98 // 100
                pass_on(today, rng, merchant, final, onward, today.date.at(9), label, Purpose.purchase)
            today = yield
        today.finished.add(label)

    return script


def dribble(plan: Plan) -> Play:
    firm = plan.payment_institution()
    people = [plan.person(role=None) for _ in range(4)]
    final = firm.group.affiliate[1]
    label = plan.label((firm.reserve, *people, final))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for turn in range(10):
            taker = people[turn % len(people)]
            amount = int(_slice(today, rng, firm, 0.003, 0.008) * rng.uniform(0.8, 1.0)) // 10 * 10
            at = today.date.at(9) + int(rng.integers(0, 10 * 3600)) * 1_000_000
            if today.pay(
                firm.reserve, taker, amount, at, Purpose.withdraw, channel=Channel.online, pattern=label
            )[0]:
                pass_on(today, rng, taker, final, amount * 97 // 100, at, label)
            today = yield
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(developer, CLUMSY, days=1, also=_ALSO),
    Variant(margin, ORDINARY, days=4, also=_ALSO),
    Variant(vehicle, ORDINARY, days=8, also=_ALSO),
    Variant(related, ORDINARY, days=6, also=_ALSO),
    Variant(uninstructed, ORDINARY, days=5, also=_ALSO),
    Variant(sham_merchant, CAREFUL, days=6, also=_ALSO),
    Variant(dribble, CAREFUL, days=11, also=_ALSO),
)
