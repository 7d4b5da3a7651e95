"""Licensed lenders: they lend their own money, and many borrowers repay them. Looks like a pool; is none."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast, Lender
from simulator.dates import OFFICE, ONLINE
from simulator.flows import Channel
from simulator.streams import Ints, money, stream
from simulator.today import Today

_LOANS_A_DAY = 1 / 900  # assumption: per person and lender
_INSTALMENTS = 6
_INTEREST = 1.09  # assumption: 18 % a year over six months


class ConsumerFinance:
    def __init__(self, cast: Cast, seed: int) -> None:
        """Each lender starts with loans already running: an instalment is due on most days."""
        self._due: defaultdict[int, list[tuple[Lender, Ints, Ints, int]]] = defaultdict(list)
        cards = cast.people.card
        for lender in cast.lenders:
            rng = stream(seed, "consumer finance", lender.institution_id)
            for day in range(30):
                borrowers = rng.choice(cards, max(1, int(len(cards) * _LOANS_A_DAY * 2)))
                self._due[day].append((lender, borrowers, self._instalments(rng, len(borrowers)), 3))

    def act(self, today: Today) -> None:
        rng = today.stream("consumer finance")
        for lender, borrowers, instalment, left in self._due.pop(today.day, []):
            at = today.date.moments(rng, OFFICE, len(borrowers))
            today.pay(
                borrowers,
                lender.account,
                instalment,
                at,
                Purpose.repay,
                channel=Channel.direct_debit,
                pattern=lender.pattern,
            )
            if left > 1:
                self._due[today.day + 30].append((lender, borrowers, instalment, left - 1))
        for lender in today.cast.lenders:
            self._lend(today, rng, lender)

    def _lend(self, today: Today, rng: np.random.Generator, lender: Lender) -> None:
        cards = today.cast.people.card
        borrowers = rng.choice(cards, int(rng.poisson(len(cards) * _LOANS_A_DAY)))
        instalment = self._instalments(rng, len(borrowers))
        principal = (instalment * _INSTALMENTS / _INTEREST).astype(np.int64) // p.YUAN * p.YUAN
        at = today.date.moments(rng, ONLINE, len(borrowers))
        lent = today.pay(lender.account, borrowers, principal, at, Purpose.disburse, pattern=lender.pattern)
        if lent.any():
            self._due[today.day + 30].append((lender, borrowers[lent], instalment[lent], _INSTALMENTS))

    @staticmethod
    def _instalments(rng: np.random.Generator, n: int) -> Ints:
        return money(rng, 700 * p.YUAN, 0.6, n, 10)
