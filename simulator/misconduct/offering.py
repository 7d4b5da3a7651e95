"""A product that a case's script sells by itself: taking it in, paying it out, giving it back.

Every step goes through custody as an honest one does; what is wrong with it is the script's affair.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from schemas.instant import MINUTE, SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Platform
from simulator.dates import ONLINE
from simulator.flows import Channel
from simulator.misconduct.case import office_moment, until_held
from simulator.streams import Ints, pro_rata
from simulator.today import Today

_UNIT = 100 * p.YUAN


@dataclass(slots=True, eq=False)
class Offering:
    """One product on one platform. Everything it moves carries the label `pattern`."""

    platform: Platform
    product: int
    borrower: int
    pattern: int

    def sell(self, today: Today, rng: np.random.Generator, subs: Ints, target: int) -> Stakes:
        """The owners of these sub-accounts invest today what they can, until the target is reached."""
        able = subs[today.ledger.spendable[subs] >= 10 * _UNIT]
        buyers = rng.permutation(able)
        wish = (today.ledger.spendable[buyers] * rng.uniform(0.4, 0.95, len(buyers))).astype(np.int64)
        wish = np.minimum(wish // _UNIT * _UNIT, max(target // 4 // _UNIT, 1) * _UNIT)
        bids = np.clip(target - (np.cumsum(wish) - wish), 0, wish)
        buyers, bids = buyers[bids > 0], bids[bids > 0]
        paid = today.pay(
            buyers,
            self.platform.custody,
            bids,
            today.date.moments(rng, ONLINE, len(buyers)),
            Purpose.invest,
            channel=Channel.custody,
            product=self.product,
            pattern=self.pattern,
        )
        return Stakes(buyers[paid], bids[paid])

    def disburse(self, today: Today, rng: np.random.Generator, amount: int) -> Generator[None, Today, Today]:
        """Custody pays the borrower, on the first day on which it has so much in the morning."""
        today = yield from until_held(today, self.platform.custody, amount)
        today.pay(
            self.platform.custody,
            self.borrower,
            amount,
            office_moment(today, rng),
            Purpose.disburse,
            channel=Channel.custody,
            product=self.product,
            pattern=self.pattern,
        )
        return today

    def repay(
        self,
        today: Today,
        payer: int,
        stakes: Stakes,
        interest: int,
        at: int,
        purpose: Purpose = Purpose.repay,
        *,
        principal: int | None = None,
    ) -> bool:
        """`payer` pays the stakes' principal (or so much of it) and interest into custody; custody passes
        them on to the investors half an hour later."""
        back = stakes.total if principal is None else principal
        paid = today.pay(
            payer,
            self.platform.custody,
            back + interest,
            at,
            purpose,
            channel=Channel.custody,
            product=self.product,
            pattern=self.pattern,
        )
        if paid[0]:
            self._distribute(today, stakes, back, interest, at + 30 * MINUTE, purpose, passed=True)
        return bool(paid[0])

    def pass_to_investors(
        self, today: Today, stakes: Stakes, principal: int, interest: int, received_us: int
    ) -> None:
        """What custody received at that moment of today goes on to the investors."""
        at = received_us + 30 * MINUTE
        self._distribute(today, stakes, principal, interest, at, Purpose.repay, passed=True)

    def pay_from_custody(
        self, today: Today, rng: np.random.Generator, stakes: Stakes, principal: int, interest: int
    ) -> Generator[None, Today, Today]:
        """The investors are paid out of whatever else lies in custody, when it is enough."""
        today = yield from until_held(today, self.platform.custody, principal + interest)
        at = office_moment(today, rng)
        self._distribute(today, stakes, principal, interest, at, Purpose.repay, passed=False)
        return today

    def _distribute(
        self,
        today: Today,
        stakes: Stakes,
        principal: int,
        interest: int,
        at: int,
        purpose: Purpose,
        *,
        passed: bool,
    ) -> None:
        """`passed`: what arrived in custody just now is passed on; else custody's own balance is spent."""
        move = today.flows.add if passed else today.pay
        for total, what in ((principal, purpose), (interest, Purpose.interest)):
            if total:
                move(
                    self.platform.custody,
                    stakes.investors,
                    pro_rata(total, stakes.amounts),
                    at + np.arange(len(stakes.investors), dtype=np.int64) * SECOND,
                    what,
                    channel=Channel.custody,
                    product=self.product,
                    pattern=self.pattern,
                )


@dataclass(frozen=True, slots=True, eq=False)
class Stakes:
    """`investors[i]`, a sub-account, holds `amounts[i]` of the product."""

    investors: Ints
    amounts: Ints

    @property
    def total(self) -> int:
        return int(self.amounts.sum())

    def and_(self, more: Stakes) -> Stakes:
        return Stakes(
            np.concatenate([self.investors, more.investors]), np.concatenate([self.amounts, more.amounts])
        )


NOBODY = Stakes(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def recharge(today: Today, rng: np.random.Generator, platform: Platform, chosen: Ints, most: int) -> None:
    """Clients (by position) bring money from their cards, as anybody does who means to invest."""
    cards = today.cast.people.card[platform.clients[chosen]]
    held = today.ledger.spendable[cards]
    wish = np.minimum((held * rng.uniform(0.3, 0.9, len(cards))).astype(np.int64) // _UNIT * _UNIT, most)
    at = today.date.moments(rng, ONLINE, len(cards))
    today.pay(cards, platform.sub[chosen], wish, at, Purpose.recharge, channel=Channel.online)
