"""Public funds: people subscribe and redeem, through the manager's sales account or a payment institution.

Money: card → sales account (or reserve) → fund, the same day; redeemed the working day after: fund → sales
account (or reserve), and only then on to the cards. Redemptions rise on salary days and before Spring
Festival. What a fund holds besides its cash is invested outside the feeds.
"""

from __future__ import annotations

import numpy as np

from schemas.instant import MINUTE, SECOND
from schemas.transaction import Purpose
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import ONLINE, Date
from simulator.flows import Channel
from simulator.markets import Fund
from simulator.register import OUTSIDE
from simulator.streams import Ints, money
from simulator.today import Today


class Funds:
    def __init__(self, cast: Cast) -> None:
        funds = [fund for manager in cast.markets.managers for fund in manager.funds]
        self._desks = [_Desk(fund) for fund in funds]

    def act(self, today: Today) -> None:
        for number, desk in enumerate(self._desks):
            desk.act(today, today.stream("funds", number))


def before_festival(date: Date) -> bool:
    return -14 <= date.to_new_year < -1


def redemption_factor(date: Date) -> float:
    """How much more people redeem today than on a plain day."""
    if before_festival(date):
        return m.FESTIVAL_FACTOR
    return m.SALARY_DAY_FACTOR if any(map(date.pays_on, m.SALARY_DAYS)) else 1.0


class _Desk:
    def __init__(self, fund: Fund) -> None:
        self._fund = fund
        self._units = fund.units.copy()
        self._asked = np.zeros(len(fund.holders), dtype=np.int64)

    def act(self, today: Today, rng: np.random.Generator) -> None:
        if today.date.working:
            self._redeem(today, rng)
            self._manage(today)
        self._ask(today, rng)
        self._subscribe(today, rng)

    def _ask(self, today: Today, rng: np.random.Generator) -> None:
        rate = m.REDEMPTIONS_A_DAY * redemption_factor(today.date)
        chosen = np.flatnonzero(rng.random(len(self._units)) < rate)
        wish = (self._units[chosen] * rng.uniform(0.1, 1.0, len(chosen))).astype(np.int64) // p.YUAN * p.YUAN
        self._asked[chosen] += wish
        self._units[chosen] -= wish

    def _redeem(self, today: Today, rng: np.random.Generator) -> None:
        """What was asked for until last night: one sum from the fund, then to everybody what is his."""
        fund = self._fund
        who = np.flatnonzero(self._asked)
        total = int(self._asked[who].sum())
        if not today.ledger.claim_one(fund.account, total):
            return
        pattern = self._pattern(today)
        arrived = today.date.at(9.5 + rng.random())
        instruction: Ints | int = 0
        if fund.by_payment_institution:
            instruction = today.flows.instructions(len(who))
        today.flows.add(
            fund.account,
            fund.sales,
            total,
            arrived,
            Purpose.redemption,
            channel=Channel.clearing,
            product=fund.product,
            pattern=pattern,
        )
        today.flows.add(
            fund.sales,
            fund.holders[who],
            self._asked[who],
            arrived + 10 * MINUTE + rng.integers(0, 4 * 3600, len(who)) * SECOND,
            Purpose.redemption,
            channel=Channel.online,
            product=fund.product,
            instruction=instruction,
            pattern=pattern,
        )
        self._asked[who] = 0

    def _pattern(self, today: Today) -> int:
        fund = self._fund
        if fund.by_payment_institution:
            return fund.pass_through_pattern
        if before_festival(today.date):
            return fund.festival_pattern
        salary_day = any(map(today.date.pays_on, m.SALARY_DAYS))
        return fund.salary_day_pattern if salary_day else fund.sales_pattern

    def _subscribe(self, today: Today, rng: np.random.Generator) -> None:
        fund = self._fund
        chosen = np.flatnonzero(rng.random(len(self._units)) < m.SUBSCRIPTIONS_A_DAY)
        amount = money(rng, m.HOLDING_MEDIAN / 4, 0.7, len(chosen), 10 * p.YUAN)
        at = np.minimum(today.date.moments(rng, ONLINE, len(chosen)), today.date.at(22))
        paid = today.pay(
            fund.holders[chosen],
            fund.sales,
            amount,
            at,
            Purpose.invest,
            channel=Channel.online,
            product=fund.product,
            instruction=today.flows.instructions(len(chosen)) if fund.by_payment_institution else 0,
            pattern=fund.sales_pattern,
        )
        chosen, amount, at = chosen[paid], amount[paid], at[paid]
        self._units[chosen] += amount
        if fund.by_payment_institution:
            today.flows.add(
                fund.sales,
                fund.account,
                amount,
                at + rng.integers(5, 90, len(at)) * MINUTE,
                Purpose.invest,
                channel=Channel.clearing,
                product=fund.product,
                instruction=today.flows.instructions(len(at)),
                pattern=fund.sales_pattern,
            )
        elif len(amount):
            today.flows.add(
                fund.sales,
                fund.account,
                int(amount.sum()),
                today.date.at(23),
                Purpose.invest,
                channel=Channel.clearing,
                product=fund.product,
                pattern=fund.sales_pattern,
            )

    def _manage(self, today: Today) -> None:
        """Sell or buy outside the feeds, so that a usual part stays in cash."""
        fund = self._fund
        wanted = int(self._units.sum() * m.FUND_CASH)
        held = int(today.ledger.spendable[fund.account])
        if held < wanted // 2:
            today.flows.add(OUTSIDE, fund.account, wanted - held, today.date.at(15.5), Purpose.purchase)
        elif held > 2 * wanted:
            today.pay(fund.account, OUTSIDE, held - wanted, today.date.at(15.5), Purpose.purchase)
