"""People buy in shops by bank card; shops buy from wholesalers outside the feeds."""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import OFFICE, SHOPPING
from simulator.flows import Channel
from simulator.register import OUTSIDE
from simulator.streams import money
from simulator.today import Today

_RESTOCK_A_DAY = 0.15
_RETURN_RATE = 0.01  # assumption: shares of yesterday's sales given back


class Shopping:
    def __init__(self, cast: Cast) -> None:
        weights = np.array([shop.weight for shop in cast.shops])
        self._weights = weights / weights.sum()
        self._accounts = np.array([shop.account for shop in cast.shops], dtype=np.int64)
        self._patterns = np.array([shop.pattern for shop in cast.shops], dtype=np.int64)

    def act(self, today: Today) -> None:
        rng = today.stream("shopping")
        people = today.cast.people
        active = np.flatnonzero(people.active_from <= today.day)
        count = int(rng.poisson(p.PURCHASES_A_DAY * today.date.shopping_factor * len(active)))
        shop = rng.choice(len(self._accounts), size=count, p=self._weights)
        today.pay(
            people.card[rng.choice(active, count)],
            self._accounts[shop],
            money(rng, p.PURCHASE_MEDIAN, p.PURCHASE_SIGMA, count, 10),
            today.date.moments(rng, SHOPPING, count),
            Purpose.purchase,
            channel=Channel.card,
            pattern=self._patterns[shop],
        )
        self._take_back(today, rng)
        self._restock(today, rng)

    def _take_back(self, today: Today, rng: np.random.Generator) -> None:
        """Some of yesterday's buyers bring back what they bought."""
        sold = today.yesterday
        if sold is None:
            return
        rows = np.flatnonzero(np.isin(sold.dst, self._accounts) & (sold.purpose == Purpose.purchase))
        rows = rows[rng.random(len(rows)) < _RETURN_RATE]
        at = today.date.moments(rng, SHOPPING, len(rows))
        today.pay(sold.dst[rows], sold.src[rows], sold.amount[rows], at, Purpose.refund, channel=Channel.card)

    def _restock(self, today: Today, rng: np.random.Generator) -> None:
        held = today.ledger.spendable[self._accounts]
        spent = np.where(rng.random(len(held)) < _RESTOCK_A_DAY, held * 7 // 10, 0)
        at = today.date.moments(rng, OFFICE, len(held))
        today.pay(self._accounts, OUTSIDE, spent, at, Purpose.purchase)
