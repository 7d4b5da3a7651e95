"""Marketplaces: orders are paid to a licensed payment institution, which pays the sellers and the commission
the same night."""

from __future__ import annotations

import numpy as np

from schemas.instant import SECOND
from schemas.transaction import Purpose
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import SHOPPING
from simulator.flows import Channel
from simulator.markets import Marketplace
from simulator.register import OUTSIDE
from simulator.streams import money
from simulator.today import Today

_WITHDRAW_A_DAY = 0.3


class Marketplaces:
    def __init__(self, cast: Cast) -> None:
        self._cards = cast.people.card
        self._orders = m.MARKETPLACE_ORDERS * len(self._cards) / len(cast.markets.marketplaces)

    def act(self, today: Today) -> None:
        for number, market in enumerate(today.cast.markets.marketplaces):
            self._trade(today, today.stream("marketplace", number), market)

    def _trade(self, today: Today, rng: np.random.Generator, market: Marketplace) -> None:
        count = int(rng.poisson(self._orders * today.date.shopping_factor))
        amount = money(rng, p.PURCHASE_MEDIAN, p.PURCHASE_SIGMA, count, 10)
        seller = rng.integers(0, len(market.sellers), count)
        paid = today.pay(
            rng.choice(self._cards, count),
            market.reserve,
            amount,
            np.minimum(today.date.moments(rng, SHOPPING, count), today.date.at(22)),
            Purpose.purchase,
            channel=Channel.online,
            instruction=today.flows.instructions(count),
            pattern=market.pattern,
        )
        sales = np.bincount(seller[paid], weights=amount[paid], minlength=len(market.sellers)).astype(
            np.int64
        )
        commission = sales * m.COMMISSION_BP // 10_000
        at = today.date.at(22.5) + np.arange(len(sales), dtype=np.int64) * SECOND
        receivers = np.append(market.sellers, market.commission)
        today.flows.add(
            market.reserve,
            receivers,
            np.append(sales - commission, commission.sum()),
            np.append(at, today.date.at(22.9)),
            Purpose.merchant_settlement,
            channel=Channel.clearing,
            instruction=today.flows.instructions(len(receivers)),
            pattern=market.pattern,
        )
        held = today.ledger.spendable[receivers]
        out = np.where(rng.random(len(held)) < _WITHDRAW_A_DAY, held, 0)
        today.pay(receivers, OUTSIDE, out, today.date.at(11), Purpose.transfer)
