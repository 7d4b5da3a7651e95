"""借款限额: a borrower owes more on one platform, or on all of them together, than the law allows.

What a party owes is what was disbursed to it less what was repaid, by itself or by a guarantor in its
stead, over all its accounts and listings; interest is left out where the feed tells it apart, else an
instalment counts as principal to the last fen. It is measured at each disbursement against the caps for
one platform and for all platforms, a person's or an entity's. Loans from before the log began are not
known. Without the party's kind the caps of an entity are used; without the party, each account is one
borrower; without a product, all that an account gets is one loan.
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
from schemas.registry import PartyKind
from schemas.transaction import Purpose
from services.detector.books.listings import Listings
from services.detector.books.loan_book import Loan
from services.detector.books.loan_flows import Flow
from services.detector.evidence import keep
from services.detector.explanations.borrower_cap import Debt, explanation
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.severity import by_amount
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
    lacking,
    parameter,
    shown,
)

_NO_CAP: Final = 0
_MAX_BORROWERS: Final = 20_000
"""Borrowers near a cap whose disbursements are kept; past it the one least lately lent to is forgotten."""
_SOURCE: Final = "no cap was in force; schemas/law has those from 2016-08-24"


@dataclass(frozen=True, slots=True)
class Parameters:
    """A cap of 0: there is none."""

    person_platform_minor: int = parameter(_NO_CAP, _SOURCE)
    person_total_minor: int = parameter(_NO_CAP, _SOURCE)
    entity_platform_minor: int = parameter(_NO_CAP, _SOURCE)
    entity_total_minor: int = parameter(_NO_CAP, _SOURCE)
    window_days: int = parameter(31, "bound: how far back disbursements are looked up as evidence")
    max_edges: int = parameter(100, "bound on the disbursements of one borrower that are shown")


class BorrowerCap(Typology):
    id = "borrower_cap"
    name = Bilingual(zh="突破借款限额", en="Borrowing beyond the cap")
    law = (Citation(document="NLM-2016", article="十七"), Citation(document="RP", article="二.1.1"))
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.party",
        "registry.product",
        "feed.purpose",
        "feed.product",
    )
    look_alikes = (
        Bilingual(zh="已归还的本金又重复计算", en="repaid principal counted again"),
        Bilingual(zh="多名借款人使用同一平台", en="several borrowers of one platform"),
        Bilingual(zh="担保人已代偿的借款", en="a loan that a guarantor has paid off"),
    )
    shares = Shared.loans

    def __init__(self) -> None:
        self._kept: OrderedDict[str, dict[tuple[str, str], EvidenceEdge]] = OrderedDict()

    def candidates(self, step: Step) -> Candidates:
        batch = step.book.batch
        lent = batch.of(Flow.disbursed) & (batch.minor > 0)
        return Candidates(batch.rows[lent], batch.other[lent])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        entities = Entities(context)
        listings = Listings(context, entities)
        platform = listings.platform(transfer.product, transfer.src)
        if platform is None:
            return None
        case = _case(context, listings, transfer, platform, parameters)
        if not case.is_near:
            return None
        kept = self._keep(context, case, parameters)
        return case.finding(context, listings, kept) if case.excess_minor > 0 else None

    def _keep(
        self, context: Context, case: _Case, parameters: Parameters
    ) -> dict[tuple[str, str], EvidenceEdge]:
        """The disbursements of what the borrower owes, those the graph has let go among them."""
        kept = self._kept.pop(case.borrower, {})
        for leg in case.disbursements(context):
            edge = keep(context, leg, leg.amount_minor)
            kept[edge.feed_id, edge.tx_id] = edge
        for key in list(kept)[: -parameters.max_edges]:
            del kept[key]
        self._kept[case.borrower] = kept
        if len(self._kept) > _MAX_BORROWERS:
            self._kept.popitem(last=False)
        return kept


def _case(
    context: Context, listings: Listings, transfer: Transfer, platform: str, parameters: Parameters
) -> _Case:
    party_id = listings.borrower(transfer.product, transfer.dst)
    loans = listings.loans(party_id) if party_id else context.book.loans_of(transfer.dst)
    owed = [
        _Owed(loan, lender)
        for loan in loans
        if loan.outstanding_minor and (lender := listings.platform(loan.product, loan.custody))
    ]
    record = context.registry.party(party_id, context.now_us) if party_id else None
    return _Case(
        borrower=party_id or context.token(transfer.dst),
        party_id=party_id,
        kind=record.party_kind if record else None,
        platform=platform,
        owed=owed,
        transfer=transfer,
        parameters=parameters,
    )


class _Owed(NamedTuple):
    loan: Loan
    platform: str


@dataclass(frozen=True, slots=True)
class _Case:
    """What one borrower owes just after `transfer`, which `platform` lent."""

    borrower: str
    party_id: str | None
    kind: PartyKind | None
    platform: str
    owed: Sequence[_Owed]
    transfer: Transfer
    parameters: Parameters

    @property
    def platform_minor(self) -> int:
        return sum(one.loan.outstanding_minor for one in self.owed if one.platform == self.platform)

    @property
    def total_minor(self) -> int:
        return sum(one.loan.outstanding_minor for one in self.owed)

    @property
    def platform_cap(self) -> int:
        p = self.parameters
        return p.person_platform_minor if self.kind is PartyKind.person else p.entity_platform_minor

    @property
    def total_cap(self) -> int:
        p = self.parameters
        return p.person_total_minor if self.kind is PartyKind.person else p.entity_total_minor

    @property
    def excess_minor(self) -> int:
        """How much is owed beyond the cap that is passed by more; not above 0: within both."""
        if self.platform_cap == _NO_CAP:
            return 0
        return max(self.platform_minor - self.platform_cap, self.total_minor - self.total_cap)

    @property
    def is_near(self) -> bool:
        """Past half of a cap: its disbursements are worth keeping."""
        return 2 * self.platform_minor > self.platform_cap or 2 * self.total_minor > self.total_cap

    def disbursements(self, context: Context) -> Iterator[Leg]:
        """Those in the graph's window of the loans not yet repaid."""
        open_loans = {(one.loan.product, one.loan.custody) for one in self.owed}
        since_us = context.now_us - self.parameters.window_days * DAY
        accounts = sorted({self.transfer.dst, *(one.loan.borrower for one in self.owed)})
        for account in accounts:
            edges = context.graph.edges_in(
                account, since_us, context.now_us, context.as_of, self.parameters.max_edges
            )
            paid = np.isin(edges.src, [custody for _, custody in open_loans])
            paid &= edges.currency == self.transfer.currency
            for leg in legs_of(edges, paid):
                if (leg.product, leg.src) in open_loans:
                    yield leg

    def finding(
        self, context: Context, listings: Listings, kept: dict[tuple[str, str], EvidenceEdge]
    ) -> Finding:
        currency = context.graph.currency(self.transfer.currency)
        names = {context.graph.product(one.loan.product) for one in self.owed}
        accounts = {self.transfer.dst, *(one.loan.borrower for one in self.owed)}
        tokens = {context.token(account) for account in accounts}
        shown_edges = [edge for edge in kept.values() if edge.dst in tokens]
        kind = SubjectKind.party if self.party_id else SubjectKind.account
        debt = Debt(
            borrower=self.borrower if self.party_id else "",
            token=context.token(self.transfer.dst),
            kind=self.kind,
            platform=self.platform,
            first_us=min((edge.ts for edge in shown_edges), default=self.transfer.ts_us),
            last_us=self.transfer.ts_us,
            loans=len(names),
            platforms=len({one.platform for one in self.owed}),
            platform_minor=self.platform_minor,
            platform_cap=self.platform_cap,
            total_minor=self.total_minor,
            total_cap=self.total_cap,
            currency=currency,
        )
        missing = self._missing(listings)
        return Finding(
            subject=Subject(kind=kind, id=self.borrower),
            institution_id=self.platform,
            accounts=tuple(sorted(accounts)),
            attributed={self.transfer.seq: self.transfer.amount_minor},
            amount_minor=self.excess_minor,
            currency=currency,
            confidence=(*self._confidence(), *lacking(missing)),
            severity=(
                factor("rule", 30, "网络借贷以小额为主", "lending over platforms is for small amounts"),
                by_amount(self.total_minor, currency),
            ),
            law=BorrowerCap.law,
            parameters=shown(self.parameters),
            explanation=explanation(debt),
            missing=missing,
            limits=context.book.limits,
            earlier=tuple(shown_edges),
        )

    def _confidence(self) -> Iterator[Factor]:
        yield factor("owed", 85, "未还本金超过法定限额", "principal owed passes the legal cap")
        if self.total_minor > self.total_cap and self.platform_minor <= self.platform_cap:
            yield factor("platforms", -5, "跨平台合计", "summed over several platforms")

    def _missing(self, listings: Listings) -> tuple[str, ...]:
        missing = {
            "registry.account": self.party_id is None,
            "registry.party": self.party_id is not None and self.kind is None,
            "registry.product": self.transfer.product > 0 and listings.record(self.transfer.product) is None,
            "feed.purpose": self.transfer.purpose is not Purpose.disburse,
            "feed.product": self.transfer.product == 0,
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)
