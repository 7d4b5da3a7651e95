"""自保、刚性兑付: the platform or its people pay investors for a borrower who has not paid.

From the platform's own, fee or marketing account, or a related party's, money goes to investors of a
listing beyond what its borrower (and an unrelated guarantor) has paid in, or into custody for a listing
whose borrower still owes principal; or gifts that name a listing come to more than a small share of it; or
the borrower pays, and was given about that much by the platform or a related party shortly before, directly
or over one other.

Compensation by an unrelated guarantor is none of this, and being the platform's guarantor does not by
itself make one related; nor is what a filed risk reserve pays below its cap out of its guarantee account;
nor a related borrower who repays its own loan, nor a borrower's salary. Where the feed names no listing, what
the borrower paid cannot be known, and a stated instalment or compensation out of such an account is a
suspicion of lower confidence.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.alert import Citation, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, FilingKind, RelationKind
from schemas.transaction import Purpose
from services.detector.books.allowances import Allowances
from services.detector.books.incidents import Case, Incident, Incidents, Reason
from services.detector.books.listings import Listings
from services.detector.books.loan_flows import HOUSE, UNSTATED, Flow
from services.detector.explanations.self_guarantee import explanation
from services.detector.flows.fed_payments import could_be_fed, fed_by
from services.detector.legs import Leg
from services.detector.parties.entities import OWN_MONEY, Entities
from services.detector.parties.marks import CUSTODY, KEEPER, TIED
from services.detector.severity import by_amount
from services.detector.typology import (
    NOBODY,
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
)

_MAX_LISTINGS: Final = 100_000
"""Listings that were compensated; past it the one least lately so is forgotten."""
_OWN: Final = Reason(
    "own", 80, Bilingual(zh="平台自有账户垫付", en="paid out of the platform's own accounts")
)
_GIFTS: Final = Reason(
    "gifts", 65, Bilingual(zh="以补贴名义垫付", en="paid under the name of gifts, too much for any")
)
_WHOLE: Final = 10_000
_FED: Final = Reason(
    "fed",
    60,
    Bilingual(
        zh="借款人还款资金由平台或关联方垫付", en="the borrower paid with what the platform's side gave"
    ),
)
_RELATED: Final = Reason("related", 70, Bilingual(zh="关联方账户垫付", en="paid by a related party"))


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: one episode's payments")
    fed_days: int = parameter(7, "assumption: money given for an instalment is not kept for long")
    fed_least_bp: int = parameter(8_000, "assumption: most of the instalment")
    fed_most_bp: int = parameter(
        20_000, "assumption: more than twice the instalment is given for something else"
    )
    min_fed_minor: int = parameter(500_000, "assumption: CNY 5,000; less may be a friend's help")
    max_fed_edges: int = parameter(200, "bound on the payments to the borrower that are looked at")
    gift_share_bp: int = parameter(500, "assumption: gifts for a listing are below a twentieth of it")


class SelfGuarantee(Typology):
    id = "self_guarantee"
    name = Bilingual(zh="自保、刚性兑付", en="Self-guarantee")
    law = (
        Citation(document="RP", article="二.1.1"),
        Citation(document="GO", article="八"),
        Citation(document="NLM-2016", article="十"),
    )
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.relation",
        "registry.product",
        "feed.purpose",
        "feed.product",
    )
    look_alikes = (
        Bilingual(zh="无关联的持牌担保机构代偿", en="compensation by a licensed, unrelated guarantor"),
        Bilingual(zh="备案风险准备金限额内代偿", en="a filed risk reserve below its cap"),
        Bilingual(zh="借款人已还款、经平台账户转付", en="a borrower's own instalment passed on"),
        Bilingual(zh="为标的发放的加息券", en="coupons for a listing"),
    )
    shares = Shared.loans

    def __init__(self) -> None:
        self._incidents = Incidents()
        self._reserves = Allowances()
        self._given: OrderedDict[int, int] = OrderedDict()
        """By product: what related parties have put into custody."""

    def candidates(self, step: Step) -> Candidates:
        """What is paid for a loan by whoever was ever tied to an institution; and large instalments."""
        batch = step.book.batch
        if not batch.rows.size:
            return NOBODY
        marks = step.src_marks[batch.rows]
        tied = ((marks & (HOUSE | TIED)) != 0) & ((marks & CUSTODY) == 0) & (batch.minor > 0)
        named = batch.of(Flow.subsidy) & (batch.product > 0)
        tied &= named | batch.of(Flow.compensated, Flow.paid, Flow.interest)
        large = batch.minor >= least(Parameters, self.id, "min_fed_minor", step)
        instalments = batch.of(Flow.repaid) & (batch.product > 0) & large
        rows = batch.rows[tied | instalments]
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        may_guarantee = context.marks[transfer.src] & (HOUSE | TIED)
        if not may_guarantee and not could_be_fed(context, transfer.leg, parameters):
            return None
        entities = Entities(context)
        listings = Listings(context, entities)
        platform = _platform(context, entities, listings, transfer)
        if platform is None:
            return None
        reason = _reason(context, entities, platform, transfer.src)
        party = entities.party(transfer.src)
        if reason is None:
            return self._fed(context, entities, platform, transfer, parameters)
        if party == listings.borrower(transfer.product, 0):
            return None
        minor = self._guaranteed(context, listings, transfer, parameters)
        for filing in context.registry.filings(platform, FilingKind.risk_reserve, context.now_us):
            is_reserve = AccountRole.guarantee in entities.roles(transfer.src)
            if is_reserve and filing.party_id in (None, party) and minor > 0:
                minor = self._reserves.excess(filing, platform, minor, transfer.ts_us)
        if minor <= 0:
            return None
        if transfer.purpose is Purpose.subsidy:
            reason = _GIFTS
        incident = Incident(transfer.leg, minor, reason, _missing(listings, transfer))
        subject = transfer.product or platform
        case = self._incidents.add(subject, [incident], context.now_us - parameters.window_days * DAY)
        return _finding(context, platform, case, parameters)

    def _fed(
        self, context: Context, entities: Entities, platform: str, transfer: Transfer, parameters: Parameters
    ) -> Finding | None:
        """An instalment for which its payer, nobody of the platform's, was given the money."""
        if transfer.amount_minor < parameters.min_fed_minor or transfer.is_reversal:
            return None

        def is_giver(account: int) -> bool:
            marks = int(context.marks[account])
            may = bool(marks & (HOUSE | TIED)) and not marks & KEEPER
            return may and _reason(context, entities, platform, account) is not None

        way = fed_by(context, transfer.leg, parameters, is_giver)
        if not way:
            return None
        incident = Incident(transfer.leg, transfer.amount_minor, _FED)
        since_us = context.now_us - parameters.window_days * DAY
        case = self._incidents.add(transfer.product, [incident], since_us)
        return _finding(context, platform, case, parameters, way)

    def _guaranteed(
        self, context: Context, listings: Listings, transfer: Transfer, parameters: Parameters
    ) -> int:
        """How much of the payment stands in for the borrower."""
        book, product = context.book, transfer.product
        if product == 0:
            return 0 if transfer.purpose in UNSTATED else transfer.amount_minor
        principal = _principal(context, listings, product)
        if transfer.purpose is Purpose.subsidy:
            gifts = book.total(product, Flow.subsidy) * _WHOLE
            return transfer.amount_minor if gifts > parameters.gift_share_bp * principal > 0 else 0
        came = book.total(product, Flow.repaid, Flow.borrower_interest)
        if context.marks[transfer.dst] & CUSTODY:
            self._note_given(product, transfer.amount_minor)
            return transfer.amount_minor if came < principal or principal == 0 else 0
        others = book.total(product, Flow.compensated) - self._given.get(product, 0)
        behind = book.total(product, Flow.paid, Flow.interest) - came - others
        return min(transfer.amount_minor, behind)

    def _note_given(self, product: int, minor: int) -> None:
        self._given[product] = self._given.pop(product, 0) + minor
        if len(self._given) > _MAX_LISTINGS:
            self._given.popitem(last=False)


def _platform(context: Context, entities: Entities, listings: Listings, transfer: Transfer) -> str | None:
    """Whose listing is paid for: the product's, else whose custody or clients are paid."""
    kept = transfer.dst if context.marks[transfer.dst] & CUSTODY else transfer.src
    platform = listings.platform(transfer.product, kept)
    if platform is None and kept == transfer.src:
        clients = entities.client_of(transfer.dst)
        lending = (one for one in entities.ties(transfer.src) if one in clients and listings.is_lending(one))
        platform = next(lending, None)
    return platform


def _reason(context: Context, entities: Entities, platform: str, account: int) -> Reason | None:
    """None: the account's holder is neither the platform nor a related party of it."""
    if platform in entities.served(account, OWN_MONEY) or entities.is_held_by(platform, account):
        return _OWN
    party = entities.party(account)
    tie = context.registry.related(platform, party, context.now_us) if party else None
    if tie is None or [one.relation for one in tie.path] == [RelationKind.guarantor]:
        return None
    return _RELATED


def _principal(context: Context, listings: Listings, product: int) -> int:
    """What the borrower got; of a loan from before the log began, what is registered. 0: unknown."""
    loan, record = context.book.loan(product), listings.record(product)
    return loan.disbursed_minor if loan else record.principal_minor if record else 0


def _missing(listings: Listings, transfer: Transfer) -> tuple[str, ...]:
    missing = {
        "registry.product": transfer.product > 0 and listings.record(transfer.product) is None,
        "feed.purpose": transfer.purpose in UNSTATED,
        "feed.product": transfer.product == 0,
    }
    return tuple(name for name, is_missing in missing.items() if is_missing)


def _finding(
    context: Context, platform: str, case: Case, parameters: Parameters, way: Sequence[Leg] = ()
) -> Finding:
    """`way`: on which the borrower was given what he paid last."""
    last = case.incidents[-1].leg
    payer = way[0].src if way else last.src
    currency = context.graph.currency(last.currency)
    products = {one.leg.product for one in case.incidents if one.leg.product}
    latest = context.graph.product(last.product)
    by_listing = Subject(kind=SubjectKind.product, id=latest)
    return Finding(
        subject=by_listing if latest else Subject(kind=SubjectKind.institution, id=platform),
        institution_id=platform,
        accounts=tuple(sorted({leg.src for leg in (*way, *(one.leg for one in case.incidents))})),
        attributed=case.attributed | {leg.seq: leg.amount_minor for leg in way},
        amount_minor=case.minor,
        currency=currency,
        confidence=case.confidence(),
        severity=(
            factor("rule", 45, "网贷平台不得自保或承诺保本", "a platform must not guarantee what it lists"),
            by_amount(case.minor, currency),
        ),
        law=SelfGuarantee.law,
        parameters=shown(parameters),
        explanation=explanation(platform, len(products), latest, context.token(payer), case, currency, way),
        missing=case.missing,
        limits=(*case.limits, *context.book.limits, *context.limits),
    )
