"""期限错配: investors of a listing get principal back before its borrower pays, out of later
investors' money.

For one listing, custody has paid investors more principal than its borrower and guarantors have paid in by
then, beyond share m of all that was paid to them, while investors have paid the platform at least as much
for something else within the window: that is what the principal can only have come from.

So it is where one of the platform's people stands between: he pays many clients for their claims on a
listing out of his own sub-account, with what many others paid him for claims on the same one, and the
borrower has paid in less.

Else a claim sold to a named buyer goes from client to client; where it passes through custody, a payment in
for the listing and one out of the same amount within a day answer for each other. What is paid back of a
listing that was never disbursed is its investors' own money. Where the feed states no purpose, all that
custody pays a client's sub-account is principal; where it names no listing, this rule sees nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import numpy as np

from compiled import Int64s
from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY, HOUR
from schemas.record import Bilingual
from schemas.transaction import Purpose
from services.detector.books.listings import Listings
from services.detector.books.loan_flows import ASSET, PAYOUTS, UNSTATED, Flow
from services.detector.explanations.maturity_mismatch import Mismatch, explanation
from services.detector.graph import Edges
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import CLIENT, CUSTODY, TIED
from services.detector.severity import by_amount
from services.detector.sieve import Fact, sieve
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
    lacking,
    least,
    parameter,
    shown,
    together,
)
from services.detector.wording import percent

_WHOLE: Final = 10_000
_MAX_LISTINGS: Final = 20_000
"""Listings with claims resold, or told of; past it the one least lately so is forgotten."""
_MAX_BIDS: Final = 500
_PRINCIPAL: Final = (Purpose.repay, Purpose.redemption, Purpose.compensation, *UNSTATED)
_INVESTED: Final = (Purpose.invest, *UNSTATED)
_DESKS: Final = sieve(payer=TIED, payee=CLIENT, purposes=UNSTATED, facts=Fact.names_product)
_GROWTH_BP: Final = 11_000
"""Told of again once it has grown by as much as makes a new version: services.detector.episodes."""


@dataclass(frozen=True, slots=True)
class Parameters:
    share_bp: int = parameter(1_000, "assumption: m, beyond what rounding and a day's delay explain")
    window_days: int = parameter(30, "assumption: how far back later investors' money may have come")
    match_hours: int = parameter(24, "assumption: a claim is sold and paid for within a day")
    min_desk_clients: int = parameter(5, "assumption: fewer deals each way are an investor's own")
    max_edges: int = parameter(2_000, "bound on the transfers of custody that are looked at")
    max_later: int = parameter(200, "bound on the later investments shown")


class MaturityMismatch(Typology):
    id = "maturity_mismatch"
    name = Bilingual(zh="期限错配", en="Maturity mismatch")
    law = (Citation(document="RP", article="二.1.1"),)
    parameters = Parameters
    needs = ("registry.account", "registry.product", "feed.purpose")
    look_alikes = (
        Bilingual(zh="债权按原价一对一转让给特定受让人", en="a claim sold to a named buyer one to one"),
        Bilingual(zh="未成立标的退还本金", en="money back from a listing that was never disbursed"),
        Bilingual(zh="担保人代偿后兑付", en="payouts after a guarantor's compensation"),
    )
    shares = Shared.loans

    def __init__(self) -> None:
        self._bids: OrderedDict[int, list[tuple[int, int]]] = OrderedDict()
        """By product: (time, amount) of investments after its disbursement, the last of them."""
        self._resold: dict[int, int] = {}
        """By product, those of _bids: what was paid out against such an investment."""
        self._told: OrderedDict[int, int] = OrderedDict()

    def candidates(self, step: Step) -> Candidates:
        """Payouts beyond what came in for their listing, and investments after its disbursement."""
        book, batch = step.book, step.book.batch
        desks = self._desks(step)
        if not batch.rows.size and not desks.size:
            return NOBODY
        bids = batch.listed & batch.of(Flow.invested)
        bids[bids] = book.most(batch.product[bids], Flow.disbursed) > 0
        ahead = batch.listed & batch.of(Flow.paid)
        if ahead.any():
            ahead &= book.ahead > 0
        told = bids | ahead
        listed = Candidates(batch.rows[told], batch.account[told])
        return together(listed, Candidates(desks, step.applied.src[desks]))

    def _desks(self, step: Step) -> Int64s:
        """What the platform's people pay many clients for a listing out of their own sub-accounts."""
        desks = step.passing(_DESKS)
        many = step.applied.payees[desks] >= least(Parameters, self.id, "min_desk_clients", step)
        found: Int64s = desks[many & ((step.src_marks[desks] & CLIENT) != 0)]
        return found

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        book, product = context.book, transfer.product
        parameters = in_force(Parameters, self.id, context.rules)
        if context.marks[transfer.src] & CLIENT:
            desk = _desk(context, transfer, parameters) if transfer.account == transfer.src else None
            if desk is not None:
                return desk.finding(context)
        if book.total(product, Flow.disbursed) <= 0 and book.total(product, Flow.invested) > 0:
            return None
        if transfer.account == transfer.dst:
            self._note_bid(transfer)
            return None
        self._match(transfer, parameters)
        ahead = book.total(product, Flow.paid) - book.total(product, *ASSET) - self._resold.get(product, 0)
        paid = book.total(product, *PAYOUTS)
        is_new = ahead * _WHOLE >= _GROWTH_BP * self._told.get(product, 0)
        if not is_new or ahead * _WHOLE <= parameters.share_bp * paid:
            return None
        case = _case(context, transfer, ahead, paid, parameters)
        if case is None or case.minor * _WHOLE <= parameters.share_bp * paid:
            return None
        self._told[product] = ahead
        if len(self._told) > _MAX_LISTINGS:
            self._told.popitem(last=False)
        return case.finding(context)

    def _note_bid(self, transfer: Transfer) -> None:
        bids = self._bids.setdefault(transfer.product, [])
        bids.append((transfer.ts_us, transfer.amount_minor))
        del bids[:-_MAX_BIDS]
        self._bids.move_to_end(transfer.product)
        if len(self._bids) > _MAX_LISTINGS:
            forgotten, _ = self._bids.popitem(last=False)
            self._resold.pop(forgotten, None)

    def _match(self, transfer: Transfer, parameters: Parameters) -> None:
        """A buyer who paid in for the listing what now goes out: the claim changed hands."""
        since_us = transfer.ts_us - parameters.match_hours * HOUR
        bids = self._bids.get(transfer.product, [])
        for place, (ts_us, minor) in enumerate(bids):
            if minor == transfer.amount_minor and ts_us >= since_us:
                del bids[place]
                self._resold[transfer.product] = self._resold.get(transfer.product, 0) + minor
                return


@dataclass(frozen=True, slots=True)
class _Case:
    """`ahead_minor`: principal paid beyond what came in; `minor`: how much of that can only have been
    later investors' money, as the transfers `paid` and `later` show."""

    platform: str
    transfer: Transfer
    parameters: Parameters
    ahead_minor: int
    paid_minor: int
    minor: int
    paid: list[Leg]
    later: list[Leg]
    missing: tuple[str, ...]
    limits: tuple[Limit, ...]

    def finding(self, context: Context) -> Finding:
        currency = context.graph.currency(self.transfer.currency)
        legs = [*self.paid, *self.later]
        product_id = context.graph.product(self.transfer.product)
        mismatch = Mismatch(
            platform=self.platform,
            listing=product_id,
            first_us=min(leg.ts_us for leg in legs),
            last_us=self.transfer.ts_us,
            paid_minor=self.paid_minor,
            came_minor=context.book.total(self.transfer.product, *ASSET),
            minor=self.minor,
            currency=currency,
        )
        return Finding(
            subject=Subject(kind=SubjectKind.product, id=product_id),
            institution_id=self.platform,
            accounts=(self.transfer.src,),
            attributed={leg.seq: leg.amount_minor for leg in legs},
            amount_minor=self.minor,
            currency=currency,
            confidence=(*self._confidence(), *lacking(self.missing)),
            severity=(
                factor("rule", 40, "不得期限错配", "terms must not be mismatched"),
                by_amount(self.minor, currency),
            ),
            law=MaturityMismatch.law,
            parameters=shown(self.parameters),
            explanation=explanation(mismatch),
            missing=self.missing,
            limits=(*self.limits, *context.book.limits, *context.limits),
        )

    def _confidence(self) -> tuple[Factor, ...]:
        share = percent(self.ahead_minor, self.paid_minor)
        zh, en = f"兑付的 {share} 早于资产回款", f"{share} of the payouts came before the asset paid"
        factors = [factor("ahead", 65, zh, en)]
        if self.ahead_minor * 2 >= self.paid_minor:
            factors.append(factor("most", 15, "大部分如此", "most of them"))
        return tuple(factors)


def _case(
    context: Context, transfer: Transfer, ahead: int, paid: int, parameters: Parameters
) -> _Case | None:
    listings = Listings(context, Entities(context))
    platform = listings.platform(transfer.product, transfer.src)
    if platform is None:
        return None
    since_us = context.now_us - parameters.window_days * DAY
    window = (transfer.src, since_us, context.now_us, context.as_of, parameters.max_edges)
    out, into = context.graph.edges_out(*window), context.graph.edges_in(*window)
    payouts = legs_of(out, (out.product == transfer.product) & np.isin(out.purpose, _PRINCIPAL))
    later = _later(into, transfer, context, min(ahead, sum(leg.amount_minor for leg in payouts)), parameters)
    truncated = out.truncated or into.truncated
    missing = {
        "registry.product": listings.record(transfer.product) is None,
        "feed.purpose": transfer.purpose in UNSTATED,
    }
    return _Case(
        platform=platform,
        transfer=transfer,
        parameters=parameters,
        ahead_minor=ahead,
        paid_minor=paid,
        minor=min(ahead, sum(leg.amount_minor for leg in payouts), sum(leg.amount_minor for leg in later)),
        paid=payouts,
        later=later,
        missing=tuple(name for name, is_missing in missing.items() if is_missing),
        limits=(Limit(name="edges", bound=parameters.max_edges),) if truncated else (),
    )


def _desk(context: Context, transfer: Transfer, parameters: Parameters) -> _Case | None:
    """A related party takes the claims of those who leave with what newcomers pay for them, before the
    borrower has paid: None where it is not, or with few."""
    entities, product = Entities(context), transfer.product
    platform = Listings(context, entities).platform(product, transfer.src)
    if platform is None or not entities.is_related(platform, transfer.src):
        return None
    since_us = context.now_us - parameters.window_days * DAY
    window = (transfer.src, since_us, context.now_us, context.as_of, parameters.max_edges)
    out, into = context.graph.edges_out(*window), context.graph.edges_in(*window)
    bought = legs_of(out, (out.product == product) & ((context.marks[out.dst] & CLIENT) != 0))
    sold = legs_of(into, (into.product == product) & ((context.marks[into.src] & CLIENT) != 0))
    few = min(len({leg.dst for leg in bought}), len({leg.src for leg in sold})) < parameters.min_desk_clients
    paid = sum(leg.amount_minor for leg in bought)
    minor = min(paid, sum(leg.amount_minor for leg in sold))
    if few or minor <= context.book.total(product, *ASSET):
        return None
    cut = out.truncated or into.truncated
    return _Case(
        platform=platform,
        transfer=transfer,
        parameters=parameters,
        ahead_minor=minor,
        paid_minor=paid,
        minor=minor,
        paid=bought,
        later=sold,
        missing=("feed.purpose",) if transfer.purpose is Purpose.unknown else (),
        limits=(Limit(name="edges", bound=parameters.max_edges),) if cut else (),
    )


def _later(
    into: Edges, transfer: Transfer, context: Context, enough: int, parameters: Parameters
) -> list[Leg]:
    """The last investments, as many as bring `enough`: in other listings, or in this one after it was
    disbursed."""
    loan = context.book.loan(transfer.product)
    is_later = np.isin(into.purpose, _INVESTED) & (into.ts_us <= transfer.ts_us)
    is_later &= (into.currency == transfer.currency) & ((context.marks[into.src] & CUSTODY) == 0)
    if loan is not None:
        is_later &= (into.product != transfer.product) | (into.ts_us > loan.first_us)
    rows = np.flatnonzero(is_later)[-parameters.max_later :]
    brought = np.cumsum(into.amount_minor[rows][::-1])
    count = min(rows.size, int(np.searchsorted(brought, enough)) + 1)
    chosen = np.zeros(len(into), np.bool_)
    chosen[rows[rows.size - count :]] = True
    return legs_of(into, chosen)
