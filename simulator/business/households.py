"""What people and firms pay again and again: allowances, small loans among friends, equal instalments; and
once or twice a year, from an account that is otherwise idle, tuition and a sole trader's tax."""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import OFFICE, ONLINE
from simulator.markets import Regular
from simulator.today import Today

_SAVING_DAYS = 4
_TERMS_APART = 7  # months between the spring and the autumn term


class Households:
    def __init__(self, cast: Cast) -> None:
        self._regular = cast.markets.regular
        self._savings = cast.markets.savings
        self._tax = cast.tax_office.account

    def act(self, today: Today) -> None:
        for number, regular in enumerate(self._regular):
            self._pay_regularly(today, today.stream("regular", number), regular)
        rng = today.stream("savings")
        if today.day < _SAVING_DAYS:
            self._save(today, rng)
        self._spend_savings(today, rng)

    @staticmethod
    def _pay_regularly(today: Today, rng: np.random.Generator, regular: Regular) -> None:
        due = np.flatnonzero((today.day - regular.phase) % regular.period == 0)
        at = today.date.moments(rng, ONLINE, len(due))
        pattern = regular.pattern[due]
        today.pay(
            regular.src[due], regular.dst[due], regular.amount[due], at, Purpose.transfer, pattern=pattern
        )
        if not regular.back:
            return
        half = regular.period // 2
        due = np.flatnonzero(
            ((today.day - regular.phase) % regular.period == half) & (today.day >= regular.phase + half)
        )
        back = (regular.amount[due] * rng.uniform(0.8, 1.0, len(due))).astype(np.int64) // p.YUAN * p.YUAN
        at = today.date.moments(rng, ONLINE, len(due))
        pattern = regular.pattern[due]
        today.pay(regular.dst[due], regular.src[due], back, at, Purpose.transfer, pattern=pattern)

    def _save(self, today: Today, rng: np.random.Generator) -> None:
        """The last small payments into these accounts before they rest."""
        savings = self._savings
        turn = np.arange(today.day, len(savings.account), _SAVING_DAYS)
        at = today.date.moments(rng, ONLINE, len(turn))
        today.pay(savings.card[turn], savings.account[turn], 500 * p.YUAN, at, Purpose.transfer)

    def _spend_savings(self, today: Today, rng: np.random.Generator) -> None:
        """Tax in spring; tuition at the beginning of each term."""
        savings, civil = self._savings, today.date.civil
        taxed = savings.payee == self._tax
        this_month = (civil.month == savings.month) | (~taxed & (civil.month == savings.month + _TERMS_APART))
        for purpose, kind in ((Purpose.tax, taxed), (Purpose.purchase, ~taxed)):
            due = np.flatnonzero(this_month & kind & (civil.day == savings.day))
            today.pay(
                savings.account[due],
                savings.payee[due],
                savings.amount[due],
                today.date.moments(rng, OFFICE, len(due)),
                purpose,
                pattern=savings.pattern[due],
            )
