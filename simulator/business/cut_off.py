"""What is under way at a payment institution's cut-off: cash that its bank passes on to the reserve the same
day, and top-ups that clients see at once and the bank books after midnight."""

from __future__ import annotations

from typing import Final

import numpy as np

from schemas.instant import HOUR, MINUTE
from schemas.transaction import Purpose
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.cast import Cast, PaymentInstitution
from simulator.dates import OFFICE
from simulator.flows import Channel
from simulator.markets import Transit
from simulator.register import OUTSIDE
from simulator.streams import Ints, money
from simulator.today import Today

_CONFIRMED: Final = 5


class CutOff:
    """`_credited[reserve]`: what clients were credited besides what Payments knows of."""

    def __init__(self, cast: Cast) -> None:
        self._cards = [cast.people.card[firm.wallets] for firm in cast.payment_institutions]
        self._credited = {firm.reserve: 0 for firm in cast.payment_institutions}
        self._under_way: dict[int, tuple[Ints, Ints]] = {}

    def act(self, today: Today) -> None:
        for transit in today.cast.markets.transits:
            self._take_cash(today, today.stream("transit", transit.account), transit)
        for number, firm in enumerate(today.cast.payment_institutions):
            rng = today.stream("cut-off", number)
            self._book(today, rng, firm, today.cast.markets.in_flight[number])
            self._credit(today, rng, firm, self._cards[number])
            today.owed[firm.reserve] += self._credited[firm.reserve]

    def _take_cash(self, today: Today, rng: np.random.Generator, transit: Transit) -> None:
        if not today.date.working:
            return
        amount = money(rng, 400 * p.YUAN, 0.5, int(rng.integers(3, 9)), 10 * p.YUAN)
        at = np.minimum(today.date.moments(rng, OFFICE, len(amount)), today.date.at(16))
        today.flows.add(
            OUTSIDE,
            transit.account,
            amount,
            at,
            Purpose.top_up,
            channel=Channel.cash,
            instruction=today.flows.instructions(len(amount)),
            pattern=transit.pattern,
        )
        today.flows.add(
            transit.account,
            transit.reserve,
            int(amount.sum()),
            today.date.at(17) + HOUR // 2,
            Purpose.reserve_transfer,
            channel=Channel.clearing,
            pattern=transit.pattern,
        )
        self._credited[transit.reserve] += int(amount.sum())

    def _book(self, today: Today, rng: np.random.Generator, firm: PaymentInstitution, pattern: int) -> None:
        """Yesterday evening's top-ups; one that bounces is taken back from the client."""
        if firm.reserve not in self._under_way:
            return
        cards, amount = self._under_way.pop(firm.reserve)
        booked = today.pay(
            cards,
            firm.reserve,
            amount,
            today.date.begin_us + rng.integers(2, 40, len(cards)) * MINUTE,
            Purpose.top_up,
            channel=Channel.online,
            instruction=today.flows.instructions(len(cards)),
            pattern=pattern,
        )
        self._credited[firm.reserve] -= int(amount[~booked].sum())

    def _credit(self, today: Today, rng: np.random.Generator, firm: PaymentInstitution, cards: Ints) -> None:
        """Only what the client's bank has confirmed: who has so many times as much can pay it at midnight."""
        count = min(int(rng.integers(*m.LATE_BOOKINGS)), len(cards))
        amount = money(rng, 300 * p.YUAN, 0.8, count, 10 * p.YUAN)
        chosen = rng.choice(cards, count, replace=False)
        confirmed = today.ledger.spendable[chosen] >= _CONFIRMED * amount
        self._under_way[firm.reserve] = chosen[confirmed], amount[confirmed]
        self._credited[firm.reserve] += int(amount[confirmed].sum())
