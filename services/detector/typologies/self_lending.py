"""自融: investors' money, disbursed for a platform's listing, comes home to the platform's own people.

Money disbursed for a listing of platform P reaches, over time-respecting paths of at most K legs within
W, an account of P or of a related party of P, with at least φ of what was disbursed attributed to it
(first in, first out); or the borrower is P or a related party itself.

What does not count: P's fee within its filed rate of the amount; salaries; refunds to whoever had paid;
instalments and withdrawals into a related person's own client sub-account. No path is drawn through an
account that keeps many people's money, such as custody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from compiled import Bools, Int64s
from registry import Relatedness
from schemas.alert import Citation, Factor, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, PartyKind
from schemas.transaction import Purpose
from services.detector.ascending import joined
from services.detector.explanations.self_lending import Loan, explanation
from services.detector.flows.lending import NOT_PASSED, Lending, Listing, is_passed
from services.detector.flows.loans import Arrival, Loans, arrival, can_have_left, paid_there
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.lookups import NearPlatforms
from services.detector.parties.marks import CLIENT, CUSTODY, OTHER, TIED
from services.detector.purposes import among
from services.detector.severity import by_amount
from services.detector.sieve import BETWEEN_ACCOUNTS, either, sieve
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

_WHOLE: Final = 10_000
_STAYS_CLIENTS: Final = frozenset(
    {
        Purpose.repay,
        Purpose.interest,
        Purpose.refund,
        Purpose.withdraw,
        Purpose.redemption,
        Purpose.recharge,
    }
)
_PERSONAL: Final = frozenset({AccountRole.external, AccountRole.client})
_FEE_ROLES: Final = frozenset({AccountRole.fee})
_DISBURSING: Final = (Purpose.unknown, Purpose.transfer, Purpose.disburse)
_MAY_DISBURSE: Final = among(_DISBURSING)
_COMES_HOME: Final = either(
    sieve(payee=TIED, not_payer=CUSTODY, facts=BETWEEN_ACCOUNTS),
    sieve(payee=TIED, purposes=_DISBURSING, facts=BETWEEN_ACCOUNTS),
)
_DISBURSED: Final = sieve(purposes=(Purpose.disburse,), facts=BETWEEN_ACCOUNTS)


@dataclass(frozen=True, slots=True)
class Parameters:
    """K, W, φ of the catalogue, and the bounds of the search."""

    max_legs: int = parameter(5, "assumption: K, the disbursement included")
    window_days: int = parameter(30, "assumption: W")
    share_bp: int = parameter(3_000, "assumption: φ")
    salary_cap_minor: int = parameter(10_000_000, "assumption: CNY 100,000; more is no month's salary")
    small_fee_minor: int = parameter(
        10_000, "assumption: CNY 100; a fee so small brings no loan home, and is counted with what does"
    )
    max_edges: int = parameter(2_000, "bound on the transfers of one search")
    hub_degree: int = parameter(200, "bound: an account with more transfers in the window is not passed")
    max_accounts: int = parameter(100, "bound on the accounts through which money is followed")
    attribution: str = parameter("fifo", "assumption: first in, first out; or pro_rata, lowest_balance")
    max_listings: int = parameter(10, "bound on the listings looked at for one transfer, newest first")


class SelfLending(Typology):
    id = "self_lending"
    name = Bilingual(zh="自融", en="Self-lending")
    law = (Citation(document="RP", article="二.1.1"),)
    parameters = Parameters
    needs = (
        "registry.institution",
        "registry.account",
        "registry.relation",
        "registry.product",
        "feed.purpose",
        "feed.product",
    )
    look_alikes = (
        Bilingual(zh="备案费率以内的平台服务费", en="the platform's fee within the filed rate"),
        Bilingual(zh="关联供应商收取的小额货款", en="a related supplier that is paid a small share"),
        Bilingual(zh="工资", en="salaries"),
        Bilingual(zh="退款", en="refunds"),
    )

    def __init__(self) -> None:
        self._near_platforms = NearPlatforms()

    def candidates(self, step: Step) -> Candidates:
        """Payments to whoever was ever tied to a platform, and others to whoever was to an institution if
        they may disburse; disbursements to a tied borrower; and disbursements that come out of order, whose
        money may have been seen to move before."""
        applied, home, disbursed = step.applied, step.passing(_COMES_HOME), step.passing(_DISBURSED)
        home = home[(step.dst_marks[home] & (OTHER | CLIENT)) != 0]
        is_large = applied.amount_minor[home] > least(Parameters, self.id, "small_fee_minor", step)
        home = home[is_large | (applied.purpose[home] != int(Purpose.fee))]
        is_near = self._near_platforms.of(step, applied.dst[home]) != 0
        home = home[is_near | _MAY_DISBURSE[applied.purpose[home]]]
        out_of_order = applied.ts_us[disbursed] < applied.clock_us[disbursed]
        rows = joined(home, disbursed[out_of_order | _tied_borrower(step, disbursed)])
        return Candidates(rows, applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if transfer.is_reversal:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        if transfer.purpose is Purpose.fee and transfer.amount_minor <= parameters.small_fee_minor:
            return None
        search = _Search(context, transfer, parameters)
        cases = (search.case(listing) for listing in search.listings())
        return tuple(case.finding() for case in cases if case is not None)


def _tied_borrower(step: Step, disbursed: Int64s) -> Bools:
    """Which of the rows are under a product whose borrower was ever tied to an institution."""
    registry, codes = step.registry, step.applied.product[disbursed].tolist()
    borrowers = {code: registry.borrowers(step.graph.product(code)) for code in set(codes)}
    tied = {code: any(map(registry.institutions_tied, parties)) for code, parties in borrowers.items()}
    return np.array([tied[code] for code in codes], np.bool_)


class _Search:
    """From the transfer that triggered: back to the disbursements it may complete, and on from them."""

    def __init__(self, context: Context, transfer: Transfer, parameters: Parameters) -> None:
        self.context = context
        self.entities = Entities(context)
        self.lending = Lending(context, self.entities)
        self.parameters = parameters
        self.since_us = context.now_us - parameters.window_days * DAY
        self._transfer = transfer
        self._loans = Loans(context, self.lending, parameters)

    def listings(self) -> Iterator[Listing]:
        """The transfer's own, if it disburses; else those whose money may have reached its payer."""
        leg = self._transfer.leg
        if self.lending.listing(leg) is not None:
            yield from self._loans.behind(leg)
            return
        homes = self._homes(leg)
        if homes:
            behind = (one for one in self._loans.behind(leg) if one.institution_id in homes)
            yield from islice(behind, self.parameters.max_listings)

    def _homes(self, leg: Leg) -> list[str]:
        """The platforms that `leg` pays as their own money."""
        if self.entities.roles(leg.src) & NOT_PASSED or not self._is_own_money(leg):
            return []
        platforms = filter(self.entities.is_platform, self.entities.ties(leg.dst))
        return [one for one in platforms if self.entities.is_related(one, leg.dst)]

    def is_home(self, institution_id: str, leg: Leg) -> bool:
        """It pays an account of the institution's own or of a related party, as its own money."""
        return self._is_own_money(leg) and self.entities.is_related(institution_id, leg.dst)

    def _is_own_money(self, leg: Leg) -> bool:
        """It pays its payee and nobody whose money the payee keeps."""
        roles = self.entities.roles(leg.dst)
        if leg.dst == OUTSIDE_INDEX or roles & NOT_PASSED:
            return False
        return AccountRole.client not in roles or leg.purpose not in _STAYS_CLIENTS

    def case(self, listing: Listing) -> _Case | None:
        """The listing's money as it stands; None while less than φ of it has come home."""
        loan = self._loans.disbursements(listing)
        if not loan:
            return None
        borrower = self.lending.borrower_party(listing)
        registry, now_us = self.context.registry, self.context.now_us
        tie = registry.related(listing.institution_id, borrower, now_us) if borrower else None
        if tie is not None:
            return _Case(self, listing, paid_there(loan), tie)
        home = _Home(self, listing, sum(leg.amount_minor for leg in loan))
        if home.is_passed(listing.borrower) and not can_have_left(self.context, self.parameters, loan):
            return None  # it is no home itself
        came = arrival(self.context, self.parameters, loan, home)
        return _Case(self, listing, came, self._closest(listing, came.last)) if came else None

    def _closest(self, listing: Listing, paid: Sequence[Leg]) -> Relatedness | None:
        parties = sorted({party for leg in paid if (party := self.entities.party(leg.dst))})
        registry, now_us = self.context.registry, self.context.now_us
        ties = (registry.related(listing.institution_id, party, now_us) for party in parties)
        return min((tie for tie in ties if tie), key=lambda tie: (tie.links, -tie.share_bp), default=None)


class _Home:
    """Accounts of a listing's platform and its related parties, as ends of the listing's money."""

    def __init__(self, search: _Search, listing: Listing, disbursed_minor: int) -> None:
        self._search = search
        self._context = search.context
        self._entities = search.entities
        self._institution_id = listing.institution_id
        rate_bp = search.entities.filed_fee_bp(listing.institution_id) or 0
        self._filed_fee_minor = disbursed_minor * rate_bp // _WHOLE

    def legs(self, edges: Edges) -> list[Leg]:
        tied = (self._context.marks[edges.dst] & TIED) != 0
        return [leg for leg in legs_of(edges, tied) if self._search.is_home(self._institution_id, leg)]

    def counted(self, legs: Sequence[Leg], carried_by: Callable[[Leg], int]) -> dict[int, int]:
        """Fees up to the filed rate and other honest legs left out."""
        allowance = self._filed_fee_minor
        returned: dict[int, int] = {}
        for leg in legs:
            carried = carried_by(leg)
            if not carried or self._is_salary(leg) or self._is_refund(leg):
                continue
            if self._is_fee(leg):
                waived = min(carried, allowance)
                allowance -= waived
                carried -= waived
            if carried:
                returned[leg.seq] = carried
        return returned

    def is_passed(self, account: int) -> bool:
        if not is_passed(self._context, self._entities, account):
            return False
        return not self._entities.is_related(self._institution_id, account)

    def _is_fee(self, leg: Leg) -> bool:
        unstated = leg.purpose is Purpose.unknown and bool(self._entities.roles(leg.dst) & _FEE_ROLES)
        return leg.purpose is Purpose.fee or unstated

    def _is_salary(self, leg: Leg) -> bool:
        if leg.purpose is not Purpose.salary or leg.amount_minor > self._search.parameters.salary_cap_minor:
            return False
        party = self._entities.party(leg.dst)
        record = self._context.registry.party(party, self._context.now_us) if party else None
        if record is None:
            return self._entities.roles(leg.dst) <= _PERSONAL
        return record.party_kind is PartyKind.person

    def _is_refund(self, leg: Leg) -> bool:
        """It goes back to somebody who had paid the one who refunds."""
        if leg.purpose is not Purpose.refund:
            return False
        paid = self._context.graph.edges_in(
            leg.src,
            self._search.since_us,
            leg.ts_us,
            self._context.as_of,
            self._search.parameters.max_edges,
        )
        return bool((paid.src == leg.dst).any())


@dataclass(frozen=True, slots=True)
class _Case:
    """A listing of which at least φ came home. `tie`: the closest of those it came to."""

    search: _Search
    listing: Listing
    arrival: Arrival
    tie: Relatedness | None

    @property
    def paid(self) -> tuple[Leg, ...]:
        """The legs that brought it; none where the borrower itself is one of the platform's people."""
        return self.arrival.last

    def finding(self) -> Finding:
        context, listing = self.search.context, self.listing
        currency = context.graph.currency(listing.currency)
        if listing.product_id:
            subject = Subject(kind=SubjectKind.product, id=listing.product_id)
        else:
            subject = Subject(kind=SubjectKind.account, id=context.token(listing.borrower))
        return Finding(
            subject=subject,
            institution_id=listing.institution_id,
            accounts=tuple(sorted({listing.borrower, *(leg.dst for leg in self.paid)})),
            attributed=self.arrival.attributed,
            amount_minor=self.arrival.arrived_minor,
            currency=currency,
            confidence=self._confidence(),
            severity=(
                factor("rule", 50, "自融是网贷平台的红线", "self-lending is a red line for platforms"),
                by_amount(self.arrival.arrived_minor, currency),
            ),
            law=SelfLending.law,
            parameters=shown(self.search.parameters),
            explanation=explanation(self._loan(currency)),
            missing=self.search.lending.missing(self.listing),
            limits=self.arrival.limits,
        )

    def _confidence(self) -> tuple[Factor, ...]:
        share = percent(self.arrival.arrived_minor, self.arrival.disbursed_minor)
        factors = [factor("returned", 50, f"放款的 {share} 回到关联方", f"{share} of the loan came home")]
        if self.arrival.arrived_minor * 10 >= self.arrival.disbursed_minor * 8:
            factors.append(factor("most", 15, "绝大部分回流", "nearly all of it"))
        if self.tie is not None:
            near = max(0, 25 - 5 * self.tie.links)
            zh, en = f"与平台相隔 {self.tie.links} 层关系", f"{self.tie.links} links from the platform"
            factors.append(factor("tie", near, zh, en))
        if not self.paid:
            factors.append(factor("borrower", 10, "借款人本身就是关联方", "the borrower itself is related"))
        return (*factors, *lacking(self.search.lending.missing(self.listing)))

    def _loan(self, currency: str) -> Loan:
        context, last = self.search.context, self.paid[-1] if self.paid else None
        roles = sorted(self.search.entities.roles(last.dst)) if last else []
        return Loan(
            institution_id=self.listing.institution_id,
            listing=self.listing.product_id or masked(context.token(self.listing.borrower)),
            first_us=self.arrival.loan[0].ts_us,
            disbursed_minor=self.arrival.disbursed_minor,
            returned_minor=self.arrival.arrived_minor,
            currency=currency,
            tie=self.tie,
            last_us=last.ts_us if last else None,
            last_token=context.token(last.dst) if last else "",
            last_role=roles[0] if roles else None,
        )
