"""Equity crowdfunding, honestly: through custody, and what a company pays its backers varies with its profit.

Money: backer's sub-account → custody → the project's company; dividends come back the same way. A founder
declared as shareholder takes part with a small share. A project that is not filled is given back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from schemas.instant import HOUR, MINUTE, SECOND
from schemas.transaction import Purpose
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import OFFICE, ONLINE
from simulator.flows import Channel
from simulator.markets import Crowdfunding, Project
from simulator.register import OUTSIDE
from simulator.streams import Ints, money, pro_rata, stream
from simulator.today import Today

_REVENUE = 4_000 * p.YUAN  # assumption: a project company's, a working day
_MIN_STAKE = 500 * p.YUAN
_FEE_SWEEP_WEEKDAY = 3


@dataclass(slots=True)
class _Raise:
    """`stakes[i]` of the target is what `backers[i]` paid in."""

    project: Project
    backers: list[Ints] = field(default_factory=list)
    stakes: list[Ints] = field(default_factory=list)
    raised: int = 0


class CrowdfundingBusiness:
    def __init__(self, cast: Cast, seed: int) -> None:
        self._desks = [_Desk(platform, cast, seed) for platform in cast.markets.crowdfunding]

    def act(self, today: Today) -> None:
        for number, desk in enumerate(self._desks):
            desk.act(today, today.stream("crowdfunding", number))


class _Desk:
    def __init__(self, platform: Crowdfunding, cast: Cast, seed: int) -> None:
        self._platform = platform
        self._card = cast.people.card[platform.clients]
        self._coming = {project.opens: project for project in platform.projects}
        self._open: list[_Raise] = []
        self._full: list[_Raise] = []
        self._due: defaultdict[int, list[_Raise]] = defaultdict(list)
        rng = stream(seed, "opening projects", platform.institution_id)
        for project in platform.projects:
            if project.opens < 0:
                count = int(rng.integers(15, 40))
                stakes = (rng.dirichlet(np.full(count, 3.0)) * project.target).astype(np.int64) + 1
                backers = rng.choice(platform.sub, count, replace=False)
                self._due[int(rng.integers(3, 28))].append(_Raise(project, [backers], [stakes]))

    def act(self, today: Today, rng: np.random.Generator) -> None:
        self._clients(today, rng)
        if project := self._coming.get(today.day):
            self._open.append(_Raise(project))
        self._open = [raising for raising in self._open if self._take(today, rng, raising)]
        due = self._due.pop(today.day, [])
        if not today.date.working:
            self._due[today.day + 1].extend(due)
            return
        waiting, self._full = self._full, []
        for raising in waiting:
            self._pay_out(today, rng, raising)
        for raising in due:
            self._dividend(today, rng, raising)
        companies = self._platform.companies
        count = len(companies)
        at = today.date.moments(rng, OFFICE, count)
        earned = money(rng, _REVENUE, 0.6, count)
        today.flows.add(OUTSIDE, companies, earned, at, Purpose.purchase)
        self._keep_house(today, rng)

    def _clients(self, today: Today, rng: np.random.Generator) -> None:
        platform = self._platform
        chosen = np.flatnonzero(rng.random(len(self._card)) < p.RECHARGES_A_DAY)
        today.pay(
            self._card[chosen],
            platform.sub[chosen],
            money(rng, p.RECHARGE_MEDIAN, 0.7, len(chosen), 100 * p.YUAN),
            today.date.moments(rng, ONLINE, len(chosen)),
            Purpose.recharge,
            channel=Channel.online,
        )
        chosen = np.flatnonzero(rng.random(len(self._card)) < p.WITHDRAWALS_A_DAY / 2)
        held = today.ledger.spendable[platform.sub[chosen]]
        wish = (held * rng.uniform(0.1, 0.6, len(chosen))).astype(np.int64) // p.YUAN * p.YUAN
        at = today.date.moments(rng, ONLINE, len(chosen))
        today.pay(
            platform.sub[chosen], self._card[chosen], wish, at, Purpose.withdraw, channel=Channel.online
        )

    def _take(self, today: Today, rng: np.random.Generator, raising: _Raise) -> bool:
        """Take stakes; False when the project is full or was given up."""
        platform, project = self._platform, raising.project
        if today.day - project.opens > 2 * m.RAISE_DAYS:
            self._spread(today, raising, raising.raised, today.date.at(9), Purpose.refund, claim=True)
            return False
        if today.day == project.opens:
            share = int(project.target * rng.uniform(*m.FOUNDERS_SHARE)) // _MIN_STAKE * _MIN_STAKE
            founder = np.array([project.founder])
            self._stake(today, rng, raising, founder, np.array([share]), project.founders_share)
        able = platform.sub[today.ledger.spendable[platform.sub] >= _MIN_STAKE]
        count = min(int(rng.integers(6, 16)), len(able))
        backers = rng.choice(able, count, replace=False)
        part = project.target * rng.uniform(0.01, 0.05, count)
        wish = np.minimum(today.ledger.spendable[backers], part.astype(np.int64)) // _MIN_STAKE * _MIN_STAKE
        room = project.target - raising.raised
        stakes = np.clip(room - (np.cumsum(wish) - wish), 0, wish)
        self._stake(today, rng, raising, backers, stakes, platform.custody_pattern)
        if raising.raised == project.target:
            self._full.append(raising)
        return raising.raised < project.target

    def _stake(
        self,
        today: Today,
        rng: np.random.Generator,
        raising: _Raise,
        backers: Ints,
        stakes: Ints,
        pattern: int,
    ) -> None:
        paid = today.pay(
            backers,
            self._platform.custody,
            stakes,
            today.date.at(11) + rng.integers(0, 12 * 3600, len(backers)) * SECOND,
            Purpose.invest,
            channel=Channel.custody,
            product=raising.project.product,
            pattern=pattern,
        )
        raising.backers.append(backers[paid])
        raising.stakes.append(stakes[paid])
        raising.raised += int(stakes[paid].sum())

    def _pay_out(self, today: Today, rng: np.random.Generator, raising: _Raise) -> None:
        platform, project = self._platform, raising.project
        at = int(today.date.moments(rng, OFFICE, 1)[0])
        if not today.pay(
            platform.custody,
            project.company,
            project.target,
            at,
            Purpose.disburse,
            channel=Channel.custody,
            product=project.product,
            pattern=platform.custody_pattern,
        )[0]:
            self._full.append(raising)
            return
        fee = project.target * m.CROWDFUNDING_FEE_BP // 10_000
        today.flows.add(
            project.company,
            platform.fee,
            fee,
            at + 20 * MINUTE,
            Purpose.fee,
            product=project.product,
            pattern=platform.fee_pattern,
        )
        self._await_dividend(today, rng, raising)

    def _await_dividend(self, today: Today, rng: np.random.Generator, raising: _Raise) -> None:
        self._due[today.day + m.DIVIDEND_EVERY_DAYS + int(rng.integers(-8, 9))].append(raising)

    def _dividend(self, today: Today, rng: np.random.Generator, raising: _Raise) -> None:
        """A part of the month's profit; in some months there is none."""
        project = raising.project
        self._await_dividend(today, rng, raising)
        profit = project.target * int(rng.integers(*m.PROFIT_MARGIN_BP)) // 10_000
        if rng.random() < m.PROFITLESS_MONTHS or not today.ledger.claim_one(project.company, profit):
            return
        at = today.date.at(9 + 6 * rng.random())
        today.flows.add(
            project.company,
            self._platform.custody,
            profit,
            at,
            Purpose.interest,
            channel=Channel.custody,
            product=project.product,
            pattern=project.dividend,
        )
        self._spread(today, raising, profit, at + HOUR, Purpose.interest, claim=False)

    def _spread(
        self, today: Today, raising: _Raise, total: int, at: int, purpose: Purpose, *, claim: bool
    ) -> None:
        """From custody to the backers, in proportion. `claim`: it is not money just passed through."""
        if not total:
            return
        backers = np.concatenate(raising.backers)
        move = today.pay if claim else today.flows.add
        move(
            self._platform.custody,
            backers,
            pro_rata(total, np.concatenate(raising.stakes)),
            at + np.arange(len(backers), dtype=np.int64) * SECOND,
            purpose,
            channel=Channel.custody,
            product=raising.project.product,
            pattern=raising.project.dividend
            if purpose is Purpose.interest
            else self._platform.custody_pattern,
        )

    def _keep_house(self, today: Today, rng: np.random.Generator) -> None:
        platform = self._platform
        at = today.date.moments(rng, OFFICE, 2)
        if today.date.civil.weekday() == _FEE_SWEEP_WEEKDAY:
            held = int(today.ledger.spendable[platform.fee])
            today.pay(
                platform.fee,
                platform.own,
                held * 9 // 10,
                int(at[0]),
                Purpose.fee,
                pattern=platform.fee_pattern,
            )
        cost = int(money(rng, 4_000 * p.YUAN, 0.5, 1, 100)[0])
        today.pay(platform.own, OUTSIDE, cost, int(at[1]), Purpose.purchase)
