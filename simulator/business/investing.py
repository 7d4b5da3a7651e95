"""Platforms' clients move money in and out of their sub-accounts; platforms earn and give small fees."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from schemas.instant import SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.business.fresh_loans import FreshLoans
from simulator.cast import Cast, Platform
from simulator.dates import OFFICE, ONLINE
from simulator.flows import NONE, Channel
from simulator.register import OUTSIDE
from simulator.streams import Ints, money
from simulator.today import Today

_GIFT = (5 * p.YUAN, 50 * p.YUAN)  # assumption: sign-up and activity gifts
_SWEEP_WEEKDAY = 4


class Investing:
    def __init__(self, cast: Cast) -> None:
        self._card = [cast.people.card[platform.clients] for platform in cast.platforms]
        self._active_from = [cast.people.active_from[platform.clients] for platform in cast.platforms]
        self._loans = FreshLoans()
        self._for_shares: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)

    def act(self, today: Today) -> None:
        self._loans.note(today)
        self._buy_shares(today)
        for number, platform in enumerate(today.cast.platforms):
            rng = today.stream("investing", number)
            active = np.flatnonzero(self._active_from[number] <= today.day)
            card, sub = self._card[number][active], platform.sub[active]
            _recharge(today, rng, card, sub)
            self._withdraw(today, rng, platform, card, sub)
            new = platform.sub[np.flatnonzero(self._active_from[number] == today.day)]
            _subsidise(today, rng, platform, sub, new if today.day else new[:0])
            if today.date.working:
                _keep_house(today, rng, platform)

    def _withdraw(
        self, today: Today, rng: np.random.Generator, platform: Platform, card: Ints, sub: Ints
    ) -> None:
        """A withdrawal costs a flat fee, which goes from the client to the fee account. Some mean to buy
        shares with it."""
        chosen = np.flatnonzero(rng.random(len(card)) < p.WITHDRAWALS_A_DAY)
        held = today.ledger.spendable[sub[chosen]]
        wish = (held * rng.uniform(0.2, 0.9, len(chosen))).astype(np.int64) // p.YUAN * p.YUAN
        wish[wish < 100 * p.YUAN] = 0
        label = platform.patterns.withdrawal_to_broker
        for_shares = (rng.random(len(chosen)) < p.WITHDRAWN_FOR_SHARES) & (wish >= 1_000 * p.YUAN)
        for_shares &= ~self._loans.among(card[chosen])
        at = today.date.moments(rng, ONLINE, len(chosen))
        done = today.pay(
            sub[chosen],
            card[chosen],
            wish,
            at,
            Purpose.withdraw,
            channel=Channel.online,
            pattern=np.where(for_shares, label, NONE),
        )
        today.pay(
            sub[chosen][done],
            platform.fee,
            p.WITHDRAWAL_FEE,
            at[done] + SECOND,
            Purpose.fee,
            channel=Channel.custody,
            pattern=platform.patterns.fee_account,
        )
        for row in np.flatnonzero(for_shares & done).tolist():
            day = today.day + int(rng.integers(1, 6))
            self._for_shares[day].append((int(card[chosen[row]]), int(wish[row]), label))

    def _buy_shares(self, today: Today) -> None:
        buyers = self._for_shares.pop(today.day, [])
        if not today.date.working:
            self._for_shares[today.day + 1] += buyers
            return
        rng = today.stream("shares")
        for card, withdrawn, label in buyers:
            broker = today.cast.brokers[int(rng.integers(0, len(today.cast.brokers)))].account
            amount = int(withdrawn * rng.uniform(0.6, 1.0)) // (100 * p.YUAN) * 100 * p.YUAN
            at = int(today.date.moments(rng, OFFICE, 1)[0])
            today.pay(card, broker, amount, at, Purpose.transfer, pattern=label)


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


def _subsidise(today: Today, rng: np.random.Generator, platform: Platform, sub: Ints, new: Ints) -> None:
    """Gifts to some clients, and to each that joined today. Together they stay below what was filed."""
    chosen = sub[rng.random(len(sub)) < p.SUBSIDIES_A_DAY]
    gift = rng.integers(*_GIFT, len(chosen)) // p.YUAN * p.YUAN
    takers = np.concatenate([chosen, new])
    today.pay(
        platform.marketing,
        takers,
        np.concatenate([gift, np.full(len(new), p.SIGN_UP_GIFT)]),
        today.date.moments(rng, ONLINE, len(takers)),
        Purpose.subsidy,
        channel=Channel.custody,
        pattern=platform.patterns.signup_gift,
    )


def _keep_house(today: Today, rng: np.random.Generator, platform: Platform) -> None:
    """Fees are swept to the platform's own account weekly; it pays its costs and its marketing from there."""
    at = today.date.moments(rng, OFFICE, 4)
    held = int(today.ledger.spendable[platform.fee])
    if today.date.civil.weekday() == _SWEEP_WEEKDAY:
        label = platform.patterns.fee_sweep
        today.pay(platform.fee, platform.own, held * 9 // 10, int(at[0]), Purpose.fee, pattern=label)
    cost = int(money(rng, 8_000 * p.YUAN, 0.5, 1, 100)[0])
    today.pay(platform.own, OUTSIDE, cost, int(at[1]), Purpose.purchase)
    if today.date.pays_on(20):
        today.pay(platform.own, platform.group.supplier[1], 40_000 * p.YUAN, int(at[2]), Purpose.purchase)
        today.pay(platform.own, platform.marketing, 100_000 * p.YUAN, int(at[3]), Purpose.transfer)
