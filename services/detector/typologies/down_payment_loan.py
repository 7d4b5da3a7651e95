"""首付贷、众筹买房: a platform's loan pays for a home, or finances a developer.

Money disbursed for a listing or project of a platform reaches, over time-respecting paths of at most K
legs within W, an account of a property developer, or of another party whose trade is real estate (GB/T
4754 section K: agencies too), with at least φ of what was disbursed attributed to it (first in, first
out); or it is disbursed to such a party.

Looked at are payments there of a size that could be part of a down payment; once one is seen, all that
arrived counts. A firm that borrows for its business may rent or buy an office: a finding where the
borrower is a company is less sure. A developer's suppliers and builders are not real estate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from schemas.alert import Citation, Factor, Subject, SubjectKind
from schemas.record import Bilingual
from schemas.registry import AccountRole, PartyKind
from schemas.transaction import Purpose
from services.detector.ascending import distinct, joined
from services.detector.explanations.down_payment_loan import Purchase, explanation
from services.detector.flows.lending import NOT_PASSED, Lending, Listing, is_passed
from services.detector.flows.loans import Arrival, Loans, arrival, paid_there
from services.detector.graph import Edges
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.lookups import InIndustry
from services.detector.parties.marks import KEEPER, OTHER, bits_of
from services.detector.severity import by_amount
from services.detector.sieve import Fact, sieve
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
from services.detector.wording import masked, percent

_REAL_ESTATE: Final = "K"
_DEVELOPER: Final = bits_of({AccountRole.property_developer})
_MAY_PAY: Final = sieve(
    payee=OTHER,
    not_payee=KEEPER,
    purposes=(Purpose.purchase, Purpose.transfer, Purpose.unknown, Purpose.disburse),
    facts=Fact.known_payer,
)
_DISBURSED_LATE: Final = sieve(purposes=(Purpose.disburse,), facts=Fact.known_payee | Fact.out_of_order)


@dataclass(frozen=True, slots=True)
class Parameters:
    """K, W, φ of the catalogue, and the bounds of the search."""

    max_legs: int = parameter(4, "assumption: K, the disbursement included")
    window_days: int = parameter(30, "assumption: W")
    share_bp: int = parameter(3_000, "assumption: φ, as of self-lending")
    min_payment_minor: int = parameter(1_000_000, "assumption: CNY 10,000; less is rent or a deposit")
    max_edges: int = parameter(2_000, "bound on the transfers of one search")
    hub_degree: int = parameter(200, "bound: an account with more transfers in the window is not passed")
    max_accounts: int = parameter(100, "bound on the accounts through which money is followed")
    attribution: str = parameter("fifo", "assumption: first in, first out; or pro_rata, lowest_balance")
    max_listings: int = parameter(10, "bound on the listings looked at for one transfer, newest first")


class DownPaymentLoan(Typology):
    id = "down_payment_loan"
    name = Bilingual(zh="首付贷、众筹买房", en="Down-payment loan")
    law = (Citation(document="RP", article="二.1.4"),)
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.party",
        "registry.product",
        "feed.purpose",
        "feed.product",
    )
    look_alikes = (
        Bilingual(zh="企业购买建筑材料的贷款", en="a firm's building-material loan"),
        Bilingual(zh="借款人支付的小额房租", en="a borrower's rent"),
    )

    def __init__(self) -> None:
        self._real_estate = InIndustry(_REAL_ESTATE)

    def candidates(self, step: Step) -> Candidates:
        """Payments to real estate that are no rent; and disbursements that come out of order, whose
        money may have been seen to move before."""
        applied = step.applied
        paid = step.passing(_MAY_PAY, least(Parameters, self.id, "min_payment_minor", step))
        developer = (step.dst_marks[paid] & _DEVELOPER) != 0
        developer[~developer] = self._real_estate.of(step, applied.dst[paid[~developer]]) != 0
        rows = joined(paid[developer], step.passing(_DISBURSED_LATE))
        return Candidates(rows, applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if transfer.is_reversal:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        search = _Search(context, parameters)
        cases = (search.case(listing) for listing in search.listings(transfer.leg))
        return tuple(case.finding() for case in cases if case is not None)


class _Search:
    """Accounts of real estate, as ends of a loan's money."""

    def __init__(self, context: Context, parameters: Parameters) -> None:
        self.context = context
        self.entities = Entities(context)
        self.lending = Lending(context, self.entities)
        self.loans = Loans(context, self.lending, parameters)
        self.parameters = parameters

    def listings(self, leg: Leg) -> Iterator[Listing]:
        """Whose money `leg` may bring: none where it comes out of an account that keeps many people's."""
        if self.lending.listing(leg) is not None or not self.entities.roles(leg.src) & NOT_PASSED:
            yield from islice(self.loans.behind(leg), self.parameters.max_listings)

    def case(self, listing: Listing) -> _Case | None:
        """None while less than φ of it has arrived there."""
        loan = self.loans.disbursements(listing)
        if not loan:
            return None
        direct = self.is_real_estate(listing.borrower)
        came = paid_there(loan) if direct else arrival(self.context, self.parameters, loan, self)
        return _Case(self, listing, came) if came else None

    def is_real_estate(self, account: int) -> bool:
        is_developer = AccountRole.property_developer in self.entities.roles(account)
        return is_developer or self.entities.industry(account) == _REAL_ESTATE

    def legs(self, edges: Edges) -> list[Leg]:
        payees = distinct(edges.dst)
        ends = [account for account in payees.tolist() if self.is_real_estate(account)]
        return legs_of(edges, np.isin(edges.dst, ends))

    def counted(self, legs: Sequence[Leg], carried_by: Callable[[Leg], int]) -> dict[int, int]:
        carried = {leg.seq: carried_by(leg) for leg in legs}
        return {seq: minor for seq, minor in carried.items() if minor}

    def is_passed(self, account: int) -> bool:
        return is_passed(self.context, self.entities, account) and not self.is_real_estate(account)


@dataclass(frozen=True, slots=True)
class _Case:
    search: _Search
    listing: Listing
    arrival: Arrival

    @property
    def _payee(self) -> int:
        last = self.arrival.last
        return last[-1].dst if last else self.listing.borrower

    def finding(self) -> Finding:
        context, listing, arrival = self.search.context, self.listing, self.arrival
        currency = context.graph.currency(listing.currency)
        if listing.product_id:
            subject = Subject(kind=SubjectKind.product, id=listing.product_id)
        else:
            subject = Subject(kind=SubjectKind.account, id=context.token(listing.borrower))
        return Finding(
            subject=subject,
            institution_id=listing.institution_id,
            accounts=tuple(sorted({listing.borrower, *(leg.dst for leg in arrival.last)})),
            attributed=arrival.attributed,
            amount_minor=arrival.arrived_minor,
            currency=currency,
            confidence=self._confidence(),
            severity=(
                factor("rule", 40, "严禁首付贷性质的业务", "loans for down payments are forbidden"),
                by_amount(arrival.arrived_minor, currency),
            ),
            law=DownPaymentLoan.law,
            parameters=shown(self.search.parameters),
            explanation=explanation(
                Purchase(
                    institution_id=listing.institution_id,
                    listing=listing.product_id or masked(context.token(listing.borrower)),
                    payee=context.token(self._payee),
                    is_developer=AccountRole.property_developer in self.search.entities.roles(self._payee),
                    currency=currency,
                ),
                arrival,
            ),
            missing=self._missing(),
            limits=arrival.limits,
        )

    def _confidence(self) -> tuple[Factor, ...]:
        arrival, entities = self.arrival, self.search.entities
        share = percent(arrival.arrived_minor, arrival.disbursed_minor)
        zh, en = f"放款的 {share} 进入房地产账户", f"{share} of the loan reached real estate"
        factors = [factor("arrived", 50, zh, en)]
        if arrival.arrived_minor * 10 >= arrival.disbursed_minor * 8:
            factors.append(factor("most", 15, "绝大部分用于购房", "nearly all of it"))
        if AccountRole.property_developer in entities.roles(self._payee):
            factors.append(factor("developer", 15, "收款人是开发商", "the payee is a developer"))
        kind = self._borrower_kind()
        if kind is PartyKind.person:
            factors.append(factor("person", 10, "借款人是个人", "the borrower is a person"))
        if kind is PartyKind.company and arrival.last:
            factors.append(factor("company", -15, "借款人是企业", "the borrower is a company"))
        return (*factors, *lacking(self._missing()))

    def _borrower_kind(self) -> PartyKind | None:
        party = self.search.lending.borrower_party(self.listing)
        registry, now_us = self.search.context.registry, self.search.context.now_us
        record = registry.party(party, now_us) if party else None
        return record.party_kind if record else None

    def _missing(self) -> tuple[str, ...]:
        unknown = () if self._borrower_kind() else ("registry.party",)
        return (*self.search.lending.missing(self.listing), *unknown)
