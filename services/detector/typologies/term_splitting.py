"""期限拆分: one loan is financed by a chain of shorter listings, each repaying the one before.

A listing is repaid by the next one of the same borrower where

- within D days after the next was disbursed to the borrower, the borrower repaid at least share φ of it; or
- custody paid at least φ of it to its investors while the borrower had not, and within the last D days
  investors had put as much into a listing of the same borrower that was not disbursed;

and both are of about the same principal. A chain of at least N listings is one loan. A borrower who repays
first and borrows again later, or takes a loan of another size, has another loan. The feed must name
listings; where nobody knows the borrower's party, an account is one borrower, and only the first way shows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from schemas.alert import Citation, EvidenceEdge, Factor, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.transaction import Purpose
from services.detector.books.listings import Listings
from services.detector.books.loan_book import Loan
from services.detector.books.loan_flows import ASSET, UNSTATED, Flow
from services.detector.evidence import keep
from services.detector.explanations.term_splitting import Chain, explanation
from services.detector.graph import Edges
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import CUSTODY
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
    lacking,
    least,
    parameter,
    shown,
)

_WHOLE: Final = 10_000
_MAX_BORROWERS: Final = 20_000
"""Borrowers with a listing that repaid another; past it the one least lately so is forgotten."""
_MAX_LINKS: Final = 50
_MAX_EDGES_A_LINK: Final = 40
_INVESTED: Final = (Purpose.invest, *UNSTATED)
_PRINCIPAL: Final = (Purpose.repay, Purpose.redemption, *UNSTATED)


@dataclass(frozen=True, slots=True)
class Parameters:
    """N, D, φ."""

    min_listings: int = parameter(3, "assumption: N; one refinancing is no chain")
    days: int = parameter(7, "assumption: D, the days within which one listing replaces another")
    share_bp: int = parameter(8_000, "assumption: φ, nearly all of the principal")
    tolerance_bp: int = parameter(1_000, "assumption: principals differ by interest and fees at most")
    max_edges: int = parameter(2_000, "bound on the transfers of one account that are looked at")


class _Link(NamedTuple):
    """Listing `before` was repaid with `minor` by the next."""

    before: int
    minor: int
    edges: tuple[EvidenceEdge, ...]


class TermSplitting(Typology):
    id = "term_splitting"
    name = Bilingual(zh="期限拆分", en="Splitting of a loan's term")
    law = (Citation(document="RP", article="二.1.1"), Citation(document="NLM-2016", article="十"))
    parameters = Parameters
    needs = ("registry.account", "registry.product", "feed.purpose", "feed.product")
    look_alikes = (
        Bilingual(zh="借款人还清后另行借款", en="a borrower's unrelated later loan"),
        Bilingual(zh="一次性借新贷还旧贷", en="a single refinancing"),
        Bilingual(zh="金额不同的另一笔借款", en="another loan of another size"),
    )

    def __init__(self) -> None:
        self._links: OrderedDict[str, dict[int, _Link]] = OrderedDict()
        """By borrower and by the listing that repaid."""

    def candidates(self, step: Step) -> Candidates:
        """Repayments of what is then nearly repaid, and principal paid ahead of the borrower."""
        book, batch = step.book, step.book.batch
        share = least(Parameters, self.id, "share_bp", step)
        named = (batch.product > 0) & (batch.minor > 0) & ((step.marks[batch.account] & CUSTODY) != 0)
        repaid = named & batch.of(Flow.repaid)
        products = batch.product[repaid]
        repaid[repaid] = book.most(products, Flow.repaid) * _WHOLE >= share * book.least(
            products, Flow.disbursed
        )
        paid = named & batch.of(Flow.paid)
        if paid.any():
            paid &= book.ahead > 0
        rows = batch.rows[repaid | paid]
        return Candidates(rows, batch.account[repaid | paid])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        case = _Case(context, transfer, parameters)
        if not case.is_repaid or case.platform is None:
            return None
        found = case.by_borrower() if transfer.account == transfer.dst else case.by_custody()
        if found is None:
            return None
        after, link = found
        links = self._remember(case.borrower, after, link)
        chain = _chain(links, after)
        return case.finding(chain, links) if len(chain) >= parameters.min_listings else None

    def _remember(self, borrower: str, after: int, link: _Link) -> dict[int, _Link]:
        links = self._links.pop(borrower, {})
        links.pop(after, None)
        links[after] = link
        if len(links) > _MAX_LINKS:
            del links[next(iter(links))]
        self._links[borrower] = links
        if len(self._links) > _MAX_BORROWERS:
            self._links.popitem(last=False)
        return links


def _chain(links: dict[int, _Link], last: int) -> list[int]:
    """The listings that end in `last`, each repaying the one before it."""
    chain = [last]
    while chain[0] in links and links[chain[0]].before not in chain:
        chain.insert(0, links[chain[0]].before)
    return chain


class _Case:
    """One repayment of a listing, by its borrower or out of custody, and what it came from."""

    def __init__(self, context: Context, transfer: Transfer, parameters: Parameters) -> None:
        self._context = context
        self._transfer = transfer
        self._p = parameters
        self._listings = Listings(context, Entities(context))
        self._product = transfer.product
        self._principal = self._principal_of(self._product)

    @property
    def is_repaid(self) -> bool:
        """Nearly all of the principal is back, with the borrower's money or without."""
        book, product = self._context.book, self._product
        if self._transfer.account == self._transfer.dst:
            back = book.total(product, Flow.repaid)
        else:
            back = book.total(product, Flow.paid) - book.total(product, *ASSET)
        return self._principal > 0 and self._covers(back)

    @property
    def platform(self) -> str | None:
        return self._listings.platform(self._product, self._transfer.account)

    @property
    def party(self) -> str | None:
        loan = self._context.book.loan(self._product)
        return self._listings.borrower(self._product, loan.borrower if loan else 0)

    @property
    def borrower(self) -> str:
        return self.party or self._context.token(self._transfer.src)

    def by_borrower(self) -> tuple[int, _Link] | None:
        """The next listing, disbursed to the borrower within D days before it repaid this one."""
        now_us = self._transfer.ts_us
        for loan in reversed(self._loans()):
            is_recent = now_us - self._p.days * DAY <= loan.first_us <= now_us
            if loan.product in (0, self._product) or not is_recent or not self._is_alike(loan.product):
                continue
            repaid = list(self._repayments(loan))
            minor = sum(leg.amount_minor for leg in repaid)
            if self._covers(minor):
                came = self._edges_in(loan.borrower, loan.first_us)
                lent = legs_of(came, (came.product == loan.product) & (came.src == loan.custody))
                return loan.product, self._link(minor, [*lent, *repaid])
        return None

    def by_custody(self) -> tuple[int, _Link] | None:
        """The next listing, whose investors' money went to the investors of this one."""
        context, book, party = self._context, self._context.book, self.party
        borrowed = context.registry.borrowed_by(party, context.now_us) if party else ()
        since_us = self._transfer.ts_us - self._p.days * DAY
        for record in reversed(borrowed):
            product = context.graph.product_code(record.product_id) or 0
            kept = book.total(product, Flow.invested)
            kept -= book.total(product, Flow.refunded, Flow.disbursed)
            if product == self._product or not self._is_alike(product) or not self._covers(kept):
                continue
            into = self._edges_in(self._transfer.src, since_us)
            invested = legs_of(into, (into.product == product) & np.isin(into.purpose, _INVESTED))
            if self._covers(sum(leg.amount_minor for leg in invested)):
                out = context.graph.edges_out(self._transfer.src, since_us, *self._until)
                is_paid = (out.product == self._product) & np.isin(out.purpose, _PRINCIPAL)
                paid = legs_of(out, is_paid)
                half = _MAX_EDGES_A_LINK // 2
                minor = min(kept, sum(leg.amount_minor for leg in paid))
                return product, self._link(minor, [*invested[-half:], *paid[-half:]])
        return None

    def finding(self, chain: Sequence[int], links: dict[int, _Link]) -> Finding:
        context, party = self._context, self.party
        steps = [links[product] for product in chain[1:]]
        edges = tuple(edge for step in steps for edge in step.edges)
        currency = context.graph.currency(self._transfer.currency)
        minor = sum(step.minor for step in steps)
        told = Chain(
            platform=self.platform or "",
            borrower=party or "",
            token=self.borrower if party is None else "",
            listings=tuple(context.graph.product(product) for product in chain),
            first_us=min(edge.ts for edge in edges),
            last_us=self._transfer.ts_us,
            principal_minor=max(self._principal_of(product) for product in chain),
            minor=minor,
            currency=currency,
        )
        missing = self._missing(chain)
        return Finding(
            subject=Subject(kind=SubjectKind.party if party else SubjectKind.account, id=self.borrower),
            institution_id=self.platform,
            accounts=(self._transfer.src,),
            attributed={self._transfer.seq: self._transfer.amount_minor},
            amount_minor=minor,
            currency=currency,
            confidence=(*self._confidence(len(chain)), *lacking(missing)),
            severity=(
                factor("rule", 35, "不得拆分融资项目期限", "a loan's term must not be split"),
                by_amount(told.principal_minor, currency),
            ),
            law=TermSplitting.law,
            parameters=shown(self._p),
            explanation=explanation(told),
            missing=missing,
            limits=(*context.book.limits, *context.graph.limits),
            earlier=edges,
        )

    @property
    def _until(self) -> tuple[int, int, int]:
        return self._context.now_us, self._context.as_of, self._p.max_edges

    def _edges_in(self, account: int, since_us: int) -> Edges:
        return self._context.graph.edges_in(account, since_us, *self._until)

    def _loans(self) -> list[Loan]:
        party = self.party
        if party is not None:
            return list(self._listings.loans(party))
        return self._context.book.loans_of(self._transfer.src)

    def _repayments(self, after: Loan) -> Iterator[Leg]:
        """Of this listing by the borrower, since the next was disbursed."""
        for account in sorted({self._transfer.src, after.borrower}):
            out = self._context.graph.edges_out(account, after.first_us, *self._until)
            into_custody = (self._context.marks[out.dst] & CUSTODY) != 0
            is_repaid = (out.product == self._product) & np.isin(out.purpose, _PRINCIPAL)
            yield from legs_of(out, is_repaid & into_custody)

    def _principal_of(self, product: int) -> int:
        book = self._context.book
        raised = book.total(product, Flow.invested) - book.total(product, Flow.refunded)
        return book.total(product, Flow.disbursed) or raised

    def _covers(self, minor: int) -> bool:
        return minor * _WHOLE >= self._p.share_bp * self._principal

    def _is_alike(self, product: int) -> bool:
        """Of about the same principal."""
        apart = abs(self._principal_of(product) - self._principal)
        return apart * _WHOLE <= self._p.tolerance_bp * self._principal

    def _link(self, minor: int, legs: Sequence[Leg]) -> _Link:
        edges = (keep(self._context, leg, leg.amount_minor) for leg in legs[-_MAX_EDGES_A_LINK:])
        return _Link(self._product, minor, tuple(edges))

    def _missing(self, chain: Sequence[int]) -> tuple[str, ...]:
        missing = {
            "registry.account": self.party is None,
            "registry.product": any(self._listings.record(product) is None for product in chain),
            "feed.purpose": self._transfer.purpose in UNSTATED,
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(self, listings: int) -> tuple[Factor, ...]:
        zh, en = f"{listings} 个标的首尾相接", f"{listings} listings in a chain"
        factors = [factor("chain", 75, zh, en)]
        if listings > self._p.min_listings:
            further = min(15, 5 * (listings - self._p.min_listings))
            factors.append(factor("longer", further, "链条更长", "a longer chain"))
        return tuple(factors)
