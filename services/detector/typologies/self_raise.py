"""自筹: a crowdfunding project is backed by its own people, not by the public.

Of the money raised for a project, at least φ comes from related parties of the platform (members of its
group among them) or of the project's company, or from backers whose money such a party had given them
within `nominee_days`, directly or by way of one more account, and of the backer's own card (first in,
first out). The whole is the
project's target while it is being raised, where one is registered, and what was raised once it is paid
out. What is refunded does not count.

A founder, registered as a shareholder of the company before the project was issued, may take up to that
share of the whole, and all founders together up to half; not so where it is also a related party of the
platform. Salaries, redemptions,
refunds and the like that a backer had received are its own money. Where the feed names no product, the
only project that a platform has is meant; with several nothing can be told apart.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from compiled import Bools
from schemas.alert import Citation, EvidenceEdge, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import Product, RelationKind
from schemas.transaction import Purpose
from services.detector.evidence import keep
from services.detector.explanations.self_raise import Raised, explanation
from services.detector.flows.carrying import Attributed, attribute
from services.detector.flows.nominees import AGENT
from services.detector.graph import Edges
from services.detector.legs import legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import CLIENT, CUSTODY
from services.detector.parties.projects import Projects, project_of
from services.detector.purposes import among
from services.detector.severity import by_amount
from services.detector.sieve import either, sieve
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
)
from services.detector.wording import percent

_WHOLE: Final = 10_000
_IS_FUND: Final = among(
    (
        Purpose.transfer,
        Purpose.recharge,
        Purpose.invest,
        Purpose.purchase,
        Purpose.disburse,
        Purpose.unknown,
    )
)
_UNSTATED: Final = (int(Purpose.transfer), int(Purpose.unknown))
_PAID_OUT: Final = frozenset({Purpose.refund, Purpose.disburse})
_IS_PAID_OUT: Final = among(_PAID_OUT)
_MOVES: Final = either(
    sieve(payee=CUSTODY, purposes=[Purpose.invest]),
    sieve(payee=CUSTODY, payer=CLIENT, purposes=_UNSTATED),
    sieve(payer=CUSTODY, purposes=_PAID_OUT),
)
_MAX_PROJECTS: Final = 20_000
"""Past it the project longest without a backer is forgotten."""
_MAX_BACKINGS: Final = 500
"""Related backings kept of one project; further ones are not taken in."""
_MAX_GIFTS: Final = 5
"""Payments kept that show where one nominee's money came from, the latest."""


@dataclass(frozen=True, slots=True)
class Parameters:
    share_bp: int = parameter(2_000, "assumption: φ")
    founders_bp: int = parameter(5_000, "assumption: beyond half, together, it is no public offer")
    nominee_days: int = parameter(14, "assumption: a nominee is given the money while it is being raised")
    nominee_share_bp: int = parameter(5_000, "assumption: at least half of the stake is the other's money")
    nominee_legs: int = parameter(3, "assumption: the giver, one account between, the backer's own card")
    max_accounts: int = parameter(20, "bound on the accounts that a nominee's money may have come through")
    max_edges: int = parameter(500, "bound on the payments looked at behind one backer")
    hub_degree: int = parameter(200, "bound: an account with more transfers in is not passed")


class _Backing(NamedTuple):
    """A related party's. `allowed_bp`: the founder's registered share of the company."""

    account: int
    party: str
    minor: int
    allowed_bp: int
    is_nominee: bool
    of_platform: bool
    edges: tuple[EvidenceEdge, ...]


@dataclass(slots=True)
class _Raise:
    raised_minor: int = 0
    backings: list[_Backing] = field(default_factory=list)


class SelfRaise(Typology):
    id = "self_raise"
    name = Bilingual(zh="自筹", en="Self-raised project")
    law = (Citation(document="RP", article="二.1.2"),)
    parameters = Parameters
    needs = ("registry.relation", "registry.product", "feed.purpose", "feed.product")
    look_alikes = (
        Bilingual(zh="创始人在登记持股比例内的认购", en="founders' declared share"),
        Bilingual(zh="支持者的工资、回款等自有收入", en="backers' own income, as salaries"),
    )

    def __init__(self) -> None:
        self._raises: OrderedDict[tuple[str, int], _Raise] = OrderedDict()
        """By project and currency."""
        self._projects = Projects()

    def candidates(self, step: Step) -> Candidates:
        """Payments into custody for a project, refunds of them, and the payment to its company."""
        applied, rows = step.applied, step.passing(_MOVES)
        if not rows.size:
            return NOBODY
        rows = self._projects.among(step, rows)
        paid_out = _IS_PAID_OUT[applied.purpose[rows]]
        return Candidates(rows, np.where(paid_out, applied.dst[rows], applied.src[rows]))

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        entities = Entities(context)
        project = project_of(context, entities, transfer)
        if project is None:
            return None
        p = in_force(Parameters, self.id, context.rules)
        raising = self._raise(project.product.product_id, transfer.currency)
        if transfer.purpose is Purpose.refund or transfer.is_reversal:
            _refund(raising, transfer)
            return None
        is_over = transfer.purpose is Purpose.disburse
        if not is_over:
            raising.raised_minor += transfer.amount_minor
            backing = _Backer(context, entities, transfer, project.product, p).backing()
            if backing is None or len(raising.backings) == _MAX_BACKINGS:
                return None
            raising.backings.append(backing)
        whole = raising.raised_minor
        if not is_over:
            if project.product.principal_minor == 0:
                return None
            whole = max(whole, project.product.principal_minor)
        counted = _counted(raising, whole, p)
        minor = sum(counted.values())
        if minor == 0 or minor * _WHOLE < p.share_bp * whole:
            return None
        missing = {
            "feed.purpose": transfer.purpose in _UNSTATED,
            "feed.product": not project.named,
        }
        lacking = tuple(name for name, is_missing in missing.items() if is_missing)
        return _finding(context, transfer, project.product, raising, counted, whole, lacking, p)

    def _raise(self, product_id: str, currency: int) -> _Raise:
        key = product_id, currency
        raising = self._raises.setdefault(key, _Raise())
        self._raises.move_to_end(key)
        if len(self._raises) > _MAX_PROJECTS:
            self._raises.popitem(last=False)
        return raising


def _refund(raising: _Raise, transfer: Transfer) -> None:
    """A backer's money goes back: its latest backings go first."""
    left = min(transfer.amount_minor, raising.raised_minor)
    raising.raised_minor -= left
    for place in reversed(range(len(raising.backings))):
        backing = raising.backings[place]
        if backing.account == transfer.dst and left:
            back = min(left, backing.minor)
            left -= back
            raising.backings[place] = backing._replace(minor=backing.minor - back)
    raising.backings = [one for one in raising.backings if one.minor]


def _counted(raising: _Raise, whole: int, p: Parameters) -> dict[str, int]:
    """By party, what is beyond the founders' part."""
    taken: dict[str, int] = {}
    share_bp: dict[str, int] = {}
    for one in raising.backings:
        taken[one.party] = taken.get(one.party, 0) + one.minor
        share_bp[one.party] = min(share_bp.get(one.party, _WHOLE), one.allowed_bp)
    room = whole * p.founders_bp // _WHOLE
    for party in sorted(taken):
        allowed = min(taken[party], whole * share_bp[party] // _WHOLE, room)
        room -= allowed
        taken[party] -= allowed
    return {party: minor for party, minor in taken.items() if minor > 0}


class _Backer:
    """Who backs a project, and with whose money."""

    def __init__(
        self, context: Context, entities: Entities, transfer: Transfer, product: Product, p: Parameters
    ) -> None:
        self._context = context
        self._entities = entities
        self._transfer = transfer
        self._product = product
        self._p = p
        registry, now_us = context.registry, context.now_us
        group = registry.group(product.institution_id, now_us)
        members = registry.group_members(group, now_us) if group else ()
        found = (registry.institution(one, now_us) for one in members)
        self._members = {one.party_id for one in found if one is not None}
        self._asked: dict[int, bool] = {}

    def backing(self) -> _Backing | None:
        """What of the payment is a related party's; None: nothing."""
        context, transfer = self._context, self._transfer
        party = self._entities.party(transfer.src)
        if party is None or not self._is_related(party):
            return self._nominee(party or context.token(transfer.src))
        of_platform, minor = self._is_of_platform(party), transfer.amount_minor
        allowed_bp = 0 if of_platform else self._founders_bp(party)
        edges = (keep(context, transfer.leg, minor),)
        return _Backing(transfer.src, party, minor, allowed_bp, False, of_platform, edges)

    def _is_related(self, party: str) -> bool:
        return self._is_of_platform(party) or self._is_of_company(party)

    def _is_of_platform(self, party: str) -> bool:
        return party in self._platforms or party in self._members

    def _is_of_company(self, party: str) -> bool:
        return party in self._companys

    @cached_property
    def _platforms(self) -> Collection[str]:
        """The platform's own party and its related ones."""
        closure = self._context.registry.closure(self._product.institution_id, self._context.now_us)
        return closure.parties if closure else ()

    @cached_property
    def _companys(self) -> Collection[str]:
        company = self._product.borrower_party_id
        return self._context.registry.parties_tied(company, self._context.now_us) if company else ()

    def _founders_bp(self, party: str) -> int:
        """The party's own share of the company, registered before the project was issued."""
        company = self._product.borrower_party_id or ""
        tie = self._context.registry.related_to(company, party, self._context.now_us)
        if tie is None or len(tie.path) != 1 or tie.path[0].relation is not RelationKind.shareholder:
            return 0
        held = tie.path[0]
        issued_us = self._product.issued_at
        in_time = held.valid_from <= (self._transfer.ts_us if issued_us is None else issued_us)
        return (held.share_bp or 0) if in_time and held.from_id == party else 0

    def _nominee(self, party: str) -> _Backing | None:
        """The backer's own people apart, a related party's money that it pays in."""
        found = self._given()
        if found is None:
            return None
        transfer, p = self._transfer, self._p
        carried = int(found.carried_minor[found.edges.seq == transfer.seq].sum())
        if carried == 0 or carried * _WHOLE < p.nominee_share_bp * transfer.amount_minor:
            return None
        gifts = legs_of(found.edges, self._is_gift(found.edges))
        context = self._context
        kept = tuple(keep(context, leg, min(leg.amount_minor, carried)) for leg in gifts[-_MAX_GIFTS:])
        edge = keep(context, transfer.leg, transfer.amount_minor)
        of_platform = any(self._is_of_platform(self._entities.party(leg.src) or "") for leg in gifts)
        return _Backing(transfer.src, party, carried, 0, True, of_platform, (*kept, edge))

    def _given(self) -> Attributed | None:
        """Related parties' money followed to the backer's account; None: none can have reached it."""
        context, transfer, p = self._context, self._transfer, self._p
        since_us = context.now_us - p.nominee_days * DAY
        back = context.graph.backward(
            transfer.src,
            transfer.ts_us,
            since_us,
            context.as_of,
            p.nominee_legs,
            p.max_edges,
            p.hub_degree,
        )
        gifts = self._is_gift(back.edges)
        if not gifts.any():
            return None
        between = [one for one in np.unique(back.edges.dst).tolist() if not self._keeps_others(one)]
        followed = {transfer.src, *between[: p.max_accounts]}
        return attribute(context, followed, since_us, transfer.currency, self._is_gift, p.max_edges)

    def _is_gift(self, edges: Edges) -> Bools:
        """Payments of related parties to others, which may be handed on."""
        gifts: Bools = _IS_FUND[edges.purpose] & (edges.src > 0)
        gifts &= (self._context.marks[edges.src] & AGENT) == 0
        gifts[gifts] = [self._is_related_ones(one) for one in edges.src[gifts].tolist()]
        return gifts

    def _is_related_ones(self, account: int) -> bool:
        """Asked again of most accounts: of the payments behind a backer, and of those that are followed."""
        if account not in self._asked:
            party = self._entities.party(account)
            self._asked[account] = party is not None and self._is_related(party)
        return self._asked[account]

    def _keeps_others(self, account: int) -> bool:
        return bool(self._context.marks[account] & AGENT)


def _finding(
    context: Context,
    transfer: Transfer,
    product: Product,
    raising: _Raise,
    counted: dict[str, int],
    whole: int,
    missing: tuple[str, ...],
    p: Parameters,
) -> Finding:
    currency, minor = context.graph.currency(transfer.currency), sum(counted.values())
    backings = [one for one in raising.backings if one.party in counted]
    edges = {(edge.feed_id, edge.tx_id): edge for one in backings for edge in one.edges}
    raised = Raised(
        product=product.product_id,
        institution_id=product.institution_id,
        first_us=min(edge.ts for edge in edges.values()),
        whole_minor=whole,
        minor=minor,
        currency=currency,
        parties=len(counted),
        nominees=len({one.party for one in backings if one.is_nominee}),
        of_platform=any(one.of_platform for one in backings),
    )
    full = len(raising.backings) == _MAX_BACKINGS
    return Finding(
        subject=Subject(kind=SubjectKind.product, id=product.product_id),
        institution_id=product.institution_id,
        accounts=tuple(sorted({one.account for one in backings})),
        attributed={},
        amount_minor=minor,
        currency=currency,
        confidence=_confidence(raised, missing),
        severity=(
            factor("rule", 45, "自筹是股权众筹平台的红线", "self-raising is a red line for equity platforms"),
            by_amount(minor, currency),
        ),
        law=SelfRaise.law,
        parameters=shown(p),
        explanation=explanation(raised),
        missing=missing,
        limits=(Limit(name="backings", bound=_MAX_BACKINGS),) if full else (),
        earlier=tuple(edges.values()),
    )


def _confidence(raised: Raised, missing: tuple[str, ...]) -> tuple[Factor, ...]:
    share = percent(raised.minor, raised.whole_minor)
    factors = [factor("related", 60, f"{share} 来自关联方", f"{share} comes from related parties")]
    if raised.minor * 2 >= raised.whole_minor:
        factors.append(factor("most", 15, "过半为自筹", "half of it or more"))
    if raised.of_platform:
        factors.append(factor("platform", 10, "涉及平台的关联方", "related parties of the platform"))
    if raised.nominees:
        zh, en = f"{raised.nominees} 名代持人", f"{raised.nominees} nominees"
        factors.append(factor("nominees", -10, zh, en))
    return (*factors, *lacking(missing))
