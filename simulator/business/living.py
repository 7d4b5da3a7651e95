"""What people pay besides shopping: rent, utilities, each other, homes, brokers."""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.business.fresh_loans import FreshLoans
from simulator.cast import Cast
from simulator.dates import OFFICE, ONLINE
from simulator.flows import NONE, Channel
from simulator.register import OUTSIDE
from simulator.streams import Ints, money
from simulator.today import Today

_HOMES_A_DAY = 1 / 6_000  # assumption: instalments to a developer, per person
_BROKER_A_DAY = 1 / 500  # assumption
_HOARD = 150_000 * p.YUAN  # assumption: what people hold above this they spend outside the feeds


class Living:
    def __init__(self, cast: Cast) -> None:
        people = cast.people
        self._utility_day = people.rent_day
        self._friend = np.roll(np.arange(len(people.card)), 1)
        self._loans = FreshLoans()

    def act(self, today: Today) -> None:
        rng = today.stream("living")
        self._loans.note(today)
        self._rent(today, rng)
        self._utilities(today, rng)
        self._gifts(today, rng)
        self._homes(today, rng)
        self._brokers(today, rng)
        self._landlords_and_savers(today, rng)

    def _rent(self, today: Today, rng: np.random.Generator) -> None:
        people = today.cast.people
        day_of_month = today.date.civil.day
        tenants = np.flatnonzero((people.landlord != NONE) & (people.rent_day == day_of_month))
        landlords = [today.cast.landlords[i] for i in people.landlord[tenants]]
        today.pay(
            people.card[tenants],
            np.array([landlord.account for landlord in landlords], dtype=np.int64),
            people.rent[tenants],
            today.date.moments(rng, ONLINE, len(tenants)),
            Purpose.transfer,
            pattern=np.array([landlord.pattern for landlord in landlords], dtype=np.int64),
        )

    def _utilities(self, today: Today, rng: np.random.Generator) -> None:
        people = today.cast.people
        for number, utility in enumerate(today.cast.utilities):
            payers = np.flatnonzero((self._utility_day + 9 * number) % 28 + 1 == today.date.civil.day)
            payers = payers[rng.random(len(payers)) < 0.45]  # a household pays once, not each member
            today.pay(
                people.card[payers],
                utility.account,
                money(rng, p.UTILITY_MEDIAN, 0.5, len(payers), 10),
                today.date.moments(rng, OFFICE, len(payers)),
                Purpose.purchase,
                channel=Channel.direct_debit,
                pattern=utility.pattern,
            )

    def _gifts(self, today: Today, rng: np.random.Generator) -> None:
        people = today.cast.people
        count = int(rng.poisson(p.GIFTS_A_DAY * today.date.gift_factor * len(people.card)))
        giver = rng.integers(0, len(people.card), count)
        taker = (self._friend[giver] - rng.integers(0, 12, count)) % len(people.card)
        amount = rng.choice([66, 88, 100, 188, 200, 500, 600, 1_000], count) * p.YUAN
        at = today.date.moments(rng, ONLINE, count)
        apart = giver != taker
        today.pay(
            people.card[giver[apart]], people.card[taker[apart]], amount[apart], at[apart], Purpose.transfer
        )

    def _homes(self, today: Today, rng: np.random.Generator) -> None:
        count = int(rng.poisson(_HOMES_A_DAY * len(today.cast.people.card)))
        buyers = self._well_off(today, rng, count, 60_000 * p.YUAN)
        developer = [
            today.cast.developers[i] for i in rng.integers(0, len(today.cast.developers), len(buyers))
        ]
        today.pay(
            buyers,
            np.array([d.account for d in developer], dtype=np.int64),
            today.ledger.spendable[buyers] // (1_000 * p.YUAN) * 700 * p.YUAN,
            today.date.moments(rng, OFFICE, len(buyers)),
            Purpose.purchase,
            pattern=np.array([d.pattern for d in developer], dtype=np.int64),
        )

    def _brokers(self, today: Today, rng: np.random.Generator) -> None:
        if not today.date.working:
            return
        count = int(rng.poisson(_BROKER_A_DAY * len(today.cast.people.card)))
        savers = self._well_off(today, rng, count, 10_000 * p.YUAN)
        broker = [today.cast.brokers[i] for i in rng.integers(0, len(today.cast.brokers), len(savers))]
        today.pay(
            savers,
            np.array([b.account for b in broker], dtype=np.int64),
            money(rng, 5_000 * p.YUAN, 0.8, len(savers), 100 * p.YUAN),
            today.date.moments(rng, OFFICE, len(savers)),
            Purpose.transfer,
            pattern=np.array([b.pattern for b in broker], dtype=np.int64),
        )

    def _well_off(self, today: Today, rng: np.random.Generator, count: int, least: int) -> Ints:
        cards = today.cast.people.card
        able = cards[(today.ledger.spendable[cards] >= least) & ~self._loans.among(cards)]
        chosen: Ints = rng.choice(able, min(count, len(able)), replace=False)
        return chosen

    def _landlords_and_savers(self, today: Today, rng: np.random.Generator) -> None:
        """Money that leaves the feeds: landlords' and utilities' own costs, and people's savings."""
        payees = (*today.cast.landlords, *today.cast.utilities)
        accounts = np.array([payee.account for payee in payees], dtype=np.int64)
        if today.date.working and today.date.civil.weekday() == 4:
            at = today.date.moments(rng, OFFICE, len(accounts))
            today.pay(accounts, OUTSIDE, today.ledger.spendable[accounts] // 2, at, Purpose.purchase)
        cards = today.cast.people.card
        rich = cards[today.ledger.spendable[cards] > _HOARD]
        rich = rich[rng.random(len(rich)) < 0.1]
        excess = today.ledger.spendable[rich] - _HOARD
        today.pay(rich, OUTSIDE, excess, today.date.moments(rng, ONLINE, len(rich)), Purpose.transfer)
