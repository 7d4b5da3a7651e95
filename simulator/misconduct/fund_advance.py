"""垫付赎回: a reserve pays a fund's redemptions before the fund's money is there.

unfunded     clumsy: a dozen redemptions paid at once, the fund's money comes three days later
t_plus_zero  every day's redemptions paid on the day, the fund pays on the next
half_there   careful: part of the money arrives first; what is paid beyond it is made up two days later
"""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import PaymentInstitution
from simulator.flows import Channel
from simulator.markets import Fund
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import managers, people, send
from simulator.streams import Ints
from simulator.today import Script, Today

_ALSO = ("reserve_misuse", "reserve_shortfall")


def _with_fund(plan: Plan) -> tuple[PaymentInstitution, Fund]:
    fund = next(house.funds[0] for house in managers(plan) if house.funds)
    return plan.payment_institution(), fund


def _redeem(
    today: Today,
    rng: np.random.Generator,
    firm: PaymentInstitution,
    fund: Fund,
    holders: Ints,
    label: int,
) -> int:
    """The reserve pays each of the holders. Returns the sum."""
    amounts = rng.integers(40, 250, len(holders)) * 100 * p.YUAN
    send(
        today,
        rng,
        firm.reserve,
        holders,
        amounts,
        label,
        Purpose.redemption,
        channel=Channel.online,
        product=fund.product,
        instructed=True,
    )
    return int(amounts.sum())


def _arrive(
    today: Today, rng: np.random.Generator, firm: PaymentInstitution, fund: Fund, total: int, label: int
) -> None:
    send(
        today,
        rng,
        fund.account,
        firm.reserve,
        total,
        label,
        Purpose.redemption,
        channel=Channel.clearing,
        product=fund.product,
    )


def unfunded(plan: Plan) -> Play:
    firm, fund = _with_fund(plan)
    holders = people(plan, 12, 500, 5_000)
    label = plan.label((firm.reserve, fund.account))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        total = _redeem(today, rng, firm, fund, holders, label)
        today.proven.add(label)
        today = yield from wait(today, rng, 3, 3)
        _arrive(today, rng, firm, fund, total, label)
        today.finished.add(label)

    return script


def t_plus_zero(plan: Plan) -> Play:
    firm, fund = _with_fund(plan)
    holders = people(plan, 20, 500, 5_000)
    label = plan.label((firm.reserve, fund.account))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for part in np.array_split(holders, 4):
            total = _redeem(today, rng, firm, fund, part, label)
            today.proven.add(label)
            today = yield from wait(today, rng, 1, 1)
            _arrive(today, rng, firm, fund, total, label)
        today.finished.add(label)

    return script


def half_there(plan: Plan) -> Play:
    firm, fund = _with_fund(plan)
    holders = people(plan, 18, 500, 5_000)
    label = plan.label((firm.reserve, fund.account))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for part in np.array_split(holders, 2):
            first = 50_000 * p.YUAN
            _arrive(today, rng, firm, fund, first, label)
            today = yield
            total = _redeem(today, rng, firm, fund, part, label)
            today.proven.add(label)
            today = yield from wait(today, rng, 2, 2)
            _arrive(today, rng, firm, fund, max(total - first, 0), label)
            today = yield from wait(today, rng, 1, 1)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(unfunded, CLUMSY, also=_ALSO),
    Variant(t_plus_zero, ORDINARY, also=_ALSO),
    Variant(half_there, CAREFUL, also=_ALSO),
)
