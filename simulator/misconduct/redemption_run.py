"""挤兑: after bad news clients withdraw far more than usual. An event rather than a misdeed.

sudden      a quarter of a platform's clients withdraw all they have, three days running
slow        it doubles from day to day for a week, part of their money at first
fund        holders of a fund redeem in crowds for four days, and the fund sells what it can
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from schemas.instant import MINUTE
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Platform
from simulator.dates import ONLINE
from simulator.flows import Channel
from simulator.markets import Fund
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import managers
from simulator.misconduct.offering import recharge
from simulator.register import OUTSIDE
from simulator.streams import Ints
from simulator.today import Script, Today

_CLIENTS = 160
_USUAL_DAYS = 15
_DAYS = 30
_CROWD = 0.15  # of the clients: what stands out from a usual day's three in a hundred
_RUN_DAYS = 3  # assumption: fewer such days may be a rumour that passes


def _withdraw(
    today: Today, rng: np.random.Generator, platform: Platform, chosen: Ints, part: float, label: int
) -> None:
    subs, cards = platform.sub[chosen], today.cast.people.card[platform.clients[chosen]]
    wish = (today.ledger.spendable[subs] * part).astype(np.int64) // p.YUAN * p.YUAN
    today.pay(
        subs,
        cards,
        wish,
        today.date.moments(rng, ONLINE, len(subs)),
        Purpose.withdraw,
        channel=Channel.online,
        pattern=label,
    )


def _as_usual(today: Today, rng: np.random.Generator, platform: Platform) -> Generator[None, Today, Today]:
    """Two weeks of quiet traffic: what the run stands out from. It carries no label."""
    for _ in range(_USUAL_DAYS):
        recharge(today, rng, platform, rng.choice(_CLIENTS, 6, replace=False), 4_000 * p.YUAN)
        _withdraw(today, rng, platform, rng.choice(_CLIENTS, 5, replace=False), 0.3, -1)
        today = yield
    return today


def _run(plan: Plan, crowds: tuple[float, ...], part: tuple[float, float]) -> Play:
    """On each of some days, so large a share of the clients withdraws such a part of what it has there."""
    platform = plan.venture(_CLIENTS)
    proven = [number for number, crowd in enumerate(crowds) if crowd >= _CROWD][_RUN_DAYS - 1]
    label = plan.label((int(platform.sub[0]),))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        today = yield from _as_usual(today, rng, platform)
        for number, crowd in enumerate(crowds):
            chosen = np.flatnonzero(rng.random(_CLIENTS) < crowd)
            chosen = np.union1d(chosen, [0]) if number == 0 else chosen
            _withdraw(today, rng, platform, chosen, rng.uniform(*part), label)
            if number == proven:
                today.proven.add(label)
            today = yield
        today.finished.add(label)

    return script


def sudden(plan: Plan) -> Play:
    return _run(plan, (0.25, 0.4, 0.4), (0.97, 1.0))


def slow(plan: Plan) -> Play:
    return _run(plan, (0.05, 0.07, 0.11, 0.16, 0.24, 0.35, 0.35), (0.5, 0.9))


def fund(plan: Plan) -> Play:
    target: Fund = next(house.funds[0] for house in managers(plan) if house.funds)
    label = plan.label((target.account, target.sales))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        today = yield from wait(today, rng, _USUAL_DAYS, _USUAL_DAYS + 1)
        for _ in range(4):
            holders = rng.choice(target.holders, len(target.holders) // 6, replace=False)
            amounts = rng.integers(8, 60, len(holders)) * 100 * p.YUAN
            total = int(amounts.sum())
            today.flows.add(OUTSIDE, target.account, total, today.date.at(8.5), Purpose.purchase)
            at = today.date.at(10)
            for src, dst, amount, when in (
                (target.account, target.sales, total, at),
                (
                    target.sales,
                    holders,
                    amounts,
                    at + rng.integers(10, 6 * 60, len(holders)) * MINUTE,
                ),
            ):
                today.flows.add(
                    src, dst, amount, when, Purpose.redemption, product=target.product, pattern=label
                )
            today = yield from wait(today, rng, 1, 1)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(sudden, CLUMSY, days=_USUAL_DAYS + 5),
    Variant(slow, ORDINARY, days=_USUAL_DAYS + 9),
    Variant(fund, CAREFUL, days=_DAYS),
)
