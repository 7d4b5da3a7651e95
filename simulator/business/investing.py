"""Platforms' clients move money in and out of their sub-accounts; platforms earn and give small fees."""

from __future__ import annotations

import numpy as np

from schemas.instant import SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast, Platform
from simulator.dates import OFFICE, ONLINE
from simulator.flows import Channel
from simulator.register import OUTSIDE
from simulator.streams import Ints, money
from simulator.today import Today

_GIFT = (5 * p.YUAN, 50 * p.YUAN)  # assumption: sign-up and activity gifts
_SWEEP_WEEKDAY = 4


class Investing:
    def __init__(self, cast: Cast) -> None:
        self._card = [cast.people.card[platform.clients] for platform in cast.platforms]
        self._active_from = [cast.people.active_from[platform.clients] for platform in cast.platforms]

    def act(self, today: Today) -> None:
        for number, platform in enumerate(today.cast.platforms):
            rng = today.stream("investing", number)
            active = np.flatnonzero(self._active_from[number] <= today.day)
            card, sub = self._card[number][active], platform.sub[active]
            _recharge(today, rng, card, sub)
            _withdraw(today, rng, platform, card, sub)
            _subsidise(today, rng, platform, sub)
            if today.date.working:
                _keep_house(today, rng, platform)


def _recharge(today: Today, rng: np.random.Generator, card: Ints, sub: Ints) -> None:
    chosen = np.flatnonzero(rng.random(len(card)) < p.RECHARGES_A_DAY)
    today.pay(
        card[chosen],
        sub[chosen],
        money(rng, p.RECHARGE_MEDIAN, 0.9, len(chosen), 100 * p.YUAN),
        today.date.moments(rng, ONLINE, len(chosen)),
        Purpose.recharge,
        channel=Channel.online,
    )


def _withdraw(today: Today, rng: np.random.Generator, platform: Platform, card: Ints, sub: Ints) -> None:
    """A withdrawal costs a flat fee, which goes from the client to the fee account."""
    chosen = np.flatnonzero(rng.random(len(card)) < p.WITHDRAWALS_A_DAY)
    held = today.ledger.spendable[sub[chosen]]
    wish = (held * rng.uniform(0.2, 0.9, len(chosen))).astype(np.int64) // p.YUAN * p.YUAN
    wish[wish < 100 * p.YUAN] = 0
    at = today.date.moments(rng, ONLINE, len(chosen))
    done = today.pay(sub[chosen], card[chosen], wish, at, Purpose.withdraw, channel=Channel.online)
    today.pay(
        sub[chosen][done],
        platform.fee,
        p.WITHDRAWAL_FEE,
        at[done] + SECOND,
        Purpose.fee,
        channel=Channel.custody,
        pattern=platform.patterns.fee_account,
    )


def _subsidise(today: Today, rng: np.random.Generator, platform: Platform, sub: Ints) -> None:
    chosen = sub[rng.random(len(sub)) < p.SUBSIDIES_A_DAY]
    gift = rng.integers(*_GIFT, len(chosen)) // p.YUAN * p.YUAN
    at = today.date.moments(rng, ONLINE, len(chosen))
    today.pay(platform.marketing, chosen, gift, at, Purpose.subsidy, channel=Channel.custody)


def _keep_house(today: Today, rng: np.random.Generator, platform: Platform) -> None:
    """Fees are swept to the platform's own account weekly; it pays its costs and its marketing from there."""
    at = today.date.moments(rng, OFFICE, 4)
    held = int(today.ledger.spendable[platform.fee])
    if today.date.civil.weekday() == _SWEEP_WEEKDAY:
        fee_account = platform.patterns.fee_account
        today.pay(platform.fee, platform.own, held * 9 // 10, int(at[0]), Purpose.fee, pattern=fee_account)
    cost = int(money(rng, 8_000 * p.YUAN, 0.5, 1, 100)[0])
    today.pay(platform.own, OUTSIDE, cost, int(at[1]), Purpose.purchase)
    if today.date.pays_on(20):
        today.pay(platform.own, platform.group.supplier[1], 40_000 * p.YUAN, int(at[2]), Purpose.purchase)
        today.pay(platform.own, platform.marketing, 100_000 * p.YUAN, int(at[3]), Purpose.transfer)
