"""拆分突破人数: the final investors of a private product are more than the law allows.

At most 200 for a product by contract, 50 for a partnership or a limited company, by the law of the day.
Counted are distinct entities that hold a part: paid in and not yet taken out, or bought from a holder.
Merged with a product are those whose money goes into it (registered as its parts or feeders, or seen to
pay into it, recursively), and those of the same institution for the same borrower. A holder is looked
through when payments of others within `nominee_days` are most of what it paid in: then they count, not
the holder; an agent that collects for the product (an account that keeps others' money) always is.

The count is kept for as long as the log goes back. Without a stated purpose a payment into a product's
account counts as paid in and one out of it as taken out. An account that names no product is counted by
its holder as a product by contract, at a lower confidence.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from registry import Registry
from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.record import Bilingual
from schemas.registry import AccountRole, LegalForm, Product, ProductKind
from schemas.transaction import Purpose
from services.detector.books.holdings import MAX_HOLDERS, PAYS_BACK, PAYS_IN, Holdings, Stake
from services.detector.citing import citations
from services.detector.evidence import keep
from services.detector.explanations.investor_limit import Crowd, explanation
from services.detector.flows.nominees import AGENT, behind
from services.detector.parties.entities import Entities
from services.detector.parties.lookups import Lookup
from services.detector.parties.marks import bits_of
from services.detector.parties.product_family import Family
from services.detector.parties.product_kinds import OfKind
from services.detector.severity import by_amount
from services.detector.sieve import BETWEEN_ACCOUNTS, Fact, either, sieve
from services.detector.typology import (
    NOBODY,
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
    together,
)

_WHOLE: Final = 10_000
_VEHICLE: Final = bits_of({AccountRole.product_vehicle})
_SOLD: Final = (int(Purpose.transfer), int(Purpose.unknown))
_MOVES: Final = either(
    sieve(payee=_VEHICLE, purposes=PAYS_IN, facts=Fact.between_two),
    sieve(payer=_VEHICLE, not_payee=_VEHICLE, purposes=PAYS_BACK),
)
_SALES: Final = sieve(
    not_payer=_VEHICLE | AGENT,
    not_payee=_VEHICLE | AGENT,
    purposes=_SOLD,
    facts=BETWEEN_ACCOUNTS | Fact.names_product,
)
_GROWTH_BP: Final = 500
"""A product that passed its limit is counted again when its holders have grown by so much."""
_MAX_FEEDS: Final = 100
"""Products kept that were seen to pay into one; and of products so paid, MAX_PAID."""
_MAX_PAID: Final = 1_000


@dataclass(frozen=True, slots=True)
class Parameters:
    max_of_contract: int = parameter(200, "design/typologies.md (s); schemas/law has the law of each time")
    max_of_partnership: int = parameter(50, "design/typologies.md (s); schemas/law has the law of each time")
    max_of_company: int = parameter(50, "design/typologies.md (s); schemas/law has the law of each time")
    contract_articles: tuple[str, ...] = parameter(("BJ 二.2.8",), "BJ 二.2.8")
    partnership_articles: tuple[str, ...] = parameter(("BJ 二.2.8",), "BJ 二.2.8")
    company_articles: tuple[str, ...] = parameter(("BJ 二.2.8",), "BJ 二.2.8")
    nominee_share_bp: int = parameter(5_000, "assumption: more than half of the stake is others' money")
    nominee_days: int = parameter(14, "a short time by PBoC Order 2006-2 (s): ten business days")
    min_behind: int = parameter(2, "assumption: one payer behind a holder is the holder's family")
    max_edges: int = parameter(1_000, "bound on the payments looked at behind one holder")
    max_products: int = parameter(100, "bound on the products merged into one")

    def most(self, form: LegalForm) -> int:
        value: int = getattr(self, f"max_of_{form.value}")
        return value

    def articles(self, form: LegalForm) -> tuple[Citation, ...]:
        return citations(getattr(self, f"{form.value}_articles"))


class InvestorLimit(Typology):
    id = "investor_limit"
    name = Bilingual(zh="拆分突破人数", en="Too many investors of a private product")
    law = (
        Citation(document="BJ", article="二.2.8"),
        Citation(document="SECURITIES-2005", article="十"),
        Citation(document="SECURITIES-2019", article="九"),
        Citation(document="FUNDS-2012", article="八十七"),
        Citation(document="PARTNERSHIP-2006", article="六十一"),
        Citation(document="COMPANY-2005", article="二十四"),
        Citation(document="COMPANY-2023", article="四十二"),
    )
    parameters = Parameters
    needs = ("registry.account", "registry.product", "feed.purpose")
    look_alikes = (
        Bilingual(zh="投向不同资产的不同产品", en="separate products with different assets"),
        Bilingual(zh="投资者赎回后由新投资者接替", en="investors who leave and others who come"),
    )

    def __init__(self) -> None:
        self._holdings = Holdings()
        self._fed_by: OrderedDict[str, dict[str, None]] = OrderedDict()
        self._told: dict[str, int] = {}
        self._private = OfKind(ProductKind.private)
        self._public = _Public()

    def candidates(self, step: Step) -> Candidates:
        """Payments into and out of accounts of products that are not public, and sales of a private
        product's claims between others. The account is the product's, else the seller's."""
        applied, moves, sold = step.applied, step.passing(_MOVES), step.passing(_SALES)
        if not moves.size and not sold.size:
            return NOBODY
        into = (step.dst_marks[moves] & _VEHICLE) != 0
        accounts = np.where(into, applied.dst[moves], applied.src[moves])
        private = self._public.of(step, accounts) == 0
        sold = sold[self._private.among(step, sold)]
        return together(Candidates(moves[private], accounts[private]), Candidates(sold, applied.dst[sold]))

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        p = in_force(Parameters, self.id, context.rules)
        entities = Entities(context)
        payer, payee = (_product_of(entities, one) for one in (transfer.src, transfer.dst))
        if payer is not None and payee is not None:
            if payer == payee or not self._feeds(payer, payee):
                return None
            return self._judge(context, entities, transfer, payee, p)
        if payer is not None:
            self._holdings.give(payer, transfer.dst, transfer.amount_minor)
            return None
        product = payee
        if product is None:
            product = context.graph.product(transfer.product)
            self._holdings.give(product, transfer.dst, transfer.amount_minor)
        if not product or transfer.is_reversal:
            return None
        owners = behind(context, transfer, p)
        edge = keep(context, transfer.leg, transfer.amount_minor)
        self._holdings.take(product, transfer.src, transfer.amount_minor, edge, owners)
        return self._judge(context, entities, transfer, product, p)

    def _feeds(self, feeder: str, master: str) -> bool:
        """Note that the money of one product goes into the other. False: it was known."""
        known = self._fed_by.setdefault(master, {})
        self._fed_by.move_to_end(master)
        if len(self._fed_by) > _MAX_PAID:
            self._fed_by.popitem(last=False)
        if feeder in known or len(known) == _MAX_FEEDS:
            return False
        known[feeder] = None
        return True

    def _judge(
        self, context: Context, entities: Entities, transfer: Transfer, product: str, p: Parameters
    ) -> Outcome:
        """The product and those that its money goes into: the one that is furthest beyond its limit; of
        several, where the money goes last."""
        family = Family(context, self._fed_by, p.max_products)
        targets = dict.fromkeys(family.foremost(one) for one in family.upward(product))
        crowds = [
            crowd
            for target in targets
            if (crowd := self._crowd(context, entities, family, target, p)) is not None
        ]
        worst = max(reversed(crowds), key=lambda one: one.investors - one.most, default=None)
        return None if worst is None else _finding(context, transfer, worst, p)

    def _crowd(
        self, context: Context, entities: Entities, family: Family, target: str, p: Parameters
    ) -> _Over | None:
        """The final investors of `target`; None while they are no more than allowed."""
        record = context.registry.product(target, context.now_us)
        form = record.legal_form if record else LegalForm.contract
        most = p.most(form)
        products = tuple(one for one in family.downward(target) if self._holdings.of(one))
        parts = [(holder, stake) for one in products for holder, stake in self._holdings.of(one).items()]
        known = sum(len(stake.owners(holder)) for holder, stake in parts)
        if known <= most or known < self._told.get(target, 0):
            return None
        owners = {entities.entity(one) for holder, stake in parts for one in stake.owners(holder)}
        if len(owners) <= most:
            return None
        self._told[target] = known + max(1, known * _GROWTH_BP // _WHOLE)
        full = any(len(self._holdings.of(one)) == MAX_HOLDERS for one in products)
        return _Over(target, record, form, most, len(owners), products, parts, full, family.cut)


def _product_of(entities: Entities, account: int) -> str | None:
    """The product whose money the account keeps; its holder where it names none."""
    for record in entities.accounts(account):
        if record.role is AccountRole.product_vehicle:
            return record.product_id or record.party_id
    return None


class _Over(NamedTuple):
    """A product with more final investors than allowed; `products`: those counted as one with it."""

    product: str
    record: Product | None
    form: LegalForm
    most: int
    investors: int
    products: tuple[str, ...]
    parts: list[tuple[int, Stake]]
    full: bool
    cut: bool


class _Public(Lookup):
    """1: it never kept the money of a product that may be private."""

    def _ask(self, registry: Registry, token_hex: str) -> int:
        private = [registry.ever_of_kind(kind) for kind in (ProductKind.private, ProductKind.vehicle)]
        public, kept = registry.ever_of_kind(ProductKind.fund), registry.products_kept(token_hex)
        is_public = [one in public and not any(one in ever for ever in private) for one in kept]
        return int(bool(is_public) and all(is_public))


def _finding(context: Context, transfer: Transfer, over: _Over, p: Parameters) -> Finding:
    currency = context.graph.currency(transfer.currency)
    minor = sum(stake.minor for _, stake in over.parts)
    edges = [stake.edge for _, stake in over.parts]
    institution_id = over.record.institution_id if over.record else None
    entities = Entities(context)
    missing = {
        "registry.account": any(not entities.accounts(holder) for holder, _ in over.parts),
        "registry.product": over.record is None,
        "feed.purpose": transfer.purpose is Purpose.unknown,
    }
    lacking = tuple(name for name, is_missing in missing.items() if is_missing)
    law = p.articles(over.form)
    crowd = Crowd(
        product=over.product,
        institution_id=institution_id,
        form=over.form,
        most=over.most,
        investors=over.investors,
        merged=len(set(over.products) - {over.product}),
        nominees=sum(bool(stake.behind) for _, stake in over.parts),
        first_us=min(one.ts for one in edges),
        last_us=transfer.ts_us,
        minor=minor,
        currency=currency,
        article=law[-1],
    )
    limits = (("holders", MAX_HOLDERS, over.full), ("products", p.max_products, over.cut))
    return Finding(
        subject=Subject(kind=SubjectKind.product, id=over.product),
        institution_id=institution_id,
        accounts=(transfer.dst,),
        attributed={transfer.seq: transfer.amount_minor},
        amount_minor=minor,
        currency=currency,
        confidence=_confidence(crowd, lacking),
        severity=(
            factor("rule", 40, "变相公开募集", "in effect a public offer"),
            *(
                (factor("double", 10, "超过限额一倍", "twice the limit"),)
                if over.investors >= 2 * over.most
                else ()
            ),
            by_amount(minor, currency),
        ),
        law=law,
        parameters=shown(p),
        explanation=explanation(crowd),
        missing=lacking,
        limits=tuple(Limit(name=name, bound=bound) for name, bound, is_hit in limits if is_hit),
        earlier=tuple(edges),
    )


def _confidence(crowd: Crowd, missing: tuple[str, ...]) -> tuple[Factor, ...]:
    zh, en = f"穿透后 {crowd.investors} 名投资者", f"{crowd.investors} final investors"
    factors = [factor("investors", 80, zh, en)]
    if crowd.merged:
        zh, en = f"合并 {crowd.merged} 个嵌套或拆分的产品", f"{crowd.merged} nested or split products merged"
        factors.append(factor("merged", -5, zh, en))
    if crowd.nominees:
        zh, en = f"穿透 {crowd.nominees} 名代持人", f"{crowd.nominees} nominees looked through"
        factors.append(factor("nominees", -10, zh, en))
    return (*factors, *lacking(missing))
