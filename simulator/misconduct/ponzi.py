"""借新还旧: a platform of sham listings pays earlier clients with what later ones bring, while it lasts.

The platform is the case's own: small, and nothing else happens there.

from_custody  clumsy: each week's newcomers pay out those of three weeks ago straight from custody
shells_repay  the newest listing's shell hands the older one's shell what it must repay; the family skims
sham_trade    careful: the money takes the way of purchases through a trading firm, and a quarter of the
              listings are real
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Platform
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
from simulator.register import BUILDING, LEASING, OUTSIDE, TRADE
from simulator.streams import Ints
from simulator.today import Script, Today

_TERM_WEEKS = 3
_INTEREST = 0.02  # of the stake, for the term: assumption, some 35 % a year


@dataclass(frozen=True, slots=True, eq=False)
class _Scheme:
    """`real`: weeks whose listing has a true borrower. `relay`: firms between one shell and the next.
    `custody_pays`: what was raised stays in custody, and what falls due is paid from there."""

    platform: Platform
    members: Ints
    offerings: tuple[Offering, ...]
    real: frozenset[int]
    relay: tuple[int, ...]
    custody_pays: bool
    family: int
    skim: float
    label: int

    def play(self, today: Today, rng: np.random.Generator) -> Generator[None, Today, Today]:
        begin = today.day
        sold: list[Stakes] = []
        for week, newcomers in enumerate(np.array_split(self.members, len(self.offerings))):
            today = yield from until(today, begin + 7 * week)
            offering = self.offerings[week]
            recharge(today, rng, self.platform, newcomers, 12_000 * p.YUAN)
            today = yield
            subs = self.platform.sub[newcomers]
            sold.append(offering.sell(today, rng, subs, 400_000 * p.YUAN))
            today = yield from wait(today, rng, 1, 1)
            today = yield from self._use(today, rng, week, sold[week].total)
            if week >= _TERM_WEEKS:
                today = yield from self._repay(today, rng, week - _TERM_WEEKS, sold)
                if week == _TERM_WEEKS + 1:
                    today.proven.add(self.label)
        return today

    def _use(
        self, today: Today, rng: np.random.Generator, week: int, raised: int
    ) -> Generator[None, Today, Today]:
        """The listing is paid out, but for what custody keeps for the next payouts; a part of what a sham
        borrower gets goes to the family."""
        offering = self.offerings[week]
        if week in self.real:
            today = yield from offering.disburse(today, rng, raised)
            return today
        skimmed = int(raised * self.skim)
        today = yield from offering.disburse(today, rng, skimmed if self.custody_pays else raised)
        today = yield
        at = office_moment(today, rng)
        today.pay(offering.borrower, self.family, skimmed, at, Purpose.transfer, pattern=self.label)
        return today

    def _repay(
        self, today: Today, rng: np.random.Generator, due: int, sold: list[Stakes]
    ) -> Generator[None, Today, Today]:
        owed, offering = sold[due], self.offerings[due]
        interest = int(owed.total * _INTEREST)
        if due in self.real:
            today.flows.add(OUTSIDE, offering.borrower, owed.total // 5, today.date.at(7), Purpose.purchase)
            today = yield
            offering.repay(today, offering.borrower, owed, interest, office_moment(today, rng))
        elif self.custody_pays:
            today = yield from offering.pay_from_custody(today, rng, owed, owed.total, interest)
        else:
            today = yield from self._bring(today, rng, due, owed.total + interest)
            offering.repay(today, offering.borrower, owed, interest, office_moment(today, rng))
        self._withdraw(today, rng, owed)
        return today

    def _bring(
        self, today: Today, rng: np.random.Generator, due: int, amount: int
    ) -> Generator[None, Today, Today]:
        """What is due comes from the shells that sold later, by way of the relay, to the one that owes."""
        debtor = self.offerings[due].borrower
        missing = amount - int(today.ledger.spendable[debtor])
        for later in range(due + 1, len(self.offerings)):
            giver = self.offerings[later].borrower
            part = min(missing, int(today.ledger.spendable[giver]))
            if later in self.real or part <= 0 or giver == debtor:
                continue
            missing -= part
            at = office_moment(today, rng)
            receiver = self.relay[0] if self.relay else debtor
            today.pay(giver, receiver, part, at, Purpose.purchase, pattern=self.label)
        today = yield
        for number, stop in enumerate(self.relay):
            after = (*self.relay, debtor)[number + 1]
            part = int(today.ledger.spendable[stop] * 0.99)
            today.pay(stop, after, part, office_moment(today, rng), Purpose.purchase, pattern=self.label)
            today = yield
        short = amount - int(today.ledger.spendable[debtor])
        if short > 0:
            at = office_moment(today, rng)
            today.pay(self.family, debtor, short, at, Purpose.transfer, pattern=self.label)
            today = yield
        return today

    def _withdraw(self, today: Today, rng: np.random.Generator, paid: Stakes) -> None:
        """Some take a part of what they had before home."""
        takers = np.unique(paid.investors)[::3]
        place = np.searchsorted(self.platform.sub, takers)
        cards = today.cast.people.card[self.platform.clients[place]]
        wish = today.ledger.spendable[takers] // 3 // p.YUAN * p.YUAN
        today.pay(takers, cards, wish, office_moment(today, rng), Purpose.withdraw, channel=Channel.online)


def _scheme(
    plan: Plan,
    weeks: int,
    skim: float,
    *,
    relay: tuple[int, ...] = (),
    real: tuple[int, ...] = (),
    custody_pays: bool = False,
) -> Play:
    platform = plan.venture(26 * weeks)
    shells = [plan.company("项目管理", LEASING) for _ in range(3)]
    farmers = [plan.company("建筑劳务", BUILDING) for _ in real]
    family = platform.group.family[1]
    label = plan.label((platform.custody, *shells, *relay, family))
    offerings = []
    for week in range(weeks):
        borrower = farmers[real.index(week)] if week in real else shells[week % 3]
        product = plan.product(platform, borrower, 400_000 * p.YUAN, 1_450, 7 * _TERM_WEEKS, delay=7 * week)
        offerings.append(Offering(platform, product, borrower, label))
    members = plan.rng.permutation(len(platform.clients))
    scheme = _Scheme(
        platform, members, tuple(offerings), frozenset(real), relay, custody_pays, family, skim, label
    )

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        today = yield from scheme.play(today, rng)
        today.finished.add(label)

    return script


def from_custody(plan: Plan) -> Play:
    return _scheme(plan, 6, 0.35, custody_pays=True)


def shells_repay(plan: Plan) -> Play:
    return _scheme(plan, 8, 0.25)


def sham_trade(plan: Plan) -> Play:
    trade = (plan.company("国际贸易", TRADE), plan.company("仓储", TRADE))
    return _scheme(plan, 9, 0.2, relay=trade, real=(2, 6))


_ALWAYS = ("maturity_mismatch", "self_lending", "abnormal_return")
"""Some 35 % a year is above the cap of 24 %."""

VARIANTS = (
    Variant(from_custody, CLUMSY, days=46, also=(*_ALWAYS, "straw_borrowers")),
    Variant(shells_repay, ORDINARY, days=64, also=(*_ALWAYS, "term_splitting")),
    Variant(sham_trade, CAREFUL, days=70, also=(*_ALWAYS, "term_splitting")),
)
