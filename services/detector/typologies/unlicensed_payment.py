"""无证支付、二清: somebody without a payment licence collects from many and settles to many, for a fee.

An account that is not registered to keep others' money, held by a party without a payment licence, takes
money in from at least N payers and pays at least M payees within the window, and what it pays out answers
to what came in less a fee at a steady rate: day by day (settled the same day or up to two days later), by
the order that both payments name as their product, or payment by payment. At least a share of all that it
pays out must answer so.

A company that pays suppliers out of its takings has no such steady rate; a marketplace that settles over a
licensed institution never holds the money; an agent that collects or pays for others has filed it. The
accounts of one party are one payee or payer, salaries and taxes are no settlement, and money given back to
payers is taken off what was collected. Currencies are judged apart, by rates only.

Where the feed leaves the purpose out, salaries and refunds are not told from settlement; with no registry
a licensed institution's own settling looks the same, and the low confidence says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.agents import is_filed_agent
from services.detector.entities import Entities
from services.detector.explanations.unlicensed_payment import Settled, explanation
from services.detector.gate import Gate
from services.detector.legs import Leg, legs_of
from services.detector.marks import KEPT_FOR_OTHERS, bits_of
from services.detector.settling import LAGS, Fee, Rates, by_day, by_payment, by_product, steady_fee
from services.detector.severity import by_amount
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Recheck,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    least,
    parameter,
    shown,
)

_WHOLE: Final = 10_000
_KEEPERS: Final = KEPT_FOR_OTHERS | {AccountRole.product_vehicle}
_KEEPER_MARKS: Final = bits_of(_KEEPERS)
_OTHER_MARKS: Final = bits_of(set(AccountRole) - _KEEPERS)
_NOT_COLLECTED: Final = (Purpose.salary, Purpose.tax, Purpose.repay, Purpose.refund, Purpose.disburse)
_NOT_SETTLED: Final = (Purpose.salary, Purpose.tax, Purpose.repay, Purpose.fee, Purpose.refund)
_FEW: Final = 200
"""Payments out among which a busy account that settles to many shows that it does."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """N, M and the fee."""

    window_days: int = parameter(30, "assumption: a month")
    min_payers: int = parameter(20, "assumption: N, more than a family or a circle of friends")
    min_payees: int = parameter(5, "assumption: M")
    min_days: int = parameter(5, "assumption: days settled at one rate, no chance")
    min_payments: int = parameter(20, "assumption: payments or orders settled at one rate, no chance")
    least_fee_bp: int = parameter(1, "assumption: below it is no fee")
    most_fee_bp: int = parameter(500, "assumption: shops pay a few per mille to a few per cent")
    day_spread_bp: int = parameter(10, "assumption: rounding and a few corrections of a day")
    payment_spread_bp: int = parameter(2, "assumption: rounding of one payment")
    settled_share_bp: int = parameter(8_000, "assumption: of all that is paid out")
    payment_businesses: tuple[str, ...] = parameter(
        ("internet_payment", "mobile_payment", "bank_card_acquiring", "prepaid_card", "payment", "banking"),
        "PBoC Order 2010-2 (s): the licences under which others' payments may be settled; banks",
    )
    max_legs: int = parameter(2_000, "bound on the transfers of one account each way that are looked at")


class UnlicensedPayment(Typology):
    id = "unlicensed_payment"
    name = Bilingual(zh="无证支付（二清）", en="Payment business without a licence")
    law = (Citation(document="RP", article="二.3.3"),)
    parameters = Parameters
    needs = ("registry.account", "registry.licence", "feed.purpose")
    look_alikes = (
        Bilingual(
            zh="通过持牌机构结算的电商平台", en="a marketplace settling through a licensed institution"
        ),
        Bilingual(zh="代发工资机构", en="a payroll agent"),
        Bilingual(zh="向供应商付款的普通企业", en="an ordinary company that pays its suppliers"),
    )

    def __init__(self) -> None:
        self._payers = Gate(1)
        self._pays_many: np.ndarray = np.zeros(1024, np.bool_)

    def candidates(self, step: Step) -> Candidates:
        """Payments to accounts with enough payers that ever had enough payees."""
        applied = step.applied
        most = int(max(applied.src.max(initial=0), applied.dst.max(initial=0)))
        if most >= self._pays_many.size:
            grown = np.zeros(max(most + 1 - self._pays_many.size, self._pays_many.size), np.bool_)
            self._pays_many = np.concatenate((self._pays_many, grown))
        many = (applied.payees >= least(Parameters, self.id, "min_payees", step)) & (applied.src > 0)
        self._pays_many[applied.src[many]] = True
        collects = step.inserted & (applied.payers >= least(Parameters, self.id, "min_payers", step))
        collects &= self._pays_many[applied.dst]
        marks = step.dst_marks
        collects &= ((marks & _KEEPER_MARKS) == 0) | ((marks & _OTHER_MARKS) != 0)
        collects &= self._payers.passing(applied.dst, applied.payers, applied.clock_us)
        rows = np.flatnonzero(collects)
        return Candidates(rows, applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        """Once a day, or when a quarter more payers have come."""
        parameters = in_force(Parameters, self.id, context.rules)
        since_us = context.now_us - parameters.window_days * DAY
        paid = context.graph.edges_out(transfer.account, since_us, context.now_us, context.as_of, _FEW)
        if np.unique(paid.dst).size < parameters.min_payees:
            return None
        if not self._payers.passes(transfer.account, transfer.payers, context.now_us):
            return None
        return self.recheck(context, transfer.account)

    def recheck(self, context: Context, account: int) -> Outcome:
        """And again a day later while the account is in use: settling comes after collecting."""
        entities = Entities(context)
        parameters = in_force(Parameters, self.id, context.rules)
        if entities.roles(account) & _KEEPERS:
            return None
        party = entities.party(account)
        if party is not None and (
            _is_licensed(context, entities, party, parameters) or is_filed_agent(context, party)
        ):
            return None
        case = _Case(context, entities, account, parameters)
        again = Recheck(account, self._payers.pause(account, context.now_us)) if case.in_use else None
        return case.finding(again) or again


def _is_licensed(context: Context, entities: Entities, party: str, parameters: Parameters) -> bool:
    """The party is an institution with a licence to settle others' payments."""
    for institution_id in context.registry.institutions_tied(party):
        institution = context.registry.institution(institution_id, context.now_us)
        if institution is not None and institution.party_id == party:
            licences = entities.licences(institution_id)
            if any(one.business in parameters.payment_businesses for one in licences):
                return True
    return False


class _Case:
    """One account's month, in the currency in which most of its payments came."""

    def __init__(self, context: Context, entities: Entities, account: int, parameters: Parameters) -> None:
        self._context = context
        self._entities = entities
        self._account = account
        self._p = parameters
        since_us = context.now_us - parameters.window_days * DAY
        window = (account, since_us, context.now_us, context.as_of, parameters.max_legs)
        came, left = context.graph.edges_in(*window), context.graph.edges_out(*window)
        self._truncated = came.truncated or left.truncated
        newest_us = max((int(edges.ts_us[-1]) for edges in (came, left) if len(edges)), default=0)
        self.in_use = newest_us > context.now_us - DAY
        """Money moved in the last day."""
        currencies, counts = np.unique(came.currency, return_counts=True)
        self._currency = int(currencies[counts.argmax()]) if currencies.size else 0
        mine = came.currency == self._currency
        self._came = self._of_others(
            legs_of(came, mine & ~np.isin(came.purpose, _NOT_COLLECTED)), incoming=True
        )
        mine = left.currency == self._currency
        self._left = self._of_others(
            legs_of(left, mine & ~np.isin(left.purpose, _NOT_SETTLED)), incoming=False
        )
        self._refunded = legs_of(left, mine & (left.purpose == Purpose.refund))

    def _of_others(self, legs: list[Leg], *, incoming: bool) -> list[Leg]:
        own = self._entities.entity(self._account)
        return [leg for leg in legs if self._entities.entity(leg.src if incoming else leg.dst) != own]

    def finding(self, again: Recheck | None) -> Finding | None:
        payers = len({self._entities.entity(leg.src) for leg in self._came})
        payees = len({self._entities.entity(leg.dst) for leg in self._left})
        if payers < self._p.min_payers or payees < self._p.min_payees:
            return None
        settled = self._settled()
        if settled is None:
            return None
        way, fee = settled
        return self._found(way, fee, payers, payees, again)

    def _settled(self) -> tuple[str, Fee] | None:
        """The first way in which enough of what was paid out answers to what came in."""
        p = self._p
        days = Rates(10 * p.least_fee_bp, 10 * p.most_fee_bp, 10 * p.day_spread_bp)
        single = days._replace(spread=10 * p.payment_spread_bp)
        kept = [*self._came, *(leg._replace(amount_minor=-leg.amount_minor) for leg in self._refunded)]
        ways = [("day", by_day(kept, self._left, lag), days, p.min_days) for lag in LAGS]
        ways.append(("order", by_product(self._came, self._left), days, p.min_payments))
        ways.append(("payment", by_payment(self._came, self._left, single), single, p.min_payments))
        enough = sum(leg.amount_minor for leg in self._left) * p.settled_share_bp
        for way, pairs, rates, min_pairs in ways:
            fee = steady_fee(pairs, rates)
            if fee is not None and fee.pairs >= min_pairs and fee.left_minor * _WHOLE >= enough:
                return way, fee
        return None

    def _found(self, way: str, fee: Fee, payers: int, payees: int, again: Recheck | None) -> Finding:
        context, legs = self._context, [*self._came, *self._left]
        token, currency = context.token(self._account), context.graph.currency(self._currency)
        minor = sum(leg.amount_minor for leg in self._left)
        ties = self._entities.ties(self._account)
        missing = self._missing()
        settled = Settled(
            token,
            way,
            min(leg.ts_us for leg in legs),
            max(leg.ts_us for leg in legs),
            payers,
            payees,
            sum(leg.amount_minor for leg in self._came),
            minor,
            fee.rate_tenths,
            currency,
        )
        cut = (Limit(name="legs", bound=self._p.max_legs),) if self._truncated else ()
        return Finding(
            subject=Subject(kind=SubjectKind.account, id=token),
            institution_id=ties[0] if ties else None,
            accounts=(self._account,),
            attributed={leg.seq: leg.amount_minor for leg in legs},
            amount_minor=minor,
            currency=currency,
            confidence=self._confidence(way, fee, payers, payees, missing),
            severity=(
                factor("rule", 40, "无证经营支付业务", "a payment business needs a licence"),
                by_amount(minor, currency),
            ),
            law=UnlicensedPayment.law,
            parameters=shown(self._p),
            explanation=explanation(settled),
            missing=missing,
            limits=(*cut, *context.graph.limits),
            again=again,
        )

    def _missing(self) -> tuple[str, ...]:
        unstated = sum(leg.purpose is Purpose.unknown for leg in (*self._came, *self._left))
        missing = {
            "registry.account": not self._entities.accounts(self._account),
            "registry.licence": not self._context.registry.institutions(self._context.now_us),
            "feed.purpose": 2 * unstated > len(self._came) + len(self._left),
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(
        self, way: str, fee: Fee, payers: int, payees: int, missing: tuple[str, ...]
    ) -> tuple[Factor, ...]:
        zh, en = f"{payers} 名付款人、{payees} 个收款方", f"{payers} payers, {payees} payees"
        factors = [factor("many", 25, zh, en)]
        zh, en = f"{fee.pairs} 次按同一费率结算", f"settled at one rate {fee.pairs} times"
        factors.append(factor(way, 40, zh, en))
        if payers >= 5 * self._p.min_payers:
            factors.append(factor("crowd", 10, "付款人众多", "very many payers"))
        if missing:
            factors.append(factor("missing", -10 * len(missing), "缺少部分数据", "some data is missing"))
        return tuple(factors)
