"""Cash and money across the border: people at cash machines, shops that pay in their takings, firms that buy
abroad."""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import OFFICE, SHOPPING
from simulator.flows import Channel
from simulator.register import OUTSIDE
from simulator.streams import money
from simulator.today import Today

_TAKINGS_A_DAY = 0.25
_IMPORTS_A_DAY = 0.1


class Cash:
    def __init__(self, cast: Cast) -> None:
        self._cards = cast.people.card
        self._shops = np.array([shop.account for shop in cast.shops[::3]], dtype=np.int64)
        self._importers = cast.markets.importers

    def act(self, today: Today) -> None:
        rng = today.stream("cash")
        count = int(rng.poisson(m.CASH_WITHDRAWALS_A_DAY * len(self._cards)))
        today.pay(
            rng.choice(self._cards, count),
            OUTSIDE,
            np.minimum(money(rng, 600 * p.YUAN, 0.8, count, 100 * p.YUAN), 20_000 * p.YUAN),
            today.date.moments(rng, SHOPPING, count),
            Purpose.transfer,
            channel=Channel.cash,
        )
        if not today.date.working:
            return
        shops = self._shops[rng.random(len(self._shops)) < _TAKINGS_A_DAY]
        takings = money(rng, m.TAKINGS_MEDIAN, 0.9, len(shops), 10 * p.YUAN)
        at = today.date.moments(rng, OFFICE, len(shops))
        today.flows.add(OUTSIDE, shops, takings, at, Purpose.transfer, channel=Channel.cash)
        buyers = self._importers[rng.random(len(self._importers)) < _IMPORTS_A_DAY]
        price = money(rng, 60_000 * p.YUAN, 0.9, len(buyers), 100 * p.YUAN)
        at = today.date.moments(rng, OFFICE, len(buyers))
        today.pay(buyers, OUTSIDE, price, at, Purpose.purchase, channel=Channel.cross_border)
