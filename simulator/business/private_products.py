"""Private products: qualified investors only, straight to the asset or through a filed master, and back.

Money: investor → product (→ master) → the asset's company; interest the same way back each month. Now and
then one qualified investor sells units to another.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from schemas.instant import HOUR, MINUTE, SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import OFFICE
from simulator.markets import PrivateProduct
from simulator.register import OUTSIDE
from simulator.streams import pro_rata
from simulator.today import Today

_RAISE_DAYS = 10
_MONTH = 30


class PrivateProducts:
    def __init__(self, cast: Cast) -> None:
        products = [product for manager in cast.markets.managers for product in manager.products]
        self._books = [_Book(product) for product in products]

    def act(self, today: Today) -> None:
        for number, book in enumerate(self._books):
            book.act(today, today.stream("private products", number))


class _Book:
    """Who holds how many units of one product."""

    def __init__(self, product: PrivateProduct) -> None:
        self._product = product
        self._investors = np.array(product.investors, dtype=np.int64)
        planned = np.array(product.units, dtype=np.int64)
        self._planned = planned
        self._resold = False
        self._units = planned.copy() if product.raises < 0 else np.zeros_like(planned)

    def act(self, today: Today, rng: np.random.Generator) -> None:
        age = today.day - self._product.raises
        if 0 <= age < _RAISE_DAYS:
            self._subscribe(today, rng, age)
        elif age > _RAISE_DAYS:
            if today.date.working:
                self._place(today, rng)
                self._resell(today, rng)
            if (age - _RAISE_DAYS) % _MONTH == 0:
                self._pay_interest(today, rng)

    def _subscribe(self, today: Today, rng: np.random.Generator, age: int) -> None:
        product = self._product
        turn = np.arange(age, len(self._investors), _RAISE_DAYS)
        paid = today.pay(
            self._investors[turn],
            product.account,
            self._planned[turn],
            today.date.at(9) + rng.integers(0, 9 * 3600, len(turn)) * SECOND,
            Purpose.invest,
            product=product.product,
            pattern=product.pattern,
        )
        self._units[turn[paid]] = self._planned[turn[paid]]

    def _place(self, today: Today, rng: np.random.Generator) -> None:
        """All that has come in goes to the asset."""
        product = self._product
        held = int(today.ledger.spendable[product.account])
        at = int(today.date.moments(rng, OFFICE, 1)[0])
        if not today.ledger.claim_one(product.account, held):
            return
        source, name = product.account, product.product
        if product.master:
            name, source = product.master
            today.flows.add(
                product.account, source, held, at, Purpose.invest, product=name, pattern=product.pattern
            )
        today.flows.add(
            source,
            product.asset,
            held,
            at + 2 * HOUR,
            Purpose.disburse,
            product=name,
            pattern=product.pattern,
        )

    def _pay_interest(self, today: Today, rng: np.random.Generator) -> None:
        product = self._product
        total = int(self._units.sum()) * product.rate_bp // 120_000
        if total <= 0:
            return
        at = today.date.at(9.5 + rng.random())
        today.flows.add(OUTSIDE, product.asset, total, at - 30 * MINUTE, Purpose.purchase)
        stops = (product.asset, *((product.master[1],) if product.master else ()), product.account)
        for leg, (src, dst) in enumerate(pairwise(stops)):
            today.flows.add(
                src,
                dst,
                total,
                at + leg * 20 * MINUTE,
                Purpose.interest,
                product=product.master[0] if product.master and leg == 0 else product.product,
                pattern=product.pattern,
            )
        today.flows.add(
            product.account,
            self._investors,
            pro_rata(total, self._units),
            at + HOUR + np.arange(len(self._investors), dtype=np.int64) * 3 * SECOND,
            Purpose.interest,
            product=product.product,
            pattern=product.pattern,
        )

    def _resell(self, today: Today, rng: np.random.Generator) -> None:
        """At a price near par."""
        resale = self._product.resale
        if self._resold or today.day < resale.day:
            return
        price = int(self._units[resale.seller]) * int(rng.integers(9_850, 10_151)) // 10_000
        self._resold = bool(
            today.pay(
                resale.buyer,
                int(self._investors[resale.seller]),
                price // p.YUAN * p.YUAN,
                int(today.date.moments(rng, OFFICE, 1)[0]),
                Purpose.transfer,
                product=self._product.product,
                pattern=resale.pattern,
            )[0]
        )
        if self._resold:
            self._investors[resale.seller] = resale.buyer
