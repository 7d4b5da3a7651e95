"""拆分销售: claims on a privately raised product are resold in parts to people who may not buy them.

A holder (who had paid into the product) is paid under the product's name by `min_buyers` or more
distinct buyers within `window_days`, none of them a qualified investor. Buyers and holders are counted
by entity. A company that buys with money which several persons had lately sent it, for no stated trade,
stands for those persons. Payments into the product's own account and out of it are no sales, nor are
payments to an account that collects for others.

A buyer whom the registry of parties does not know counts, at a lower confidence; so does a seller that
was never seen to pay in, since the log may have begun after it did. Where the feed names no product, a
payment that says it invests counts when it goes to an account that holds some private product, up to
what that account had paid in; that is of lower confidence too.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from compiled import Bools, Int32s
from schemas.alert import Citation, EvidenceEdge, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, PartyKind, ProductKind
from schemas.transaction import Purpose
from services.detector.evidence import keep
from services.detector.explanations.split_sale import Resale, explanation
from services.detector.flows.nominees import AGENT
from services.detector.growing import with_room
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import bits_of
from services.detector.parties.product_kinds import OfKind
from services.detector.severity import by_amount
from services.detector.sieve import BETWEEN_ACCOUNTS, Fact, sieve
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
from services.detector.wording import masked

_VEHICLE: Final = bits_of({AccountRole.product_vehicle})
_SALES: Final = (int(Purpose.transfer), int(Purpose.invest), int(Purpose.purchase), int(Purpose.unknown))
_GATHERS: Final = (int(Purpose.transfer), int(Purpose.invest), int(Purpose.unknown))
_PAID_IN: Final = sieve(payee=_VEHICLE, not_payer=_VEHICLE, facts=Fact.known_payer)
_NAMED_SALES: Final = sieve(
    not_payer=_VEHICLE | AGENT,
    not_payee=_VEHICLE | AGENT,
    purposes=_SALES,
    facts=BETWEEN_ACCOUNTS | Fact.names_product,
)
_UNNAMED_SALES: Final = sieve(
    not_payer=_VEHICLE | AGENT,
    not_payee=_VEHICLE | AGENT,
    purposes=[Purpose.invest],
    facts=BETWEEN_ACCOUNTS,
    not_facts=Fact.names_product,
)
_WHOLE: Final = 10_000
_MANY: Final = 10
_MAX_SALES: Final = 500
"""Kept of one seller and product; past it the oldest go."""
_MAX_SELLERS: Final = 20_000
_MAX_HOLDERS: Final = 200_000
"""Past these the seller or holder longest without a payment is forgotten."""


@dataclass(frozen=True, slots=True)
class Parameters:
    min_buyers: int = parameter(3, "assumption: one or two may be of the holder's own circle")
    window_days: int = parameter(180, "assumption: a resale in parts takes months")
    gathered_days: int = parameter(30, "assumption: a month before it buys, as far as transfers are known")
    gathered_bp: int = parameter(5_000, "assumption: at least half of what it pays is such persons'")
    max_gathered: int = parameter(100, "bound on the payments to one company that are looked at")


class _Sale(NamedTuple):
    """`buyers` by entity, several where a company paid with others' money: `gathered` shows that."""

    ts_us: int
    account: int
    buyers: frozenset[str]
    minor: int
    missing: frozenset[str]
    edge: EvidenceEdge
    gathered: tuple[EvidenceEdge, ...]


class SplitSale(Typology):
    id = "split_sale"
    name = Bilingual(zh="拆分销售", en="Private product resold in parts")
    law = (Citation(document="RP", article="二.2.2"),)
    parameters = Parameters
    needs = ("registry.party", "feed.history", "feed.product", "feed.purpose")
    look_alikes = (
        Bilingual(zh="转让给合格投资者", en="secondary sale to qualified buyers"),
        Bilingual(zh="整份转让给一名受让人", en="a whole holding passed to one buyer"),
    )

    def __init__(self) -> None:
        self._paid: OrderedDict[str, dict[str, int]] = OrderedDict()
        """By holder and product, since the log began."""
        self._sales: OrderedDict[tuple[str, str, int], list[_Sale]] = OrderedDict()
        """By seller, product and currency."""
        self._private = OfKind(ProductKind.private)
        self._holds: Bools = np.zeros(1, np.bool_)
        """By account: it ever paid a product's account."""

    def candidates(self, step: Step) -> Candidates:
        """Payments into products' accounts; payments for a private product between others; payments
        that invest without naming a product, to whoever ever paid a product's account."""
        applied = step.applied
        paid, named, unnamed = map(step.passing, (_PAID_IN, _NAMED_SALES, _UNNAMED_SALES))
        self._note_holders(applied.src[paid])
        named = named[self._private.among(step, named)]
        unnamed = unnamed[self._holds[np.minimum(applied.dst[unnamed], self._holds.size - 1)]]
        rows = np.sort(np.concatenate((paid, named, unnamed)))
        return Candidates(rows, applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if transfer.is_reversal:
            return None
        entities = Entities(context)
        seller, product = entities.entity(transfer.dst), context.graph.product(transfer.product)
        kept = [one for one in entities.accounts(transfer.dst) if one.role is AccountRole.product_vehicle]
        if kept:
            self._pay_in(entities.entity(transfer.src), kept[0].product_id or product, transfer.amount_minor)
            return None
        buyer = _Buyer(context, entities, transfer.src)
        if buyer.entity == seller or buyer.is_qualified:
            return None
        p = in_force(Parameters, self.id, context.rules)
        key = seller, product, transfer.currency
        since_us = context.now_us - p.window_days * DAY
        sales = [one for one in self._sales.get(key, ()) if one.ts_us >= since_us]
        if not product and not self._is_covered(seller, transfer.amount_minor, sales):
            return None
        edge = keep(context, transfer.leg, transfer.amount_minor)
        gathered = _gathered(context, entities, transfer, p)
        sales.append(
            _Sale(
                transfer.ts_us,
                transfer.dst,
                frozenset(entities.entity(one.src) for one in gathered) or frozenset({buyer.entity}),
                transfer.amount_minor,
                self._missing(transfer, seller, product) | buyer.missing,
                edge,
                tuple(keep(context, one, one.amount_minor) for one in gathered),
            )
        )
        self._sales[key] = sales[-_MAX_SALES:]
        self._sales.move_to_end(key)
        if len(self._sales) > _MAX_SELLERS:
            self._sales.popitem(last=False)
        if len(_buyers(sales)) < p.min_buyers:
            return None
        is_holder = bool(self._paid.get(seller, {}).get(product) or not product)
        return _finding(context, entities, transfer, self._sales[key], is_holder, p)

    def _note_holders(self, accounts: Int32s) -> None:
        self._holds = with_room(self._holds, int(accounts.max(initial=0)) + 1)
        self._holds[accounts] = True

    def _pay_in(self, holder: str, product: str, minor: int) -> None:
        paid = self._paid.setdefault(holder, {})
        paid[product] = paid.get(product, 0) + minor
        self._paid.move_to_end(holder)
        if len(self._paid) > _MAX_HOLDERS:
            self._paid.popitem(last=False)

    def _is_covered(self, seller: str, minor: int, sales: list[_Sale]) -> bool:
        """The seller had paid in at least what it sold."""
        return sum(one.minor for one in sales) + minor <= sum(self._paid.get(seller, {}).values())

    def _missing(self, transfer: Transfer, seller: str, product: str) -> frozenset[str]:
        missing = {
            "feed.history": bool(product) and product not in self._paid.get(seller, {}),
            "feed.product": not product,
            "feed.purpose": transfer.purpose is Purpose.unknown,
        }
        return frozenset(name for name, is_missing in missing.items() if is_missing)


class _Buyer:
    """Who pays, and whether it may buy what is raised privately."""

    def __init__(self, context: Context, entities: Entities, account: int) -> None:
        self.entity = entities.entity(account)
        party = entities.party(account)
        record = context.registry.party(party, context.now_us) if party else None
        is_institution = party is not None and any(
            entities.is_held_by(one, account) for one in context.registry.institutions_tied(party)
        )
        self.is_qualified = is_institution or (record is not None and record.qualified_investor)
        self.missing = frozenset(() if record is not None else ("registry.party",))


def _buyers(sales: list[_Sale]) -> frozenset[str]:
    return frozenset().union(*(one.buyers for one in sales))


def _gathered(context: Context, entities: Entities, transfer: Transfer, p: Parameters) -> list[Leg]:
    """Where a company buys: the newest payments of persons to it, up to what it pays, if they are several
    and make enough of it. None of them a qualified investor, or for a stated trade."""
    if _kind(context, entities, transfer.src) is not PartyKind.company:
        return []
    since_us = transfer.ts_us - p.gathered_days * DAY
    came = context.graph.edges_in(transfer.src, since_us, transfer.ts_us, context.as_of, p.max_gathered)
    same = (came.currency == transfer.currency) & np.isin(came.purpose, _GATHERS)
    found: list[Leg] = []
    left = transfer.amount_minor
    for leg in reversed(legs_of(came, same)):
        is_person = _kind(context, entities, leg.src) is not PartyKind.company
        if left > 0 and is_person and not _Buyer(context, entities, leg.src).is_qualified:
            found.append(leg)
            left -= leg.amount_minor
    covered = (transfer.amount_minor - left) * _WHOLE >= p.gathered_bp * transfer.amount_minor
    several = len({entities.entity(one.src) for one in found}) >= p.min_buyers
    return found if covered and several else []


def _kind(context: Context, entities: Entities, account: int) -> PartyKind | None:
    party = entities.party(account)
    record = context.registry.party(party, context.now_us) if party else None
    return record.party_kind if record else None


def _finding(
    context: Context,
    entities: Entities,
    transfer: Transfer,
    sales: list[_Sale],
    is_holder: bool,
    p: Parameters,
) -> Finding:
    currency = context.graph.currency(transfer.currency)
    product = context.registry.product(context.graph.product(transfer.product), context.now_us)
    party = entities.party(transfer.dst)
    missing = tuple(sorted({name for one in sales for name in one.missing}))
    resale = Resale(
        seller=party or masked(context.token(transfer.dst)),
        product=context.graph.product(transfer.product),
        institution_id=product.institution_id if product else None,
        buyers=len(_buyers(sales)),
        sales=len(sales),
        first_us=min(edge.ts for one in sales for edge in (one.edge, *one.gathered)),
        last_us=max(one.ts_us for one in sales),
        minor=sum(one.minor for one in sales),
        currency=currency,
        is_holder=is_holder,
    )
    subject = (SubjectKind.party, party) if party else (SubjectKind.account, context.token(transfer.dst))
    return Finding(
        subject=Subject(kind=subject[0], id=subject[1]),
        institution_id=resale.institution_id,
        accounts=tuple(sorted({one.account for one in sales})),
        attributed={},
        amount_minor=resale.minor,
        currency=currency,
        confidence=_confidence(resale, missing),
        severity=(
            factor("rule", 40, "私募产品变相公开销售", "a private product in effect sold to the public"),
            factor("buyers", min(20, resale.buyers), f"{resale.buyers} 名买方", f"{resale.buyers} buyers"),
            by_amount(resale.minor, currency),
        ),
        law=SplitSale.law,
        parameters=shown(p),
        explanation=explanation(resale),
        missing=missing,
        limits=(Limit(name="sales", bound=_MAX_SALES),) if len(sales) == _MAX_SALES else (),
        earlier=tuple(edge for one in sales for edge in (one.edge, *one.gathered)),
    )


def _confidence(resale: Resale, missing: tuple[str, ...]) -> tuple[Factor, ...]:
    zh, en = f"{resale.buyers} 名非合格投资者", f"{resale.buyers} buyers who are not qualified"
    factors = [factor("buyers", 60, zh, en)]
    if resale.is_holder:
        factors.append(factor("holder", 15, "卖方此前已认购该产品", "the seller had paid into it"))
    if resale.buyers >= _MANY:
        factors.append(factor("many", 10, f"买方达 {_MANY} 名以上", f"{_MANY} buyers or more"))
    return (*factors, *lacking(missing))
