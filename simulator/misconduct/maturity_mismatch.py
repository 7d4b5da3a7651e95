"""期限错配: money lent for a year is sold as if it could be had back in days; newcomers' money makes it so.

ten_days         clumsy: one loan sold for ten days; the next buyers' money pays the first ones out
current_account  a product over three loans, two of them to others than its borrower, with comings and goings
                 every other day for weeks
super_lender     careful: an insider "takes over" the claims of those who leave with what newcomers pay him
"""

from __future__ import annotations

import numpy as np

from schemas.instant import HOUR, SECOND
from schemas.registry import AccountRole, PartyKind, RelationKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.dates import ONLINE
from simulator.flows import Channel
from simulator.misconduct.case import (
    CAREFUL,
    CLUMSY,
    ORDINARY,
    Plan,
    Play,
    Variant,
    until,
    wait,
)
from simulator.misconduct.offering import NOBODY, Offering, Stakes, recharge
from simulator.register import MAKING
from simulator.streams import shares
from simulator.today import Script


def _principal(plan: Plan) -> int:
    return int(plan.rng.integers(60, 130)) * 1_000 * p.YUAN


def ten_days(plan: Plan) -> Play:
    _, platform = plan.platform()
    borrower = plan.company("制造", MAKING)
    principal = _principal(plan)
    label = plan.label((platform.custody, borrower))
    offering = Offering(platform, plan.product(platform, borrower, principal, 1_100, 360), borrower, label)
    cohorts = np.array_split(platform.sub[plan.clients(platform, 240)], 3)

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        first = offering.sell(today, rng, cohorts[0], principal)
        today = yield from wait(today, rng, 1, 1)
        today = yield from offering.disburse(today, rng, first.total)
        for cohort in cohorts[1:]:
            today = yield from wait(today, rng, 8, 9)
            raised = offering.sell(today, rng, cohort, first.total * 21 // 20)
            today = yield
            back = min(first.total, raised.total * 99 // 100)
            today = yield from offering.pay_from_custody(today, rng, first, back, back // 200)
            today.proven.add(label)
            first = raised
        today.finished.add(label)

    return script


def current_account(plan: Plan) -> Play:
    _, platform = plan.platform()
    borrowers = [plan.company("实业", MAKING) for _ in range(3)]
    principal = _principal(plan)
    label = plan.label((platform.custody, *borrowers))
    lead = Offering(
        platform, plan.product(platform, borrowers[0], principal, 1_000, 270), borrowers[0], label
    )
    others = [Offering(platform, lead.product, borrower, label) for borrower in borrowers[1:]]
    members = plan.clients(platform, 160)

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        recharge(today, rng, platform, members[:60], 6_000 * p.YUAN)
        today = yield from wait(today, rng, 1, 1)
        held = lead.sell(today, rng, platform.sub[members[:60]], principal)
        today = yield from wait(today, rng, 1, 1)
        for part, offering in zip(shares(rng, held.total, 3, p.YUAN), (lead, *others), strict=True):
            today = yield from offering.disburse(today, rng, int(part))
        for newcomers in np.array_split(members[60:], 8):
            today = yield from wait(today, rng, 1, 2)
            recharge(today, rng, platform, newcomers, 5_000 * p.YUAN)
            today = yield
            came = lead.sell(today, rng, platform.sub[newcomers], principal // 3)
            today = yield
            leaving, held = _leave(held, came.total)
            if leaving.total:
                interest = leaving.total // 300
                back = leaving.total - interest
                today = yield from lead.pay_from_custody(today, rng, leaving, back, interest)
            held = held.and_(came)
        today.finished.add(label)

    return script


def _leave(held: Stakes, room: int) -> tuple[Stakes, Stakes]:
    """The first holders, as far as `room` pays for all of their stakes; and the rest."""
    count = int(np.searchsorted(np.cumsum(held.amounts), room, side="right"))
    return (
        Stakes(held.investors[:count], held.amounts[:count]),
        Stakes(held.investors[count:], held.amounts[count:]),
    )


def super_lender(plan: Plan) -> Play:
    _, platform = plan.platform()
    register = plan.cast.register
    borrower = plan.company("科技", MAKING)
    party = register.party(PartyKind.person)
    register.ties(party, platform.party, RelationKind.affiliate)
    desk = register.account(
        party, platform.bank, "client", 4_000 * p.YUAN, AccountRole.client, platform.institution_id
    )
    principal = _principal(plan)
    label = plan.label((desk, platform.custody, borrower))
    offering = Offering(platform, plan.product(platform, borrower, principal, 1_200, 360), borrower, label)
    members = plan.clients(platform, 150)

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        held = NOBODY
        for part in np.array_split(members[:60], 2):
            held = held.and_(offering.sell(today, rng, platform.sub[part], principal // 2))
            today = yield
        today = yield from wait(today, rng, 0, 1)
        today = yield from offering.disburse(today, rng, held.total)
        for newcomers in np.array_split(members[60:], 5):
            today = yield from wait(today, rng, 3, 4)
            buyers = platform.sub[newcomers]
            wish = np.minimum(today.ledger.spendable[buyers] // 2, 6_000 * p.YUAN) // 10_000 * 10_000
            at = today.date.moments(rng, ONLINE, len(buyers))
            paid = today.pay(
                buyers,
                desk,
                wish,
                at,
                Purpose.transfer,
                channel=Channel.custody,
                product=offering.product,
                pattern=label,
            )
            came = Stakes(buyers[paid], wish[paid])
            today = yield from wait(today, rng, 1, 2)
            leaving, held = _leave(held, came.total * 97 // 100)
            today.pay(
                desk,
                leaving.investors,
                leaving.amounts,
                today.date.begin_us + 10 * HOUR + np.arange(len(leaving.investors)) * 40 * SECOND,
                Purpose.transfer,
                channel=Channel.custody,
                product=offering.product,
                pattern=label,
            )
            held = held.and_(came)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(ten_days, CLUMSY, days=30, also=("ponzi",)),
    Variant(current_account, ORDINARY, days=50, also=("ponzi", "misappropriation")),
    Variant(super_lender, CAREFUL, days=52, also=("ponzi",)),
)
