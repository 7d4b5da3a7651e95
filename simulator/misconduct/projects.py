"""A project that a case raises on a crowdfunding platform: in and out through custody, as usual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schemas.instant import DAY, HOUR, MINUTE, SECOND
from schemas.registry import AccountRole, Product, ProductKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.flows import Channel
from simulator.markets import Crowdfunding
from simulator.misconduct.case import Plan
from simulator.misconduct.means import firm, send
from simulator.register import CATERING
from simulator.streams import Ints, pro_rata
from simulator.today import Today


@dataclass(frozen=True, slots=True)
class CaseProject:
    """`company` is the account of the project's company. Everything moved carries the case's label."""

    platform: Crowdfunding
    product: int
    company: int
    target: int

    def take(self, today: Today, rng: np.random.Generator, backers: Ints, stakes: Ints, label: int) -> None:
        self._move(today, rng, backers, self.platform.custody, stakes, Purpose.invest, label)

    def pay_out(self, today: Today, rng: np.random.Generator, label: int) -> None:
        """What was raised goes to the company, the day after it came in."""
        custody = self.platform.custody
        self._move(today, rng, custody, self.company, self.target, Purpose.disburse, label)

    def pay_backers(
        self, today: Today, rng: np.random.Generator, backers: Ints, stakes: Ints, total: int, label: int
    ) -> None:
        """The company pays `total` to its backers, in proportion."""
        at = self._move(today, rng, self.company, self.platform.custody, total, Purpose.interest, label)
        today.flows.add(
            self.platform.custody,
            backers,
            pro_rata(total, stakes),
            int(at[0]) + 30 * MINUTE + np.arange(len(backers), dtype=np.int64) * SECOND,
            Purpose.interest,
            channel=Channel.custody,
            product=self.product,
            pattern=label,
        )

    def _move(
        self,
        today: Today,
        rng: np.random.Generator,
        src: Ints | int,
        dst: int,
        amount: Ints | int,
        purpose: Purpose,
        label: int,
    ) -> Ints:
        return send(
            today, rng, src, dst, amount, label, purpose, channel=Channel.custody, product=self.product
        )


def project(plan: Plan, platform: Crowdfunding, target: int, capital: int = 20_000) -> CaseProject:
    """Of a new company, which has `capital` yuan."""
    register = plan.cast.register
    company = firm(plan, "创意餐饮", CATERING, capital)
    issued_us = plan.start_us + plan.day * DAY
    product = register.product(
        Product(
            product_id=f"{platform.institution_id}-case-{len(register.products) + 1:05d}",
            institution_id=platform.institution_id,
            borrower_party_id=plan.party_of(company),
            principal_minor=target,
            issued_at=issued_us,
            due_at=issued_us + 3 * 365 * DAY,
            product_kind=ProductKind.project,
            valid_from=issued_us - HOUR,
        )
    )
    return CaseProject(platform, product, company, target)


def backers(plan: Plan, platform: Crowdfunding, parties: list[str], yuan: int) -> Ints:
    """New sub-accounts of these parties at the platform, with so much in each."""
    return np.array(
        [
            plan.cast.register.account(
                party,
                platform.bank,
                "client",
                yuan * p.YUAN,
                AccountRole.client,
                platform.institution_id,
            )
            for party in parties
        ],
        dtype=np.int64,
    )
