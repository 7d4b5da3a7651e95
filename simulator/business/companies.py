"""Companies earn from the outside world, trade with each other, pay tax, and spend what is left."""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Cast
from simulator.dates import OFFICE
from simulator.register import OUTSIDE
from simulator.streams import money
from simulator.today import Today

_TAX_DAY = 14
_MARGIN = 1.3  # assumption: revenue over payroll
_WORKING_DAYS = 21
_TRADE_A_DAY = 0.25
_RESERVE_MONTHS = 4  # assumption: what a company holds more than this it pays out


class Companies:
    def __init__(self, cast: Cast) -> None:
        people = cast.people
        payroll = np.bincount(people.employer, weights=people.salary, minlength=len(cast.companies))
        revenue = payroll * _MARGIN / _WORKING_DAYS
        firms = np.full(len(cast.firms), float(p.FIRM_REVENUE))
        self._accounts = np.array([c.account for c in (*cast.companies, *cast.firms)], dtype=np.int64)
        self._revenue = np.maximum(np.concatenate([revenue, firms]), 1_000.0 * p.YUAN)

    def act(self, today: Today) -> None:
        if not today.date.working:
            return
        rng = today.stream("companies")
        count = len(self._accounts)
        earned = (self._revenue * rng.lognormal(0.0, 0.6, count)).astype(np.int64)
        today.flows.add(
            OUTSIDE, self._accounts, earned, today.date.moments(rng, OFFICE, count), Purpose.purchase
        )
        self._trade(today, rng)
        if today.date.pays_on(_TAX_DAY):
            self._pay_tax(today, rng)
        self._pay_out(today, rng)

    def _trade(self, today: Today, rng: np.random.Generator) -> None:
        """Invoices between companies: any may be buyer today and seller tomorrow."""
        count = int(rng.binomial(len(self._accounts), _TRADE_A_DAY))
        buyer = rng.choice(self._accounts, count)
        seller = rng.choice(self._accounts, count)
        apart = buyer != seller
        today.pay(
            buyer[apart],
            seller[apart],
            money(rng, 12_000 * p.YUAN, 1.0, count)[apart],
            today.date.moments(rng, OFFICE, count)[apart],
            Purpose.purchase,
        )

    def _pay_tax(self, today: Today, rng: np.random.Generator) -> None:
        count = len(self._accounts)
        office = today.cast.tax_office
        tax = (self._revenue * rng.uniform(0.6, 1.2, count)).astype(np.int64)
        at = today.date.moments(rng, OFFICE, count)
        today.pay(self._accounts, office.account, tax, at, Purpose.tax, pattern=office.pattern)

    def _pay_out(self, today: Today, rng: np.random.Generator) -> None:
        """Suppliers and owners outside the feeds get what exceeds some months of revenue."""
        kept = (self._revenue * _WORKING_DAYS * _RESERVE_MONTHS).astype(np.int64)
        excess = np.maximum(today.ledger.spendable[self._accounts] - kept, 0)
        excess[rng.random(len(excess)) > 0.2] = 0
        at = today.date.moments(rng, OFFICE, len(excess))
        today.pay(self._accounts, OUTSIDE, excess, at, Purpose.purchase)
