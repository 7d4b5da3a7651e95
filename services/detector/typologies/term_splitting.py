"""期限拆分: one loan is financed by a chain of shorter listings, each repaying the one before.

A listing is repaid by the next one, of the same borrower or of a related party of his, where

- within D days after the next was disbursed, the borrower repaid at least share φ of it; and where the next
  is another's, that one had handed him at least as much in between; or
- custody paid at least φ of it to its investors while the borrower had not, and within the last D days
  investors had put as much into the next listing, which was not disbursed;

and both are of about the same principal. A chain of at least N listings is one loan, whoever of the related
borrowers signs for which. A borrower who repays first and borrows again later, or takes a loan of another
size, has another loan; so have companies of one owner between whom no money passes. The feed must name
listings; where nobody knows a borrower's party, an account is one borrower, what passes between two of them
counts as between related parties, and only the first way shows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.alert import Citation, EvidenceEdge, Factor, Subject, SubjectKind
from schemas.record import Bilingual
from services.detector.books.loan_flows import UNSTATED, Flow
from services.detector.evidence import keep
from services.detector.explanations.term_splitting import Chain, explanation
from services.detector.flows.replacing import Repaid, most_principal
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
    lacking,
    least,
    parameter,
    shown,
)
from services.detector.wording import masked

_WHOLE: Final = 10_000
_MAX_LINKS: Final = 50_000
"""Listings that repaid another; past it the one least lately so is forgotten."""
_MAX_CHAIN: Final = 50
"""Of a longer chain the last listings count."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """N, D, φ."""

    min_listings: int = parameter(3, "assumption: N; one refinancing is no chain")
    days: int = parameter(7, "assumption: D, the days within which one listing replaces another")
    share_bp: int = parameter(8_000, "assumption: φ, nearly all of the principal")
    tolerance_bp: int = parameter(1_000, "assumption: principals differ by interest and fees at most")
    max_edges: int = parameter(2_000, "bound on the transfers of one account that are looked at")
    max_payers: int = parameter(
        20, "bound on those, of one borrower, who may have handed it a loan of theirs"
    )


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
        Bilingual(
            zh="同一控制人的两家公司各自借还款", en="companies of one owner who each repay what they borrowed"
        ),
    )
    shares = Shared.loans

    def __init__(self) -> None:
        self._links: OrderedDict[int, _Link] = OrderedDict()
        """By the listing that repaid."""

    def candidates(self, step: Step) -> Candidates:
        """Repayments of what is then nearly repaid, and principal paid ahead of the borrower; not where the
        loan was raised before anybody looked."""
        book, batch = step.book, step.book.batch
        if not batch.rows.size:
            return NOBODY
        share = least(Parameters, self.id, "share_bp", step)
        repaid = batch.listed & batch.of(Flow.repaid)
        products = batch.product[repaid]
        repaid[repaid] = book.most(products, Flow.repaid) * _WHOLE >= share * book.least(
            products, Flow.disbursed
        )
        paid = batch.listed & batch.of(Flow.paid)
        if paid.any():
            paid &= book.ahead > 0
        may = repaid | paid
        may[may] = most_principal(book, batch.product[may]) > 0
        return Candidates(batch.rows[may], batch.account[may])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        repaid = Repaid(context, transfer, parameters)
        platform = repaid.listings.platform(transfer.product, transfer.account) if repaid.is_whole else None
        found = repaid.replacement() if platform else None
        if found is None:
            return None
        edges = tuple(keep(context, leg, leg.amount_minor) for leg in found.legs)
        self._remember(found.after, _Link(found.before, found.minor, edges))
        chain = _chain(self._links, found.after)
        if len(chain) < parameters.min_listings:
            return None
        links = [self._links[product] for product in chain[1:]]
        return _Case(context, transfer, parameters, repaid, chain, links).finding()

    def _remember(self, after: int, link: _Link) -> None:
        self._links[after] = link
        self._links.move_to_end(after)
        if len(self._links) > _MAX_LINKS:
            self._links.popitem(last=False)


def _chain(links: Mapping[int, _Link], last: int) -> list[int]:
    """The listings that end in `last`, each repaying the one before it."""
    chain = [last]
    while chain[0] in links and links[chain[0]].before not in chain and len(chain) < _MAX_CHAIN:
        chain.insert(0, links[chain[0]].before)
    return chain


class _Case:
    """A chain of listings, and how each but the first repaid the one before."""

    def __init__(
        self,
        context: Context,
        transfer: Transfer,
        parameters: Parameters,
        repaid: Repaid,
        chain: Sequence[int],
        links: Sequence[_Link],
    ) -> None:
        self._context = context
        self._transfer = transfer
        self._p = parameters
        self._repaid = repaid
        self._chain = chain
        self._links = links
        self._borrowers = [repaid.borrower(product) for product in chain]

    def finding(self) -> Finding:
        """About whoever borrowed under the first listing of the chain."""
        context, chain, repaid = self._context, self._chain, self._repaid
        edges = tuple(edge for link in self._links for edge in link.edges)
        currency = context.graph.currency(self._transfer.currency)
        minor = sum(link.minor for link in self._links)
        loans = [loan for product in chain if (loan := context.book.loan(product)) is not None]
        accounts = [loan.borrower for loan in loans] or [self._transfer.src]
        token = context.token(accounts[0])
        known = tuple(dict.fromkeys(party for party in self._borrowers if party is not None))
        subject = Subject(kind=SubjectKind.account, id=token)
        if known:
            subject = Subject(kind=SubjectKind.party, id=known[0])
        platform = repaid.listings.platform(self._transfer.product, self._transfer.account) or ""
        told = Chain(
            platform=platform,
            borrowers=known or (masked(token),),
            listings=tuple(context.graph.product(product) for product in chain),
            first_us=min(edge.ts for edge in edges),
            last_us=self._transfer.ts_us,
            principal_minor=max(repaid.principal(product) for product in chain),
            minor=minor,
            currency=currency,
        )
        missing = self._missing()
        return Finding(
            subject=subject,
            institution_id=platform,
            accounts=tuple(sorted(set(accounts))),
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
            limits=(*context.book.limits, *context.limits),
            earlier=edges,
        )

    def _missing(self) -> tuple[str, ...]:
        records = [self._repaid.listings.record(product) for product in self._chain]
        missing = {
            "registry.account": None in self._borrowers,
            "registry.product": None in records,
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
