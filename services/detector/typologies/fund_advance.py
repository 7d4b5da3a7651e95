"""垫付赎回: a payment institution pays fund redemptions out of clients' reserves before the fund has paid.

For each institution, product and currency: what its reserve accounts have paid to clients as redemptions,
less what the fund's accounts had paid into them for it by then, is more than ε. Money that arrives first
covers what was paid out before. Handing on what has arrived is fine, at whatever pace. What was advanced
is told together, also once the fund has paid, until none was for a month.

Where the feed leaves the purpose out, money into the reserve from a fund's account counts as its arrival,
and a payment to a client under a fund's product as a redemption; where it leaves the product out, all
products of the institution are taken together.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.alert import Citation, EvidenceEdge, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, ProductKind
from schemas.transaction import Purpose
from services.detector.books.redemptions import UNNAMED, Advanced, Redemptions
from services.detector.evidence import keep
from services.detector.explanations.fund_advance import Advance, explanation
from services.detector.parties.entities import Entities
from services.detector.parties.marks import RESERVE, bits_of
from services.detector.severity import by_amount
from services.detector.sieve import Fact, either, sieve
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    lacking,
    parameter,
    shown,
)

_FUND_ROLES: Final = frozenset({AccountRole.fund_sales, AccountRole.product_vehicle})
_FUNDS_ACCOUNT: Final = bits_of(_FUND_ROLES)
_UNSTATED: Final = (Purpose.unknown, Purpose.transfer)
_MAY_REDEEM: Final = either(
    sieve(payee=RESERVE, not_payer=RESERVE, purposes=[Purpose.redemption]),
    sieve(payee=RESERVE, not_payer=RESERVE, payer=_FUNDS_ACCOUNT),
    sieve(payer=RESERVE, not_payee=RESERVE, purposes=[Purpose.redemption]),
    sieve(payer=RESERVE, not_payee=RESERVE, purposes=_UNSTATED, facts=Fact.names_product),
)
_INVESTMENTS: Final = frozenset({ProductKind.fund, ProductKind.private, ProductKind.vehicle})
_NOT_CLIENTS: Final = _FUND_ROLES | {
    AccountRole.reserve,
    AccountRole.partner_reserve,
    AccountRole.clearing_house,
    AccountRole.special_business,
    AccountRole.filed_own,
}


@dataclass(frozen=True, slots=True)
class Parameters:
    tolerance_minor: int = parameter(10_000, "assumption: ε in minor units of any currency: unit rounding")
    quiet_days: int = parameter(30, "assumption: so long without an advance ends a series of them")
    history_days: int = parameter(5, "assumption: a fund pays within T+3 and a weekend")
    max_products: int = parameter(10_000, "bound on the products of one institution that are kept")
    max_open: int = parameter(500, "bound on the uncovered payouts of one product that are kept")


class FundAdvance(Typology):
    id = "fund_advance"
    name = Bilingual(zh="垫付赎回", en="Reserves advanced for fund redemptions")
    law = (Citation(document="GO", article="十"), Citation(document="RP", article="二.3.1"))
    parameters = Parameters
    needs = ("registry.product", "feed.purpose", "feed.product", "feed.history")
    look_alikes = (
        Bilingual(zh="基金款到账后的赎回转付", en="redemption passed through after arrival"),
        Bilingual(zh="客户提取自己的余额", en="clients' withdrawals of their own balances"),
    )

    def __init__(self) -> None:
        self._redemptions: dict[tuple[str, int], Redemptions] = {}
        self._since_us: dict[str, int] = {}
        self._advanced: OrderedDict[tuple[str, str, int], list[EvidenceEdge]] = OrderedDict()
        """By institution, product and currency: what was found, by how much of it was uncovered then."""

    def candidates(self, step: Step) -> Candidates:
        """Transfers in and out of reserve accounts that are redemptions or may be."""
        applied = step.applied
        rows = step.passing(_MAY_REDEEM)
        into = (step.dst_marks[rows] & RESERVE) != 0
        return Candidates(rows, np.where(into, applied.dst[rows], applied.src[rows]))

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        entities = Entities(context)
        institution_id = _institution(entities, transfer.account)
        if institution_id is None or transfer.is_reversal:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        key = institution_id, transfer.currency
        held = self._redemptions.get(key)
        if held is None:
            held = self._redemptions[key] = Redemptions(parameters.max_products, parameters.max_open)
        self._since_us.setdefault(institution_id, context.now_us)
        product = context.graph.product(transfer.product)
        if transfer.account == transfer.dst:
            if _arrives(entities, transfer):
                held.arrive(product or _product_of(entities, transfer.src), transfer.amount_minor)
            return None
        if not _is_redemption(context, entities, transfer, product):
            return None
        held.pay(product, keep(context, transfer.leg, transfer.amount_minor))
        uncovered = held.advanced(product)
        if sum(one.minor for one in uncovered) <= parameters.tolerance_minor:
            return None
        advanced = self._remember(
            (institution_id, product, transfer.currency), uncovered, context, parameters
        )
        since_us = self._since_us[institution_id]
        is_cut = held.is_cut
        return _Case(
            context, transfer, institution_id, product, advanced, is_cut, since_us, parameters
        ).finding()

    def _remember(
        self,
        key: tuple[str, str, int],
        uncovered: list[Advanced],
        context: Context,
        parameters: Parameters,
    ) -> list[EvidenceEdge]:
        """Those of the series, by time; the oldest go past a bound."""
        known = self._advanced.pop(key, [])
        if known and known[-1].ts < context.now_us - parameters.quiet_days * DAY:
            known = []
        told = {(one.feed_id, one.tx_id) for one in known}
        known += [
            one.edge.model_copy(update={"attributed_minor": one.minor})
            for one in uncovered
            if (one.edge.feed_id, one.edge.tx_id) not in told
        ]
        self._advanced[key] = known[-parameters.max_open :]
        if len(self._advanced) > parameters.max_products:
            self._advanced.popitem(last=False)
        return self._advanced[key]


def _institution(entities: Entities, account: int) -> str | None:
    reserves = (one for one in entities.accounts(account) if one.role is AccountRole.reserve)
    return next((one.institution_id for one in reserves), None)


def _arrives(entities: Entities, transfer: Transfer) -> bool:
    is_funds = bool(entities.roles(transfer.src) & _FUND_ROLES)
    return transfer.purpose is Purpose.redemption or (is_funds and transfer.purpose is not Purpose.refund)


def _product_of(entities: Entities, account: int) -> str:
    """The product whose money the account keeps."""
    named = (one.product_id for one in entities.accounts(account) if one.product_id)
    return next(named, UNNAMED)


def _is_redemption(context: Context, entities: Entities, transfer: Transfer, product: str) -> bool:
    """It pays a client for a product."""
    if entities.roles(transfer.dst) & _NOT_CLIENTS:
        return False
    if transfer.purpose is Purpose.redemption:
        return True
    record = context.registry.product(product, context.now_us)
    return record is not None and record.product_kind in _INVESTMENTS


@dataclass(frozen=True, slots=True)
class _Case:
    """What was advanced for one product, just after a payout."""

    context: Context
    transfer: Transfer
    institution_id: str
    product: str
    advanced: list[EvidenceEdge]
    is_cut: bool
    since_us: int
    parameters: Parameters

    def finding(self) -> Finding:
        advanced, context = self.advanced, self.context
        minor = sum(one.attributed_minor for one in advanced)
        currency = context.graph.currency(self.transfer.currency)
        first, last = min(one.ts for one in advanced), max(one.ts for one in advanced)
        advance = Advance(self.institution_id, self.product, first, last, len(advanced), minor, currency)
        if self.product:
            subject = Subject(kind=SubjectKind.product, id=self.product)
        else:
            subject = Subject(kind=SubjectKind.institution, id=self.institution_id)
        cut = (Limit(name="payouts", bound=self.parameters.max_open),) if self.is_cut else ()
        return Finding(
            subject=subject,
            institution_id=self.institution_id,
            accounts=(self.transfer.src,),
            attributed={},
            amount_minor=minor,
            currency=currency,
            confidence=self._confidence(len(advanced)),
            severity=(
                factor("rule", 45, "客户备付金不得垫付赎回", "reserves must not advance redemptions"),
                by_amount(minor, currency),
            ),
            law=FundAdvance.law,
            parameters=shown(self.parameters),
            explanation=explanation(advance),
            missing=self._missing(),
            limits=(*cut, *context.limits),
            earlier=tuple(advanced),
            matter=self.institution_id,
        )

    def _missing(self) -> tuple[str, ...]:
        now_us = self.context.now_us
        missing = {
            "registry.product": bool(self.product)
            and self.context.registry.product(self.product, now_us) is None,
            "feed.purpose": self.transfer.purpose is not Purpose.redemption,
            "feed.product": not self.product,
            "feed.history": now_us - self.since_us < self.parameters.history_days * DAY,
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(self, payouts: int) -> tuple[Factor, ...]:
        factors = [
            factor("uncovered", 75, "赎回款付出时基金款尚未到账", "paid before the fund's money had arrived")
        ]
        if payouts > 1:
            points = min(15, 3 * payouts)
            factors.append(factor("repeated", points, f"共 {payouts} 笔", f"{payouts} payouts"))
        missing = self._missing()
        return (*factors, *lacking(missing))
