"""What institutions do with their own money: pay filed receivers at the end of a quarter, buy filed services
from firms of their group, move funds between their own accounts, take the interest on their own account."""

from __future__ import annotations

import numpy as np

from schemas.instant import HOUR
from schemas.transaction import Purpose
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import OFFICE, Date
from simulator.flows import Channel
from simulator.register import OUTSIDE
from simulator.streams import shares
from simulator.today import Today

_SERVICE_DAY = 18
_INTEREST_DAY = 21  # banks pay interest on the 21st of the quarter's last month; some every month
_INTEREST_BP = 35  # the usual demand deposit rate
_QUARTER_ENDS = (3, 6, 9, 12)
_MOVES_A_DAY = 0.3


class Treasury:
    def __init__(self, cast: Cast) -> None:
        self._markets = cast.markets
        self._filed_own = [firm.filed_own for firm in cast.payment_institutions]

    def act(self, today: Today) -> None:
        if not today.date.working:
            return
        rng = today.stream("treasury")
        if _ends_quarter(today.date):
            self._settle(today, rng)
        if today.date.pays_on(_SERVICE_DAY):
            self._buy_services(today, rng)
        if today.date.pays_on(_INTEREST_DAY):
            self._earn_interest(today)
        self._move(today, rng)

    def _settle(self, today: Today, rng: np.random.Generator) -> None:
        for settlement in self._markets.settlements:
            total = int(today.ledger.spendable[settlement.payer] * rng.uniform(0.3, 0.5))
            count = len(settlement.receivers)
            today.pay(
                settlement.payer,
                np.array(settlement.receivers),
                shares(rng, total, count, 100 * p.YUAN),
                today.date.moments(rng, OFFICE, count),
                Purpose.purchase,
                pattern=settlement.pattern,
            )

    def _buy_services(self, today: Today, rng: np.random.Generator) -> None:
        for service in self._markets.services:
            fee = int(rng.integers(*m.SERVICE_FEE)) // (100 * p.YUAN) * 100 * p.YUAN
            at = int(today.date.moments(rng, OFFICE, 1)[0])
            today.pay(service.payer, service.provider, fee, at, Purpose.purchase, pattern=service.pattern)

    def _earn_interest(self, today: Today) -> None:
        for account, pattern in zip(self._filed_own, self._markets.interest, strict=True):
            interest = int(today.ledger.balance[account]) * _INTEREST_BP // 120_000
            today.flows.add(OUTSIDE, account, interest, today.date.at(5), Purpose.interest, pattern=pattern)

    def _move(self, today: Today, rng: np.random.Generator) -> None:
        """Between own accounts at two banks; at times what arrives at one leaves the other within hours."""
        for pair in self._markets.own_accounts:
            if rng.random() >= _MOVES_A_DAY:
                continue
            source, target = pair.first, pair.second
            if today.ledger.spendable[source] < today.ledger.spendable[target]:
                source, target = target, source
            amount = int(today.ledger.spendable[source] * rng.uniform(0.1, 0.4)) // p.YUAN * p.YUAN
            at = today.date.at(9 + 6 * rng.random())
            moved = today.pay(source, target, amount, at, Purpose.transfer, pattern=pair.pattern)
            if moved[0] and rng.random() < 0.3:
                back = amount // 2
                today.flows.add(
                    target,
                    source,
                    back,
                    at + HOUR,
                    Purpose.transfer,
                    channel=Channel.online,
                    pattern=pair.pattern,
                )


def _ends_quarter(date: Date) -> bool:
    """Is this the last working day of a quarter?"""
    if date.civil.month not in _QUARTER_ENDS:
        return False
    later = Date(date.number + 1, date.start_us)
    while later.civil.month == date.civil.month:
        if later.working:
            return False
        later = Date(later.number + 1, date.start_us)
    return True
