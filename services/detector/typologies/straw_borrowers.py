"""虚构标的: many borrowers of a platform hand their loans to one and the same receiver.

At least N borrowers of platform P, each within W of the disbursement and over time-respecting paths of at
most K legs, send at least φ of what was disbursed to them to one receiver (first in, first out), all
within a window. Borrowers and receivers are counted as parties where the registry knows them.

A receiver to whom the money comes as a purchase, or where the feed says nothing, does not count when it is
a shop or a developer: registered as one, or paid by a number of others besides. A loan is looked at when
its borrower pays on a share of it that matters, and again 1, 4, 12 and 30 days after: what goes over
strangers is so found with some delay.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.explanations.straw_borrowers import Straws, explanation
from services.detector.flows.lending import NOT_PASSED_MARKS, Lending, Listing, is_passed
from services.detector.flows.loans import Loans
from services.detector.flows.tracing import Trace, branches, follow, passed
from services.detector.flows.young_loans import Young, YoungLoans
from services.detector.graph import Edges
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg
from services.detector.parties.entities import Entities
from services.detector.parties.marks import BORROWER, CUSTODY, KEEPER
from services.detector.severity import by_amount
from services.detector.sieve import Fact, either, sieve
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Recheck,
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
_MAX_RECEIVERS: Final = 50_000
"""Past it the one longest without a new borrower is forgotten."""
_MAX_BORROWERS: Final = 200
"""Of one receiver; past it the earliest is forgotten."""
_BETWEEN_KNOWN: Final = Fact.known_payer | Fact.known_payee
_DISBURSES: Final = either(
    sieve(purposes=(Purpose.disburse,), facts=_BETWEEN_KNOWN),
    sieve(
        payer=CUSTODY,
        payee=BORROWER,
        purposes=(Purpose.unknown, Purpose.transfer),
        facts=_BETWEEN_KNOWN,
    ),
)
_PAYS: Final = sieve(not_payee=KEEPER, facts=_BETWEEN_KNOWN)
_SHOPS: Final = frozenset({AccountRole.merchant_settlement, AccountRole.property_developer})
_BOUGHT: Final = frozenset({Purpose.purchase, Purpose.unknown})


@dataclass(frozen=True, slots=True)
class Parameters:
    """N, φ, W, K of the catalogue, and the bounds of the search."""

    min_borrowers: int = parameter(3, "assumption: N, three with one receiver are no coincidence")
    share_bp: int = parameter(5_000, "assumption: φ, most of the loan")
    window_days: int = parameter(30, "assumption: W, and the window over which borrowers count together")
    max_legs: int = parameter(4, "assumption: K, the disbursement included")
    branch_bp: int = parameter(1_000, "assumption: over an account that got or paid less goes no loan")
    shop_payers: int = parameter(10, "assumption: others who pay a shop besides these borrowers")
    max_edges: int = parameter(2_000, "bound on the transfers of one search")
    hub_degree: int = parameter(200, "bound: an account with more transfers in the window is not passed")
    max_accounts: int = parameter(100, "bound on the accounts through which money is followed")
    attribution: str = parameter("fifo", "assumption: first in, first out; or pro_rata, lowest_balance")
    max_listings: int = parameter(10, "bound on the listings of one borrower that are followed")


class _Key(NamedTuple):
    institution_id: str
    receiver: str
    """As an entity."""
    currency: int


class _Share(NamedTuple):
    """What one borrower handed on."""

    account: int
    disbursed_us: int
    disbursed_minor: int
    minor: int
    attributed: Mapping[int, int]
    accounts: tuple[int, ...]
    payers: frozenset[int]
    """Of all that is attributed, and perhaps of more."""
    bought: bool
    missing: tuple[str, ...]
    limits: tuple[Limit, ...]


class StrawBorrowers(Typology):
    id = "straw_borrowers"
    name = Bilingual(zh="虚构标的", en="Straw borrowers")
    law = (Citation(document="RP", article="二.1.1"),)
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.product",
        "feed.purpose",
        "feed.product",
    )
    look_alikes = (
        Bilingual(zh="多名借款人在同一大型商户消费", en="borrowers who buy from one big shop"),
        Bilingual(zh="多名借款人向同一开发商购房", en="borrowers who buy from one developer"),
    )

    def __init__(self) -> None:
        self._young = YoungLoans()
        self._shares: OrderedDict[_Key, dict[str, _Share]] = OrderedDict()

    def candidates(self, step: Step) -> Candidates:
        """Disbursements; and payments that could alone be φ of a loan of their payer."""
        applied = step.applied
        disbursed, paid = step.passing(_DISBURSES), step.passing(_PAYS)
        share_bp = least(Parameters, self.id, "share_bp", step)
        least_minor = self._young.least_minor(applied.src[paid], applied.dst[disbursed])
        disburses, chosen = np.zeros((2, applied.src.size), np.bool_)
        chosen[paid] = applied.amount_minor[paid] >= least_minor // _WHOLE * share_bp
        disburses[disbursed] = chosen[disbursed] = True
        rows = np.flatnonzero(chosen)
        return Candidates(rows, np.where(disburses[rows], applied.dst[rows], applied.src[rows]))

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        account = transfer.account
        if transfer.is_reversal or (account == transfer.src and not self._young.of(account)):
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        search = _Search(context, parameters)
        if account == transfer.dst:
            return self._disbursed(search, transfer.leg)
        paid = transfer.amount_minor * _WHOLE
        loans = [
            one for one in self._young.of(account) if paid >= parameters.share_bp * one[1].disbursed_minor
        ]
        return self._looked(search, account, loans) if loans else None

    def recheck(self, context: Context, account: int) -> Outcome:
        search = _Search(context, in_force(Parameters, self.id, context.rules))
        return self._looked(search, account, self._young.of(account))

    def _disbursed(self, search: _Search, leg: Leg) -> Outcome:
        listing = search.lending.listing(leg)
        if listing is None:
            return None
        self._young.add(listing, leg.ts_us, leg.amount_minor)
        return self._again(search, listing.borrower)

    def _again(self, search: _Search, account: int) -> Recheck | None:
        window_us = search.parameters.window_days * DAY
        due_us = self._young.next_us(account, search.context.now_us, window_us)
        return None if due_us is None else Recheck(account, due_us)

    def _looked(self, search: _Search, account: int, loans: Iterable[tuple[Listing, Young]]) -> Outcome:
        """Note who got the money of each of the account's `loans`, and whether that makes enough."""
        suspects = dict.fromkeys(
            key
            for listing, young in loans
            if search.paid_enough(listing, young)
            for key, share in search.handed_on(listing)
            if self._note(search, key, share, listing)
        )
        again = self._again(search, account)
        if not suspects:
            return again
        return tuple(search.finding(key, self._shares[key], again, self._young.refused) for key in suspects)

    def _note(self, search: _Search, key: _Key, share: _Share, listing: Listing) -> bool:
        """True when the receiver has enough borrowers and is no shop."""
        since_us = search.context.now_us - search.parameters.window_days * DAY
        shares = self._shares.pop(key, {})
        shares = {who: one for who, one in shares.items() if one.disbursed_us >= since_us}
        shares[search.entities.entity(listing.borrower)] = share
        if len(shares) > _MAX_BORROWERS:
            del shares[next(iter(shares))]
        self._shares[key] = shares
        if len(self._shares) > _MAX_RECEIVERS:
            self._shares.popitem(last=False)
        return len(shares) >= search.parameters.min_borrowers and not search.is_shop(shares)


class _Search:
    def __init__(self, context: Context, parameters: Parameters) -> None:
        self.context = context
        self.parameters = parameters
        self.entities = Entities(context)
        self.lending = Lending(context, self.entities)
        self._loans = Loans(context, self.lending, parameters)

    def handed_on(self, listing: Listing) -> Iterator[tuple[_Key, _Share]]:
        """The receivers of at least φ of the loan."""
        loan = self._loans.disbursements(listing)
        disbursed = sum(leg.amount_minor for leg in loan)
        if not loan:
            return
        p, borrower = self.parameters, listing.borrower
        ways = branches(self.context, loan, p, p.branch_bp * disbursed // _WHOLE)
        followed = passed(borrower, ways, p, self._is_passed)
        trace = follow(self.context, loan, p, followed, ways.limits)
        for receiver, legs in self._by_receiver(listing, trace, disbursed).items():
            minor = sum(legs.values())
            if not self._is_enough(minor, disbursed):
                continue
            key = _Key(listing.institution_id, receiver, listing.currency)
            yield (
                key,
                _Share(
                    account=listing.borrower,
                    disbursed_us=loan[0].ts_us,
                    disbursed_minor=disbursed,
                    minor=minor,
                    attributed=trace.towards(legs)
                    | {leg.seq: leg.amount_minor for leg in loan}
                    | {leg.seq: carried for leg, carried in legs.items()},
                    accounts=tuple(sorted({leg.dst for leg in legs})),
                    payers=frozenset(trace.src.tolist()),
                    bought=all(leg.purpose in _BOUGHT for leg in legs),
                    missing=self.lending.missing(listing),
                    limits=trace.limits,
                ),
            )

    def paid_enough(self, listing: Listing, young: Young) -> bool:
        """The borrower has paid out at least φ of the loan since, and to accounts where it could be found
        or followed: cheap to ask before it is followed."""
        context, p, disbursed = self.context, self.parameters, young.disbursed_minor
        view = (young.since_us, context.now_us, context.as_of, p.max_edges)
        paid = context.graph.paid(listing.borrower, listing.currency, context.marks, NOT_PASSED_MARKS, *view)
        if not self._is_enough(paid.minor, disbursed):
            return False
        if young.since_us < context.now_us - p.window_days * DAY:
            return True  # of a loan paid out in parts, some are no longer looked at
        if self._is_enough(paid.unmarked_minor, disbursed):
            return True
        if not self._is_enough(paid.unmarked_minor + paid.marked_minor, disbursed):
            return False
        edges = context.graph.edges_out(listing.borrower, *view)
        in_currency = zip(*_paid_in(edges, listing.currency), strict=True)
        followed = (minor for payee, minor in in_currency if payee and self._is_passed(payee))
        return self._is_enough(sum(followed), disbursed)

    def _is_enough(self, minor: int, disbursed: int) -> bool:
        return minor * _WHOLE >= self.parameters.share_bp * disbursed

    def _by_receiver(self, listing: Listing, trace: Trace, disbursed: int) -> dict[str, dict[Leg, int]]:
        """What the loan's money brought to each entity but the borrower, from others than itself; only
        those to whom it brought φ in all."""
        receivers = self._receivers(listing, trace, disbursed)
        found: dict[str, dict[Leg, int]] = {}
        for leg, minor in trace.carriers_to(receivers).items() if receivers else ():
            receiver = receivers[leg.dst]
            if leg.purpose is not Purpose.refund and receiver != self.entities.entity(leg.src):
                found.setdefault(receiver, {})[leg] = minor
        return found

    def _receivers(self, listing: Listing, trace: Trace, disbursed: int) -> dict[int, str]:
        """The accounts of those entities, and whose each is."""
        entity, least_minor = self.entities.entity, -(-self.parameters.share_bp * disbursed // _WHOLE)
        whose: dict[int, str] = {}
        most: dict[str, int] = {}
        for account, minor in zip(trace.dst.tolist(), trace.carried_minor.tolist(), strict=True):
            who = whose.get(account)
            if who is None:
                who = whose[account] = entity(account)
            most[who] = most.get(who, 0) + minor
        most.pop(entity(OUTSIDE_INDEX), None)
        most.pop(entity(listing.borrower), None)
        enough = {who for who, minor in most.items() if minor >= least_minor}
        return {one: who for one, who in whose.items() if who in enough and self._is_passed(one)}

    def _is_passed(self, account: int) -> bool:
        return is_passed(self.context, self.entities, account)

    def is_shop(self, shares: Mapping[str, _Share]) -> bool:
        """They bought there, as many others do."""
        if not all(share.bought for share in shares.values()):
            return False
        accounts = sorted({account for share in shares.values() for account in share.accounts})
        if any(self.entities.roles(account) & _SHOPS for account in accounts):
            return True
        enough, whole = self.parameters.shop_payers, self.parameters.max_edges
        theirs = frozenset[int]().union(*(share.payers for share in shares.values()))
        recent = {
            payer for edges in self._paid(accounts, min(5 * enough, whole)) for payer in edges.src.tolist()
        }
        if len(recent - theirs - {OUTSIDE_INDEX}) >= enough:
            return True  # and no fewer among all their payers
        paid = self._paid(accounts, whole)
        carried = [seq for share in shares.values() for seq in share.attributed]
        theirs = frozenset(
            account for edges in paid for account in edges.src[np.isin(edges.seq, carried)].tolist()
        )
        payers = {account for edges in paid for account in edges.src.tolist()}
        return len(payers - theirs - {OUTSIDE_INDEX}) >= enough

    def _paid(self, accounts: Sequence[int], limit: int) -> list[Edges]:
        """What was paid to each in the window, the last ones."""
        context = self.context
        since_us = context.now_us - self.parameters.window_days * DAY
        until = (context.now_us, context.as_of, limit)
        return [context.graph.edges_in(account, since_us, *until) for account in accounts]

    def finding(
        self, key: _Key, shares: Mapping[str, _Share], again: Recheck | None, refused: int
    ) -> Finding:
        currency = self.context.graph.currency(key.currency)
        minor = sum(share.minor for share in shares.values())
        receivers = sorted({account for share in shares.values() for account in share.accounts})
        attributed: dict[int, int] = {}
        for share in shares.values():
            attributed |= share.attributed
        missing = tuple(sorted({name for share in shares.values() for name in share.missing}))
        party = self.entities.party(receivers[0])
        if party is None:
            subject = Subject(kind=SubjectKind.account, id=self.context.token(receivers[0]))
            missing = (*missing, "registry.account")
        else:
            subject = Subject(kind=SubjectKind.party, id=party)
        limits = {limit for share in shares.values() for limit in share.limits}
        cut = (Limit(name="young_loans", bound=refused),) if refused else ()
        full = (Limit(name="borrowers", bound=_MAX_BORROWERS),) if len(shares) == _MAX_BORROWERS else ()
        return Finding(
            subject=subject,
            institution_id=key.institution_id,
            accounts=tuple(sorted({*receivers, *(share.account for share in shares.values())})),
            attributed=attributed,
            amount_minor=minor,
            currency=currency,
            confidence=(*self._confidence(key, shares, receivers), *lacking(missing)),
            severity=(
                factor("rule", 50, "虚构标的是网贷平台的红线", "invented listings are a red line"),
                by_amount(minor, currency),
            ),
            law=StrawBorrowers.law,
            parameters=shown(self.parameters),
            explanation=explanation(
                Straws(
                    institution_id=key.institution_id,
                    borrowers=len(shares),
                    first_us=min(share.disbursed_us for share in shares.values()),
                    disbursed_minor=sum(share.disbursed_minor for share in shares.values()),
                    minor=minor,
                    currency=currency,
                    receiver=self.context.token(receivers[0]),
                )
            ),
            missing=missing,
            limits=(*sorted(limits, key=lambda one: one.name), *cut, *full),
            again=again,
        )

    def _confidence(self, key: _Key, shares: Mapping[str, _Share], receivers: list[int]) -> Iterator[Factor]:
        count = len(shares)
        yield factor("borrowers", min(60, 40 + 5 * count), f"{count} 名借款人", f"{count} borrowers")
        disbursed = sum(share.disbursed_minor for share in shares.values())
        if sum(share.minor for share in shares.values()) * 10 >= disbursed * 8:
            yield factor("most", 15, "绝大部分转给同一人", "nearly all of their loans")
        if any(self.entities.is_related(key.institution_id, account) for account in receivers):
            yield factor("related", 15, "收款人是平台的关联方", "the receiver is a related party")
        if all(share.bought for share in shares.values()):
            yield factor("bought", -15, "以消费名义付款", "paid as purchases")


def _paid_in(paid: Edges, currency: int) -> tuple[list[int], list[int]]:
    """Payees and amounts of the payments in that currency."""
    chosen = paid.currency == currency
    return paid.dst[chosen].tolist(), paid.amount_minor[chosen].tolist()
