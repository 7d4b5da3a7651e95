"""Payment institutions, honestly: every fen that leaves the reserve has a client's instruction behind it.

Clients top up and withdraw; buy from the wallet (booked inside, no transfer) or by bound card; merchants
are settled the next day less a fee; some purchases are refunded; fees earned go to the filed own account;
the reserve nets with the clearing house.
"""

from __future__ import annotations

import numpy as np

from schemas.instant import MINUTE, SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast, PaymentInstitution
from simulator.dates import OFFICE, ONLINE, SHOPPING
from simulator.flows import Channel
from simulator.register import OUTSIDE
from simulator.streams import Ints, money
from simulator.today import Today

_FEE_WEEKDAY = 0
_MERCHANT_SWEEP = 0.3


class Payments:
    def __init__(self, cast: Cast) -> None:
        self._desks = [_Desk(firm, cast) for firm in cast.payment_institutions]

    def act(self, today: Today) -> None:
        for number, desk in enumerate(self._desks):
            desk.act(today, today.stream("payments", number))


class _Desk:
    """The books of one institution: what each wallet and each merchant is owed, and the fee earned."""

    def __init__(self, firm: PaymentInstitution, cast: Cast) -> None:
        self._firm = firm
        self._card = cast.people.card[firm.wallets]
        self._active_from = cast.people.active_from[firm.wallets]
        self._wallet = firm.opening.copy()
        self._owed = np.zeros(len(firm.merchants), dtype=np.int64)
        self._fee_earned = 0
        self._bought: tuple[Ints, Ints, Ints] | None = None  # buyer, merchant, amount by card yesterday

    def act(self, today: Today, rng: np.random.Generator) -> None:
        active = np.flatnonzero(self._active_from <= today.day)
        self._settle_merchants(today, rng)
        self._refund(today, rng)
        self._withdraw(today, rng, active)
        if today.date.working and today.date.civil.weekday() == _FEE_WEEKDAY:
            self._take_fee(today, rng)
        self._net(today, rng)
        self._buy(today, rng, active)
        self._top_up(today, rng, active)
        today.owed[self._firm.reserve] = int(self._wallet.sum() + self._owed.sum())

    def _settle_merchants(self, today: Today, rng: np.random.Generator) -> None:
        """T+1: what was sold until midnight, less the filed fee."""
        fee = self._owed * self._firm.fee_bp // 10_000
        at = today.date.at(2) + np.arange(len(self._owed), dtype=np.int64) * 7 * SECOND
        paid = today.pay(
            self._firm.reserve,
            self._firm.merchants,
            self._owed - fee,
            at,
            Purpose.merchant_settlement,
            channel=Channel.clearing,
            instruction=today.flows.instructions(len(self._owed)),
            pattern=self._firm.patterns.merchant_settlement,
        )
        self._fee_earned += int(fee[paid].sum())
        self._owed[paid] = 0
        held = today.ledger.spendable[self._firm.merchants]
        owners = np.where(rng.random(len(held)) < _MERCHANT_SWEEP, held, 0)
        at = today.date.moments(rng, OFFICE, len(held))
        today.pay(self._firm.merchants, OUTSIDE, owners, at, Purpose.transfer)

    def _refund(self, today: Today, rng: np.random.Generator) -> None:
        """Yesterday's card purchases, some of them undone: back to the card that paid."""
        if self._bought is None:
            return
        buyer, merchant, amount = self._bought
        chosen = np.flatnonzero(rng.random(len(buyer)) < p.REFUND_RATE)
        paid = today.pay(
            self._firm.reserve,
            self._card[buyer[chosen]],
            amount[chosen],
            today.date.moments(rng, SHOPPING, len(chosen)),
            Purpose.refund,
            channel=Channel.online,
            instruction=today.flows.instructions(len(chosen)),
            pattern=self._firm.patterns.refund_to_payer,
        )
        np.subtract.at(self._owed, merchant[chosen][paid], amount[chosen][paid])

    def _withdraw(self, today: Today, rng: np.random.Generator, active: Ints) -> None:
        chosen = active[rng.random(len(active)) < p.WALLET_WITHDRAWALS_A_DAY]
        wish = (self._wallet[chosen] * rng.uniform(0.2, 1.0, len(chosen))).astype(np.int64)
        paid = today.pay(
            self._firm.reserve,
            self._card[chosen],
            wish,
            today.date.moments(rng, ONLINE, len(chosen)),
            Purpose.withdraw,
            channel=Channel.online,
            instruction=today.flows.instructions(len(chosen)),
        )
        self._wallet[chosen[paid]] -= wish[paid]

    def _take_fee(self, today: Today, rng: np.random.Generator) -> None:
        at = int(today.date.moments(rng, OFFICE, 1)[0])
        if today.pay(
            self._firm.reserve,
            self._firm.filed_own,
            self._fee_earned,
            at,
            Purpose.fee,
            channel=Channel.clearing,
            pattern=self._firm.patterns.filed_fee_transfer,
        )[0]:
            self._fee_earned = 0
        cost = int(today.ledger.spendable[self._firm.filed_own]) // 20
        today.pay(self._firm.filed_own, OUTSIDE, cost, at + MINUTE, Purpose.purchase)

    def _net(self, today: Today, rng: np.random.Generator) -> None:
        """Two nettings a day with the clearing house: out in the morning, the same back at night."""
        if not today.date.working:
            return
        net = int(today.ledger.spendable[self._firm.reserve] * rng.uniform(0.01, 0.05))
        out, back = today.date.at(10 + rng.random()), today.date.at(16 + rng.random())
        if today.pay(
            self._firm.reserve,
            self._firm.clearing,
            net,
            out,
            Purpose.reserve_transfer,
            channel=Channel.clearing,
        )[0]:
            today.flows.add(
                self._firm.clearing,
                self._firm.reserve,
                net,
                back,
                Purpose.reserve_transfer,
                channel=Channel.clearing,
            )

    def _buy(self, today: Today, rng: np.random.Generator, active: Ints) -> None:
        count = int(rng.poisson(p.WALLET_PURCHASES_A_DAY * today.date.shopping_factor * len(active)))
        buyer = rng.choice(active, count)
        merchant = rng.choice(len(self._firm.merchants), size=count, p=self._firm.weights)
        amount = money(rng, p.PURCHASE_MEDIAN, p.PURCHASE_SIGMA, count, 10)
        by_card = rng.random(count) < 0.5
        self._buy_from_wallet(buyer[~by_card], merchant[~by_card], amount[~by_card])
        buyer, merchant, amount = buyer[by_card], merchant[by_card], amount[by_card]
        paid = today.pay(
            self._card[buyer],
            self._firm.reserve,
            amount,
            today.date.moments(rng, SHOPPING, len(buyer)),
            Purpose.purchase,
            channel=Channel.online,
            instruction=today.flows.instructions(len(buyer)),
            pattern=self._firm.patterns.reserve_inflow,
        )
        self._bought = buyer[paid], merchant[paid], amount[paid]
        np.add.at(self._owed, merchant[paid], amount[paid])

    def _buy_from_wallet(self, buyer: Ints, merchant: Ints, amount: Ints) -> None:
        """Only the first purchase of each buyer today, and only what the wallet holds."""
        _, first = np.unique(buyer, return_index=True)
        first = first[self._wallet[buyer[first]] >= amount[first]]
        self._wallet[buyer[first]] -= amount[first]
        np.add.at(self._owed, merchant[first], amount[first])

    def _top_up(self, today: Today, rng: np.random.Generator, active: Ints) -> None:
        chosen = active[rng.random(len(active)) < p.TOP_UPS_A_DAY]
        amount = money(rng, 300 * p.YUAN, 0.8, len(chosen), 10 * p.YUAN)
        paid = today.pay(
            self._card[chosen],
            self._firm.reserve,
            amount,
            today.date.moments(rng, ONLINE, len(chosen)),
            Purpose.top_up,
            channel=Channel.online,
            instruction=today.flows.instructions(len(chosen)),
            pattern=self._firm.patterns.reserve_inflow,
        )
        self._wallet[chosen[paid]] += amount[paid]
