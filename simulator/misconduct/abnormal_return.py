"""畸高回报、变相补贴: investors are paid more than any honest loan can bear.

usury           clumsy: a month's loan at five to six per cent a month
cash_back       an ordinary rate, and from the marketing account three to four per cent within the month
sister_rewards  careful: the sister company sends "rewards" to the investors' cards, a little every week
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from schemas.instant import SECOND
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Platform
from simulator.dates import ONLINE
from simulator.flows import Channel
from simulator.misconduct.case import (
    CAREFUL,
    CLUMSY,
    ORDINARY,
    Plan,
    Play,
    Variant,
    office_moment,
    until,
    wait,
)
from simulator.misconduct.offering import Offering, Stakes, recharge
from simulator.register import OUTSIDE, TRADE
from simulator.streams import Ints
from simulator.today import Script, Today

_TERM = 30
_Bonus = Callable[[Today, np.random.Generator, Offering, Stakes, int], None]


def _lent(
    plan: Plan,
    payers: tuple[int, ...],
    platform: Platform,
    month_bp: int,
    bonus: _Bonus | None,
    proven: int = 0,
) -> Play:
    """A cohort lends for a month at `month_bp`; a bonus comes on top on days 1, 8, 15 and 22, and with that
    of week `proven` the return is above any cap."""
    borrower = plan.company("贸易", TRADE)
    principal = int(plan.rng.integers(40, 90)) * 1_000 * p.YUAN
    label = plan.label((*payers, platform.custody, borrower))
    product = plan.product(platform, borrower, principal, month_bp * 12, _TERM)
    offering = Offering(platform, product, borrower, label)
    members = plan.clients(platform, 70)

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        recharge(today, rng, platform, members, 4_000 * p.YUAN)
        today = yield
        stakes = offering.sell(today, rng, platform.sub[members], principal)
        today = yield from wait(today, rng, 1, 1)
        today = yield from offering.disburse(today, rng, stakes.total)
        begin = today.day
        for week in range(4):
            today = yield from until(today, begin + 1 + 7 * week)
            if bonus is not None:
                bonus(today, rng, offering, stakes, week)
                if week == proven:
                    today.proven.add(label)
        interest = stakes.total * month_bp // 10_000
        today.flows.add(OUTSIDE, borrower, interest * 2, today.date.at(12), Purpose.purchase)
        today = yield from until(today, begin + _TERM)
        offering.repay(today, borrower, stakes, interest, office_moment(today, rng))
        today.finished.add(label)

    return script


def usury(plan: Plan) -> Play:
    _, platform = plan.platform()
    return _lent(plan, (), platform, int(plan.rng.integers(500, 620)), None)


def cash_back(plan: Plan) -> Play:
    _, platform = plan.platform()

    def bonus(today: Today, rng: np.random.Generator, offering: Offering, stakes: Stakes, week: int) -> None:
        if week in (0, 3):
            gift = stakes.amounts * int(rng.integers(170, 210)) // 10_000
            at = today.date.moments(rng, ONLINE, len(gift))
            today.pay(
                platform.marketing,
                stakes.investors,
                gift,
                at,
                Purpose.subsidy,
                channel=Channel.custody,
                product=offering.product,
                pattern=offering.pattern,
            )

    return _lent(plan, (platform.marketing,), platform, 95, bonus, 3)


def sister_rewards(plan: Plan) -> Play:
    _, platform = plan.platform()
    sister = platform.group.supplier[1]

    def bonus(today: Today, rng: np.random.Generator, offering: Offering, stakes: Stakes, _: int) -> None:
        cards = _cards(today, platform, stakes.investors)
        reward = stakes.amounts * rng.integers(65, 95, len(cards)) // 10_000 // 100 * 100
        at = office_moment(today, rng) + np.arange(len(cards)) * 11 * SECOND
        today.pay(sister, cards, reward, at, Purpose.transfer, pattern=offering.pattern)

    return _lent(plan, (sister,), platform, 90, bonus, 2)


def _cards(today: Today, platform: Platform, subs: Ints) -> Ints:
    """The cards of the owners of these sub-accounts."""
    place = np.argsort(platform.sub)[np.searchsorted(np.sort(platform.sub), subs)]
    cards: Ints = today.cast.people.card[platform.clients[place]]
    return cards


VARIANTS = (
    Variant(usury, CLUMSY, days=40),
    Variant(cash_back, ORDINARY, days=40, also=("commingling",)),
    Variant(sister_rewards, CAREFUL, days=40),
)
