"""发放贷款: a lending platform lends its own money to borrowers.

An account of the platform's own money (own, fee, marketing, filed own) pays a registered borrower of the
platform, or pays anybody what the feed calls a disbursement, or pays somebody who within W pays it back
with a little more; or it funds a person who belongs to it, and he pays most of that on to several others.
Purchases, taxes, salaries up to a month's pay, money back of what the payee had paid
the platform, and gifts are none of this; nor is what goes to a client's sub-account, unless it is called a
disbursement. Where the feed does not say why money moved, small amounts to a borrower are let pass. A
licensed lender is no platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.alert import Citation
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, InstitutionKind, PartyKind
from schemas.transaction import Purpose
from services.detector.books.incidents import Case, Incident, Incidents, Reason
from services.detector.books.listings import Listings
from services.detector.books.loan_flows import HOUSE
from services.detector.explanations.platform_lending import explanation
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import OWN_MONEY, Entities, holder_of
from services.detector.parties.lookups import Serves
from services.detector.parties.marks import BORROWER, CLIENT, CUSTODY, RESERVE, TIED
from services.detector.purposes import among
from services.detector.severity import by_amount
from services.detector.sieve import Fact, either, sieve
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Shared,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    least,
    parameter,
    shown,
    together,
)

_TELLING: Final = (Purpose.unknown, Purpose.transfer, Purpose.refund, Purpose.salary)
"""What a loan may be called, besides a disbursement."""
_BACK: Final = (Purpose.unknown, Purpose.transfer, Purpose.repay)
_ON: Final = (Purpose.unknown, Purpose.transfer, Purpose.disburse)
_LENT_ON: Final = among(_ON)
_EXPENSES: Final = among({Purpose.purchase, Purpose.tax, Purpose.subsidy})
_OWED: Final = among({Purpose.salary, Purpose.refund})
_NOT_BORROWERS: Final = HOUSE | CUSTODY | CLIENT | RESERVE | TIED
_NOT_HANDS: Final = HOUSE | CUSTODY | CLIENT | RESERVE
_LENDS: Final = either(
    sieve(payer=HOUSE, purposes=(Purpose.disburse,)), sieve(payer=HOUSE, payee=BORROWER, purposes=_TELLING)
)
_REPAYS: Final = sieve(payee=HOUSE, not_payer=_NOT_BORROWERS, purposes=_BACK, facts=Fact.known_payer)
_BY_HANDS: Final = sieve(payer=TIED, not_payer=_NOT_HANDS, purposes=_ON)
_WHOLE: Final = 10_000
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
_REPAID: Final = Reason(
    "repaid",
    60,
    Bilingual(zh="付出后连本带利收回", en="paid out, and paid back with interest"),
)
_BY_HAND: Final = Reason(
    "by_hand",
    55,
    Bilingual(
        zh="经内部人员账户转贷，资金来自平台",
        en="lent by the hand of one of its people, whom it funded",
    ),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: W, one episode's loans; how far back money back looks")
    interest_bp: int = parameter(1_000, "assumption: no loan of a month brings more than a tenth")
    small_minor: int = parameter(100_000, "assumption: CNY 1,000; less is no loan where nothing says so")
    salary_cap_minor: int = parameter(10_000_000, "assumption: CNY 100,000; more is no month's salary")
    min_lent_by_hand: int = parameter(5, "assumption: more people than anybody lends to privately")
    lent_share_bp: int = parameter(5_000, "assumption: most of what an insider was given")
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
        Bilingual(zh="退回的押金", en="a deposit given back"),
        Bilingual(zh="持牌放贷机构放款", en="a licensed lender's loans"),
    )
    shares = Shared.loans

    def __init__(self) -> None:
        self._incidents = Incidents()
        self._lenders = Serves(InstitutionKind.p2p)

    def candidates(self, step: Step) -> Candidates:
        """What leaves a lending platform's own money for somebody who ever borrowed, or as a disbursement;
        what may be paid back to it; and what people tied to an institution pay to several others."""
        applied, by_hand = step.applied, step.passing(_BY_HANDS)
        many = applied.payees[by_hand] >= least(Parameters, self.id, "min_lent_by_hand", step)
        lent, repaid = step.passing(_LENDS), step.passing(_REPAYS)
        lent = lent[self._lenders.of(step, applied.src[lent]) > 0]
        repaid = repaid[self._lenders.of(step, applied.dst[repaid]) > 0]
        by_hand = by_hand[many]
        gone = together(Candidates(lent, applied.src[lent]), Candidates(by_hand, applied.src[by_hand]))
        return together(gone, Candidates(repaid, applied.dst[repaid]))

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        if transfer.is_reversal or transfer.dst == OUTSIDE_INDEX:
            return None
        entities = Entities(context)
        listings = Listings(context, entities)
        if transfer.account == transfer.src and not context.marks[transfer.src] & HOUSE:
            return _lent_by_hand(context, entities, listings, transfer, parameters)
        served = entities.served(transfer.account, OWN_MONEY)
        lenders = [one for one in served if listings.is_lending(one)]
        other = transfer.dst if transfer.account == transfer.src else transfer.src
        if not lenders or entities.is_held_by(lenders[0], other):
            return None
        if transfer.account == transfer.src:
            incident = _incident(context, entities, transfer, lenders[0], parameters)
        else:
            incident = _repaid(context, entities, transfer, lenders[0], parameters)
        if incident is None:
            return None
        since_us = context.now_us - parameters.window_days * DAY
        borrower = entities.entity(incident.leg.dst)
        case = self._incidents.add(f"{lenders[0]} {borrower}", [incident], since_us)
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
    if _is_money_back(context, transfer, lender, entities, parameters):
        return None
    unstated = transfer.purpose is Purpose.unknown
    if (unstated or transfer.purpose is Purpose.transfer) and leg.amount_minor < parameters.small_minor:
        return None
    return Incident(leg, leg.amount_minor, _PAID, ("feed.purpose",) if unstated else ())


def _is_salary(context: Context, transfer: Transfer, party: str | None, parameters: Parameters) -> bool:
    record = context.registry.party(party, context.now_us) if party else None
    is_company = record is not None and record.party_kind is PartyKind.company
    return not is_company and transfer.amount_minor <= parameters.salary_cap_minor


def _is_money_back(
    context: Context, transfer: Transfer, lender: str, entities: Entities, parameters: Parameters
) -> bool:
    """No more than the payee paid the platform's own accounts in the window, less what it got back."""
    paid, back = _dealings(context, entities, transfer, transfer.dst, lender, parameters)
    return sum(leg.amount_minor for leg in back) <= sum(leg.amount_minor for leg in paid)


def _repaid(
    context: Context, entities: Entities, transfer: Transfer, lender: str, parameters: Parameters
) -> Incident | None:
    """The loan that `transfer` pays back with interest; None: it pays back no such thing."""
    _, lent = _dealings(context, entities, transfer, transfer.src, lender, parameters)
    for leg in reversed(lent):
        interest = transfer.amount_minor - leg.amount_minor
        most = leg.amount_minor * parameters.interest_bp // _WHOLE
        is_loan = leg.amount_minor >= parameters.small_minor and 0 < interest <= most
        if is_loan and leg.purpose in (Purpose.unknown, Purpose.transfer):
            missing = ("feed.purpose",) if leg.purpose is Purpose.unknown else ()
            return Incident(leg, leg.amount_minor, _REPAID, ("registry.product", *missing))
    return None


def _lent_by_hand(
    context: Context, entities: Entities, listings: Listings, transfer: Transfer, parameters: Parameters
) -> Finding | None:
    """A person's account whom the platform funded, salaries left out, and who pays it on to others."""
    party = entities.party(transfer.src)
    record = context.registry.party(party, context.now_us) if party else None
    lender = next((one for one in entities.ties(transfer.src) if listings.is_lending(one)), None)
    if lender is None or record is None or record.party_kind is not PartyKind.person:
        return None
    since_us = context.now_us - parameters.window_days * DAY
    window = (transfer.src, since_us, context.now_us, context.as_of, parameters.max_edges)
    out, into = context.graph.edges_out(*window), context.graph.edges_in(*window)
    given = (into.currency == transfer.currency) & ~_OWED[into.purpose]
    given &= (context.marks[into.src] & HOUSE) != 0
    funding = [leg for leg in legs_of(into, given) if lender in entities.served(leg.src, OWN_MONEY)]
    if not funding:
        return None
    lends = (out.ts_us >= funding[0].ts_us) & (out.currency == transfer.currency)
    lends &= _LENT_ON[out.purpose] & (out.dst != OUTSIDE_INDEX)
    lent = [leg for leg in legs_of(out, lends) if not entities.is_related(lender, leg.dst)]
    funded_minor = sum(leg.amount_minor for leg in funding)
    lent_minor = sum(leg.amount_minor for leg in lent)
    borrowers = {entities.entity(leg.dst) for leg in lent}
    if len(borrowers) < parameters.min_lent_by_hand:
        return None
    if lent_minor * _WHOLE < parameters.lent_share_bp * funded_minor:
        return None
    case = Case(tuple(Incident(leg, leg.amount_minor, _BY_HAND) for leg in lent))
    return _finding(context, lender, case, parameters, funding)


def _dealings(
    context: Context,
    entities: Entities,
    transfer: Transfer,
    other: int,
    lender: str,
    parameters: Parameters,
) -> tuple[list[Leg], list[Leg]]:
    """What `other` paid the platform's own accounts in the window, and what it got from them."""
    since_us = context.now_us - parameters.window_days * DAY
    window = (since_us, context.now_us, context.as_of, parameters.max_edges)
    out, into = context.graph.edges_out(other, *window), context.graph.edges_in(other, *window)
    ends = np.unique(np.concatenate((out.dst, into.src))).tolist()
    own = [one for one in ends if one and lender in entities.served(one, OWN_MONEY)]
    paid = np.isin(out.dst, own) & (out.currency == transfer.currency)
    got = np.isin(into.src, own) & (into.currency == transfer.currency)
    got &= ~_EXPENSES[into.purpose]
    return legs_of(out, paid), legs_of(into, got)


def _finding(
    context: Context, lender: str, case: Case, parameters: Parameters, funding: Sequence[Leg] = ()
) -> Finding:
    """`funding`: what the platform gave the person who lends for it, who then is the subject."""
    last = case.incidents[-1].leg
    currency = context.graph.currency(last.currency)
    return Finding(
        subject=holder_of(context, last.src if funding else last.dst),
        institution_id=lender,
        accounts=tuple(sorted({leg.src for leg in (*funding, *(one.leg for one in case.incidents))})),
        attributed=case.attributed | {leg.seq: leg.amount_minor for leg in funding},
        amount_minor=case.minor,
        currency=currency,
        confidence=case.confidence(),
        severity=(
            factor("rule", 45, "网贷平台不得发放贷款", "a lending platform must not lend itself"),
            by_amount(case.minor, currency),
        ),
        law=PlatformLending.law,
        parameters=shown(parameters),
        explanation=explanation(
            lender, context.token(last.src), context.token(last.dst), case, currency, funding
        ),
        missing=case.missing,
        limits=(*case.limits, *context.limits),
    )
