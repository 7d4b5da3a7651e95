"""场外配资: a platform's loans, its clients' money or its own reach the stock market.

Money of platform P reaches securities margin accounts over time-respecting paths of at most K legs within
W, with at least φ of what was paid out attributed to them (first in, first out). What is followed is

- what is disbursed for a listing;
- other payments out of custody or a client's sub-account to somebody who is neither the client himself
  nor a client of P;
- payments out of P's own accounts that are said to be nothing in particular, but not into a margin
  account of P itself: that is its own investment.

A client's withdrawal is his own money from then on: he may take it to his broker. Nor do instalments,
interest, refunds, salaries, taxes, fees and purchases bring a platform's money anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from compiled import Bools
from schemas.alert import Citation, Factor, Subject, SubjectKind
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.ascending import joined
from services.detector.explanations.margin_funding import Funding, Origin, explanation
from services.detector.flows.lending import NOT_PASSED, Lending, Listing, is_passed
from services.detector.flows.loans import Arrival, Loans, arrival, paid_there
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import CLIENT_MONEY, OWN_MONEY, Entities
from services.detector.parties.marks import bits_of
from services.detector.purposes import among
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

_MARGIN: Final = bits_of({AccountRole.securities_margin})
_PAID_IN: Final = sieve(payee=_MARGIN, facts=Fact.known_payer | Fact.known_payee)
_DISBURSED_LATE: Final = sieve(
    purposes=(Purpose.disburse,), facts=Fact.known_payer | Fact.known_payee | Fact.out_of_order
)
_PLATFORMS: Final = bits_of(CLIENT_MONEY | OWN_MONEY)
_PAID_OUT: Final = frozenset(
    {Purpose.unknown, Purpose.transfer, Purpose.disburse, Purpose.invest, Purpose.recharge, Purpose.top_up}
)
_IS_PAID_OUT: Final = among(_PAID_OUT)


@dataclass(frozen=True, slots=True)
class Parameters:
    """K, W, φ, and the bounds of the search."""

    max_legs: int = parameter(4, "assumption: K, the first payment included")
    window_days: int = parameter(30, "assumption: W")
    share_bp: int = parameter(3_000, "assumption: φ, as of self-lending")
    min_payment_minor: int = parameter(1_000_000, "assumption: CNY 10,000; less is nobody's margin funding")
    max_edges: int = parameter(2_000, "bound on the transfers of one search")
    hub_degree: int = parameter(200, "bound: an account with more transfers in the window is not passed")
    max_accounts: int = parameter(100, "bound on the accounts through which money is followed")
    attribution: str = parameter("fifo", "assumption: first in, first out; or pro_rata, lowest_balance")
    max_listings: int = parameter(10, "bound on the payments out looked at for one transfer, newest first")


class MarginFunding(Typology):
    id = "margin_funding"
    name = Bilingual(zh="场外配资", en="Funding of securities margin")
    law = (Citation(document="RP", article="二.1.3"),)
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.product",
        "feed.purpose",
        "feed.product",
    )
    look_alikes = (
        Bilingual(
            zh="投资者把提现的自有资金转入证券账户",
            en="an investor's own withdrawal, later moved to a broker",
        ),
    )

    def candidates(self, step: Step) -> Candidates:
        """Payments into margin accounts; and disbursements that come out of order, whose money may have
        been seen to move before."""
        paid_in = step.passing(_PAID_IN, least(Parameters, self.id, "min_payment_minor", step))
        rows = joined(paid_in, step.passing(_DISBURSED_LATE))
        return Candidates(rows, step.applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if transfer.is_reversal:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        search = _Search(context, parameters)
        cases = (search.case(payment) for payment in search.payments(transfer.leg))
        return tuple(case.finding() for case in cases if case is not None)


class _PaidOut:
    """What is disbursed for listings, and what else leaves a platform's accounts, as loans are."""

    def __init__(self, context: Context, entities: Entities) -> None:
        self._context = context
        self._entities = entities
        self.lending = Lending(context, entities)

    def listing(self, leg: Leg) -> Listing | None:
        return self.lending.listing(leg) or self._outlay(leg)

    def could_disburse(self, edges: Edges) -> Bools:
        leaves = (self._context.marks[edges.src] & _PLATFORMS) != 0
        could: Bools = self.lending.could_disburse(edges) | (leaves & _IS_PAID_OUT[edges.purpose])
        return could

    def origin(self, leg: Leg) -> Origin:
        """Whose money `leg` pays out."""
        if self.lending.listing(leg) is not None:
            return Origin.loan
        return Origin.clients if self._entities.roles(leg.src) & CLIENT_MONEY else Origin.own

    def _outlay(self, leg: Leg) -> Listing | None:
        if leg.purpose not in _PAID_OUT or leg.dst == OUTSIDE_INDEX:
            return None
        for institution_id in self._entities.served(leg.src, CLIENT_MONEY | OWN_MONEY):
            if self._entities.is_platform(institution_id) and self._leaves(institution_id, leg):
                stated = leg.purpose is not Purpose.unknown
                return Listing(institution_id, None, leg.dst, leg.currency, stated)
        return None

    def _leaves(self, institution_id: str, leg: Leg) -> bool:
        """It neither stays among the platform's accounts nor becomes its owner's."""
        entities = self._entities
        if institution_id in entities.served(leg.dst, CLIENT_MONEY | OWN_MONEY):
            return False
        is_owners = entities.party(leg.src) is not None and entities.party(leg.src) == entities.party(leg.dst)
        roles = entities.roles(leg.src)
        if AccountRole.custody in roles:
            return institution_id not in entities.client_of(leg.dst)
        return not is_owners


class _Search:
    """Margin accounts, as ends of a platform's money."""

    def __init__(self, context: Context, parameters: Parameters) -> None:
        self.context = context
        self.entities = Entities(context)
        self.sources = _PaidOut(context, self.entities)
        self.parameters = parameters
        self._loans = Loans(context, self.sources, parameters)
        self._own: str | None = None

    def payments(self, leg: Leg) -> Iterator[Listing]:
        """Whose money `leg` may bring: none where it comes out of an account that keeps many people's."""
        if self.sources.listing(leg) is not None or not self.entities.roles(leg.src) & NOT_PASSED:
            yield from islice(self._loans.behind(leg), self.parameters.max_listings)

    def case(self, listing: Listing) -> _Case | None:
        """None while less than φ of it is in margin accounts."""
        loan = self._loans.disbursements(listing)
        if not loan:
            return None
        origin = self.sources.origin(loan[0])
        self._own = listing.institution_id if origin is Origin.own else None
        direct = self._is_end(listing.borrower)
        came = paid_there(loan) if direct else arrival(self.context, self.parameters, loan, self)
        return _Case(self, listing, origin, came) if came else None

    def legs(self, edges: Edges) -> list[Leg]:
        margin = (self.context.marks[edges.dst] & _MARGIN) != 0
        return [leg for leg in legs_of(edges, margin) if self._is_end(leg.dst)]

    def counted(self, legs: Sequence[Leg], carried_by: Callable[[Leg], int]) -> dict[int, int]:
        carried = {leg.seq: carried_by(leg) for leg in legs}
        return {seq: minor for seq, minor in carried.items() if minor}

    def is_passed(self, account: int) -> bool:
        return is_passed(self.context, self.entities, account)

    def _is_end(self, account: int) -> bool:
        if AccountRole.securities_margin not in self.entities.roles(account):
            return False
        return self._own is None or not self.entities.is_held_by(self._own, account)


@dataclass(frozen=True, slots=True)
class _Case:
    search: _Search
    listing: Listing
    origin: Origin
    arrival: Arrival

    def finding(self) -> Finding:
        context, listing, arrival = self.search.context, self.listing, self.arrival
        currency = context.graph.currency(listing.currency)
        account = context.token(listing.borrower)
        if listing.product_id:
            subject = Subject(kind=SubjectKind.product, id=listing.product_id)
        else:
            subject = Subject(kind=SubjectKind.account, id=account)
        missing = self._missing()
        return Finding(
            subject=subject,
            institution_id=listing.institution_id,
            accounts=tuple(sorted({listing.borrower, *(leg.dst for leg in arrival.last)})),
            attributed=arrival.attributed,
            amount_minor=arrival.arrived_minor,
            currency=currency,
            confidence=(*self._confidence(), *lacking(missing)),
            severity=(
                factor("rule", 45, "平台不得从事证券市场配资", "platforms must not fund margin trading"),
                by_amount(arrival.arrived_minor, currency),
            ),
            law=MarginFunding.law,
            parameters=shown(self.search.parameters),
            explanation=explanation(
                Funding(
                    institution_id=listing.institution_id,
                    origin=self.origin,
                    listing=listing.product_id or masked(account),
                    margin=context.token(arrival.last[-1].dst) if arrival.last else account,
                    currency=currency,
                ),
                arrival,
            ),
            missing=missing,
            limits=arrival.limits,
        )

    def _missing(self) -> tuple[str, ...]:
        """Only a loan is expected to have a product."""
        if self.origin is Origin.loan:
            return self.search.sources.lending.missing(self.listing)
        return () if self.listing.stated else ("feed.purpose",)

    def _confidence(self) -> Iterator[Factor]:
        arrival = self.arrival
        share = percent(arrival.arrived_minor, arrival.disbursed_minor)
        base = 40 if self.origin is Origin.own else 55
        zh, en = f"其中 {share} 进入证券保证金账户", f"{share} of it reached margin accounts"
        yield factor("arrived", base, zh, en)
        if arrival.arrived_minor * 10 >= arrival.disbursed_minor * 8:
            yield factor("most", 15, "绝大部分进入", "nearly all of it")
        if len(arrival.last) < 2:
            yield factor("straight", 10, "路径清晰", "over a single way")
