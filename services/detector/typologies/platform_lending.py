"""发放贷款: a lending platform lends its own money to borrowers.

An account of the platform's own money (own, fee, marketing, filed own) pays a registered borrower of the
platform, or pays anybody what the feed calls a disbursement. Purchases, taxes, salaries up to a month's
pay, refunds of at most what the payee had paid the platform, and gifts are none of this; nor is what goes
to a client's sub-account, unless it is called a disbursement. Where the feed does not say why money moved,
small amounts to a borrower are let pass. A licensed lender is no platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.alert import Citation, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, PartyKind
from schemas.transaction import Purpose
from services.detector.entities import OWN_MONEY, Entities
from services.detector.explanations.platform_lending import explanation
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.incidents import Case, Incident, Incidents, Reason
from services.detector.listings import Listings
from services.detector.loan_book import HOUSE
from services.detector.marks import BORROWER
from services.detector.severity import by_amount
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
    parameter,
    shown,
)

_TELLING: Final = (Purpose.unknown, Purpose.transfer, Purpose.refund, Purpose.salary)
"""What a loan may be called, besides a disbursement."""
_SURE: Final = Reason(
    "disbursed",
    80,
    Bilingual(zh="以放款名义付给登记借款人", en="disbursed to a registered borrower"),
)
_UNREGISTERED: Final = Reason(
    "unregistered",
    70,
    Bilingual(zh="以放款名义付给未登记的借款人", en="disbursed to somebody who is no registered borrower"),
)
_PAID: Final = Reason(
    "paid",
    60,
    Bilingual(
        zh="无购销、工资、退款依据而付给登记借款人",
        en="paid to a registered borrower, and no purchase, salary or refund",
    ),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: one episode's loans; how far back a refund looks")
    small_minor: int = parameter(100_000, "assumption: CNY 1,000; less is no loan where nothing says so")
    salary_cap_minor: int = parameter(10_000_000, "assumption: CNY 100,000; more is no month's salary")
    max_edges: int = parameter(500, "bound on the payments among which a refund's payer is looked for")


class PlatformLending(Typology):
    id = "platform_lending"
    name = Bilingual(zh="平台发放贷款", en="Lending by the platform itself")
    law = (Citation(document="RP", article="二.1.1"), Citation(document="NLM-2016", article="十"))
    parameters = Parameters
    needs = ("registry.account", "registry.institution", "registry.product", "feed.purpose")
    look_alikes = (
        Bilingual(zh="平台的采购", en="the platform's purchases"),
        Bilingual(zh="工资", en="salaries"),
        Bilingual(zh="退款", en="refunds"),
        Bilingual(zh="持牌放贷机构放款", en="a licensed lender's loans"),
    )

    def __init__(self) -> None:
        self._incidents = Incidents()

    def candidates(self, step: Step) -> Candidates:
        """What leaves the platform's own money for somebody who ever borrowed, or as a disbursement."""
        house = (step.src_marks & HOUSE) != 0
        if not house.any():
            return Candidates(np.empty(0, np.intp), np.empty(0, np.int32))
        applied = step.applied
        lends = ((step.dst_marks & BORROWER) != 0) & np.isin(applied.purpose, _TELLING)
        lends |= applied.purpose == Purpose.disburse
        rows = np.flatnonzero(house & lends & step.inserted)
        return Candidates(rows, applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        if transfer.is_reversal or transfer.dst == OUTSIDE_INDEX:
            return None
        entities = Entities(context)
        listings = Listings(context, entities)
        lenders = [one for one in entities.served(transfer.src, OWN_MONEY) if listings.is_lending(one)]
        if not lenders or entities.is_held_by(lenders[0], transfer.dst):
            return None
        incident = _incident(context, entities, transfer, lenders[0], parameters)
        if incident is None:
            return None
        since_us = context.now_us - parameters.window_days * DAY
        case = self._incidents.add(lenders[0], [incident], since_us)
        return _finding(context, lenders[0], case, parameters)


def _incident(
    context: Context, entities: Entities, transfer: Transfer, lender: str, parameters: Parameters
) -> Incident | None:
    party = entities.party(transfer.dst)
    borrowed = context.registry.borrowed_by(party, context.now_us) if party else ()
    registered = any(one.institution_id == lender for one in borrowed)
    leg = transfer.leg
    if transfer.purpose is Purpose.disburse:
        if registered:
            return Incident(leg, leg.amount_minor, _SURE)
        missing = ("registry.product",) if party else ("registry.account",)
        return Incident(leg, leg.amount_minor, _UNREGISTERED, missing)
    if not registered or AccountRole.client in entities.roles(transfer.dst):
        return None
    if transfer.purpose is Purpose.salary and _is_salary(context, transfer, party, parameters):
        return None
    if transfer.purpose is Purpose.refund and _is_refund(context, transfer, lender, entities, parameters):
        return None
    unstated = transfer.purpose is Purpose.unknown
    if (unstated or transfer.purpose is Purpose.transfer) and leg.amount_minor < parameters.small_minor:
        return None
    return Incident(leg, leg.amount_minor, _PAID, ("feed.purpose",) if unstated else ())


def _is_salary(context: Context, transfer: Transfer, party: str | None, parameters: Parameters) -> bool:
    record = context.registry.party(party, context.now_us) if party else None
    is_company = record is not None and record.party_kind is PartyKind.company
    return not is_company and transfer.amount_minor <= parameters.salary_cap_minor


def _is_refund(
    context: Context, transfer: Transfer, lender: str, entities: Entities, parameters: Parameters
) -> bool:
    """Of no more than the payee paid the platform's own accounts in the window, earlier refunds off."""
    since_us = context.now_us - parameters.window_days * DAY
    window = (since_us, context.now_us, context.as_of, parameters.max_edges)
    graph = context.graph
    paid, back = graph.edges_out(transfer.dst, *window), graph.edges_in(transfer.dst, *window)
    ends = np.unique(np.concatenate((paid.dst, back.src))).tolist()
    own = [one for one in ends if one and lender in entities.served(one, OWN_MONEY)]
    came = np.isin(paid.dst, own) & (paid.currency == transfer.currency)
    went = np.isin(back.src, own) & (back.currency == transfer.currency) & (back.purpose == Purpose.refund)
    return int(back.amount_minor[went].sum()) <= int(paid.amount_minor[came].sum())


def _finding(context: Context, lender: str, case: Case, parameters: Parameters) -> Finding:
    last = case.incidents[-1].leg
    currency = context.graph.currency(last.currency)
    return Finding(
        subject=Subject(kind=SubjectKind.institution, id=lender),
        institution_id=lender,
        accounts=tuple(sorted({one.leg.src for one in case.incidents})),
        attributed=case.attributed,
        amount_minor=case.minor,
        currency=currency,
        confidence=case.confidence(),
        severity=(
            factor("rule", 45, "网贷平台不得发放贷款", "a lending platform must not lend itself"),
            by_amount(case.minor, currency),
        ),
        law=PlatformLending.law,
        parameters=shown(parameters),
        explanation=explanation(lender, context.token(last.src), context.token(last.dst), case, currency),
        missing=case.missing,
        limits=(*case.limits, *context.graph.limits),
    )
