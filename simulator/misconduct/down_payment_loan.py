"""首付贷: a loan for "consumption" becomes the down payment of a home.

at_once      clumsy: the borrower pays the developer all of it the day after
with_savings in two parts amid the borrower's own savings, within a week
agency       an estate agency takes it as a "service fee" and pays the developer
family       careful: two relatives borrow, hand it to the buyer in parts, who pays the developer days later
"""

from __future__ import annotations

import numpy as np

from schemas.registry import AccountRole
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
    until_all_disbursed,
    until_disbursed,
    wait,
)
from simulator.register import OUTSIDE, PROPERTY
from simulator.today import Script


def _developer(plan: Plan) -> int:
    return plan.cast.developers[int(plan.rng.integers(0, len(plan.cast.developers)))].account


def _principal(plan: Plan) -> int:
    return int(plan.rng.integers(80, 185)) * 1_000 * p.YUAN


def at_once(plan: Plan) -> Play:
    number, _ = plan.platform()
    buyer, developer = plan.person(), _developer(plan)
    label = plan.label((buyer, developer))
    listing = plan.listing(number, buyer, _principal(plan), label, buyer, firm=False)

    def script(rng: np.random.Generator) -> Script:
        today, loan = yield from until_disbursed((yield), listing)
        today = yield
        amount = int(loan.listing.principal * rng.uniform(0.93, 0.97)) // (100 * p.YUAN) * 100 * p.YUAN
        today.pay(buyer, developer, amount, office_moment(today, rng), Purpose.purchase, pattern=label)
        today.finished.add(label)

    return script


def with_savings(plan: Plan) -> Play:
    number, _ = plan.platform()
    buyer, developer = plan.person(), _developer(plan)
    label = plan.label((buyer, developer))
    listing = plan.listing(number, buyer, _principal(plan), label, buyer, firm=False)

    def script(rng: np.random.Generator) -> Script:
        today, loan = yield from until_disbursed((yield), listing)
        savings = int(rng.integers(20, 60)) * 1_000 * p.YUAN
        today.flows.add(OUTSIDE, buyer, savings, today.date.at(20), Purpose.transfer)
        for share in (0.6, 0.38):
            today = yield from wait(today, rng, 1, 2)
            amount = int((loan.listing.principal + savings) * share * rng.uniform(0.9, 0.97))
            at = office_moment(today, rng)
            today.pay(buyer, developer, amount // p.YUAN * p.YUAN, at, Purpose.purchase, pattern=label)
        today.finished.add(label)

    return script


def agency(plan: Plan) -> Play:
    number, _ = plan.platform()
    buyer, developer = plan.person(), _developer(plan)
    agent = plan.company("房地产经纪", PROPERTY, AccountRole.property_developer)
    label = plan.label((buyer, agent, developer))
    listing = plan.listing(number, buyer, _principal(plan), label, buyer, firm=False)

    def script(rng: np.random.Generator) -> Script:
        today, loan = yield from until_disbursed((yield), listing)
        today = yield from wait(today, rng, 1, 2)
        amount = int(loan.listing.principal * rng.uniform(0.85, 0.95))
        today.pay(buyer, agent, amount, office_moment(today, rng), Purpose.purchase, pattern=label)
        today.proven.add(label)
        today = yield from wait(today, rng, 1, 2)
        onward = int(amount * 0.97)
        today.pay(agent, developer, onward, office_moment(today, rng), Purpose.purchase, pattern=label)
        today.finished.add(label)

    return script


def family(plan: Plan) -> Play:
    number, _ = plan.platform()
    parents, buyer = [plan.person(), plan.person()], plan.person(role=None)
    developer = _developer(plan)
    label = plan.label((buyer, *parents, developer))
    listings = [
        plan.listing(number, parent, _principal(plan) // 2, label, parent, firm=False, delay=turn)
        for turn, parent in enumerate(parents)
    ]

    def script(rng: np.random.Generator) -> Script:
        today, loans = yield from until_all_disbursed((yield), listings)
        for share in (0.55, 0.36):
            today = yield from wait(today, rng, 1, 2)
            for loan in loans:
                part = int(loan.listing.principal * share * rng.uniform(0.92, 1.0))
                at = office_moment(today, rng)
                today.pay(loan.listing.borrower, buyer, part, at, Purpose.transfer, pattern=label)
        today = yield from wait(today, rng, 2, 4)
        price = int(today.ledger.spendable[buyer] * 0.98) // (100 * p.YUAN) * 100 * p.YUAN
        today.pay(buyer, developer, price, office_moment(today, rng), Purpose.purchase, pattern=label)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(at_once, CLUMSY, days=7),
    Variant(with_savings, ORDINARY, days=14),
    Variant(agency, ORDINARY, days=18),
    Variant(family, CAREFUL, days=26),
)
