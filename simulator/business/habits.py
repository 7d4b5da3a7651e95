"""Among themselves: own accounts, partners in trade, and neighbours. See simulator.habits."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from schemas.instant import HOUR
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import OFFICE, ONLINE
from simulator.flows import Channel
from simulator.habits import Dealings, OwnAccounts, Partners
from simulator.today import Today

_MOVES_A_DAY = 0.15  # assumption: a person's between own accounts
_BACK_THE_SAME_DAY = 0.2
_TRADES_A_DAY = 0.12  # assumption: each way, of a pair of partners
_ORDERS_A_DAY = 0.04  # assumption: that come to nothing
_DEALINGS_A_DAY = 0.25  # assumption: of one employee with all his friends


class Habits:
    def __init__(self, cast: Cast) -> None:
        self._habits = cast.habits
        self._refunds: defaultdict[int, list[tuple[Partners, int]]] = defaultdict(list)

    def act(self, today: Today) -> None:
        rng = today.stream("habits")
        for pair in self._habits.own_accounts:
            if rng.random() < _MOVES_A_DAY:
                _move(today, rng, pair)
        if today.date.working:
            for partners in self._habits.partners:
                self._trade(today, rng, partners)
            for partners, amount in self._refunds.pop(today.day, []):
                _give_back(today, rng, partners, amount)
        else:
            self._refunds[today.day + 1] += self._refunds.pop(today.day, [])
        for dealings in self._habits.dealings:
            if rng.random() < _DEALINGS_A_DAY:
                _deal(today, rng, dealings)

    def _trade(self, today: Today, rng: np.random.Generator, partners: Partners) -> None:
        for buyer, seller in ((partners.first, partners.second), (partners.second, partners.first)):
            if rng.random() < _TRADES_A_DAY:
                amount = int(rng.integers(40, 400)) * 100 * p.YUAN
                at = int(today.date.moments(rng, OFFICE, 1)[0])
                label = partners.two_way_trade
                today.pay(buyer, seller, amount, at, Purpose.purchase, pattern=label)
        if rng.random() < _ORDERS_A_DAY:
            amount = int(rng.integers(30, 300)) * 100 * p.YUAN
            at = int(today.date.moments(rng, OFFICE, 1)[0])
            label = partners.cancelled_order
            if today.pay(partners.first, partners.second, amount, at, Purpose.purchase, pattern=label)[0]:
                self._refunds[today.day + int(rng.integers(1, 8))].append((partners, amount))


def _give_back(today: Today, rng: np.random.Generator, partners: Partners, amount: int) -> None:
    at = int(today.date.moments(rng, OFFICE, 1)[0])
    label = partners.cancelled_order
    today.pay(partners.second, partners.first, amount, at, Purpose.refund, pattern=label)


def _move(today: Today, rng: np.random.Generator, pair: OwnAccounts) -> None:
    """One way, or the other; sometimes there and, hours later, back."""
    src, dst = (pair.first, pair.second) if rng.random() < 0.5 else (pair.second, pair.first)
    amount = int(today.ledger.spendable[src] * rng.uniform(0.1, 0.7)) // (100 * p.YUAN) * 100 * p.YUAN
    at = min(int(today.date.moments(rng, ONLINE, 1)[0]), today.date.at(19))
    moved = today.pay(src, dst, amount, at, Purpose.transfer, channel=Channel.online, pattern=pair.pattern)
    if moved[0] and rng.random() < _BACK_THE_SAME_DAY:
        today.flows.add(
            dst, src, amount, at + 3 * HOUR, Purpose.transfer, channel=Channel.online, pattern=pair.pattern
        )


def _deal(today: Today, rng: np.random.Generator, dealings: Dealings) -> None:
    """A shared dinner, a used bicycle, a small loan and its return."""
    friend = int(rng.choice(dealings.friends))
    amount = int(rng.integers(1, 21)) * 100 * p.YUAN
    src, dst = (friend, dealings.employee) if rng.random() < 0.7 else (dealings.employee, friend)
    at = int(today.date.moments(rng, ONLINE, 1)[0])
    today.pay(src, dst, amount, at, Purpose.transfer, channel=Channel.online, pattern=dealings.pattern)
