"""Investors who need their money sell what they hold of a loan to another client, named and at par; from
then on the buyer gets the instalments."""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import ONLINE
from simulator.flows import NONE, Channel
from simulator.loans import Loan
from simulator.today import Today

_TRADED_DAYS = 45  # assumption: claims are offered for so long after the loan was paid out


class Claims:
    def __init__(self, cast: Cast) -> None:
        self._platforms = cast.platforms
        self._loans: list[tuple[int, Loan]] = []

    def act(self, today: Today) -> None:
        rng = today.stream("claims")
        self._loans = [(day, loan) for day, loan in self._loans if today.day - day < _TRADED_DAYS]
        for _, loan in self._loans:
            if rng.random() < p.CLAIMS_SOLD_A_DAY:
                self._sell(today, rng, loan)
        self._loans += [(today.day, loan) for loan in today.disbursed if loan.listing.pattern == NONE]

    def _sell(self, today: Today, rng: np.random.Generator, loan: Loan) -> None:
        platform = self._platforms[loan.listing.platform]
        part = int(rng.integers(0, len(loan.investors)))
        if not len(loan.investors[part]):
            return
        place = int(rng.integers(0, len(loan.investors[part])))
        seller, price = int(loan.investors[part][place]), _owed(loan, int(loan.stakes[part][place]))
        able = platform.sub[(today.ledger.spendable[platform.sub] >= price) & (platform.sub != seller)]
        if not len(able):
            return
        buyer = int(rng.choice(able))
        at = int(today.date.moments(rng, ONLINE, 1)[0])
        if today.pay(
            buyer,
            seller,
            price,
            at,
            Purpose.transfer,
            channel=Channel.custody,
            product=loan.listing.product,
            pattern=platform.patterns.claim_transfer,
        )[0]:
            loan.investors[part] = loan.investors[part].copy()
            loan.investors[part][place] = buyer


def _owed(loan: Loan, stake: int) -> int:
    """What of the stake has not been repaid yet."""
    return stake * (loan.listing.months - loan.paid) // loan.listing.months
