"""跑路: much of what an institution controls leaves within days, to few receivers that are new or personal.

Controlled are the accounts of its business other than its clients' and merchants': own, fee, marketing and
guarantee accounts, custody and reserve, its products' accounts. A payment out of them counts where it is
large, serves no business that the feed or the registry names (loans paid out for a listing, salaries, taxes,
withdrawals and refunds of clients), and its receiver is a related party, a person, or somebody never paid
before the drain began. What another supervised institution gets stays in sight and is firewall_breach's. It
is a drain when the ten largest such receivers together got half of what the institution would have, had no
such payment been made.

What is there rests on the banks' statements and the flows since; of an account without one, on what came in
and has not left over a month. A feed younger than a month cannot say who is new, and a payment whose purpose
is not stated counts like a transfer: `missing` names what there was none of.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Final, NamedTuple

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, FilingKind, PartyKind
from schemas.transaction import Purpose
from services.detector.books.controlled import Controlled
from services.detector.explanations.exit_drain import Drain, explanation
from services.detector.legs import Leg
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEEPER, MERCHANT, bits_of
from services.detector.severity import by_amount
from services.detector.sieve import Fact, either, sieve
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
_MAX_LEGS: Final = 500
_MAX_INSTITUTIONS: Final = 5_000
CONTROLLED: Final = frozenset(
    {
        AccountRole.own,
        AccountRole.fee,
        AccountRole.marketing,
        AccountRole.guarantee,
        AccountRole.custody,
        AccountRole.reserve,
        AccountRole.filed_own,
        AccountRole.special_business,
        AccountRole.product_vehicle,
    }
)
_OURS: Final = bits_of(CONTROLLED)
_SERVED: Final = KEEPER | MERCHANT | bits_of({AccountRole.product_vehicle})
"""Payments to such accounts are business, or stay with somebody who keeps money for others."""
_BUSINESS: Final = frozenset(
    {
        Purpose.repay,
        Purpose.withdraw,
        Purpose.redemption,
        Purpose.refund,
        Purpose.merchant_settlement,
        Purpose.compensation,
        Purpose.interest,
        Purpose.subsidy,
        Purpose.fee,
        Purpose.salary,
        Purpose.tax,
    }
)
"""What an institution pays in the course of business."""
_LEAVES: Final = either(
    sieve(
        payer=_OURS,
        not_payee=_SERVED,
        purposes=set(Purpose) - _BUSINESS - {Purpose.disburse},
        facts=Fact.known_payee,
    ),
    sieve(
        payer=_OURS,
        not_payee=_SERVED,
        purposes=[Purpose.disburse],
        facts=Fact.known_payee,
        not_facts=Fact.names_product,
    ),
)


@dataclass(frozen=True, slots=True)
class Parameters:
    share_bp: int = parameter(5_000, "assumption: an institution that pays out half of it is closing")
    window_days: int = parameter(14, "PBoC Order 2006-2 (s): 'short term' is ten business days; T")
    max_receivers: int = parameter(10, "assumption: 'few'")
    min_minor: int = parameter(50_000_000, "assumption: 500 000 yuan; less is no institution's flight")
    min_transfer_minor: int = parameter(1_000_000, "assumption: 10 000 yuan; ten receivers get large sums")
    flow_days: int = parameter(30, "how far back flows tell what is there, and who was paid")
    max_edges: int = parameter(100_000, "bound on the transfers of one account that are added up")


class _Kind(IntFlag):
    related = 1
    person = 2
    new = 4


class _Outflow(NamedTuple):
    leg: Leg
    kind: _Kind


class ExitDrain(Typology):
    id = "exit_drain"
    name = Bilingual(zh="跑路", en="Drain before flight")
    law = (
        Citation(document="RP", article="二.1.3"),
        Citation(document="GO", article="十四"),
    )
    parameters = Parameters
    needs = ("registry.party", "feed.balance", "feed.history", "feed.purpose")
    look_alikes = (
        Bilingual(zh="季末向备案收款人结算", en="quarter-end settlement to filed receivers"),
        Bilingual(zh="产品账户向企业投放资金", en="a product investing in a company"),
    )

    def __init__(self) -> None:
        self._outflows: OrderedDict[tuple[str, int], list[_Outflow]] = OrderedDict()
        self._since_us: int | None = None

    def candidates(self, step: Step) -> Candidates:
        """Large payments out of what was ever a controlled account that no stated business explains."""
        applied = step.applied
        if self._since_us is None:
            self._since_us = int(applied.clock_us[0])
        rows = step.passing(_LEAVES, least(Parameters, self.id, "min_transfer_minor", step))
        return Candidates(rows, applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        records = Entities(context).accounts(transfer.src)
        whose = next((one.institution_id for one in records if one.role in CONTROLLED), None)
        if whose is None or transfer.is_reversal:
            return None
        p = in_force(Parameters, self.id, context.rules)
        currency = context.graph.currency(transfer.currency)
        pot = Controlled(context, whose, CONTROLLED, currency, p.flow_days, p.max_edges)
        kind = _kind(context, whose, pot, transfer.leg, p)
        if not kind:
            return None
        outflows = self._remember(context, (whose, transfer.currency), transfer.leg, kind, p)
        foremost = _foremost(outflows, p.max_receivers)
        minor = sum(one.leg.amount_minor for one in foremost)
        if minor < p.min_minor:
            return None
        held = pot.held()
        available = held.minor + sum(one.leg.amount_minor for one in outflows)
        if minor * _WHOLE < available * p.share_bp:
            return None
        missing = [] if held.stated else ["feed.balance"]
        if self._since_us is None or context.now_us - self._since_us < p.flow_days * DAY:
            missing.append("feed.history")
        full = (Limit(name="outflows", bound=_MAX_LEGS),) if len(outflows) == _MAX_LEGS else ()
        return _finding(context, whose, foremost, (minor, available), missing, (*full, *pot.limits))

    def _remember(
        self, context: Context, key: tuple[str, int], leg: Leg, kind: _Kind, p: Parameters
    ) -> list[_Outflow]:
        """The institution's of the window, at most _MAX_LEGS."""
        since_us = context.now_us - p.window_days * DAY
        recent = [one for one in self._outflows.pop(key, ()) if one.leg.ts_us >= since_us]
        self._outflows[key] = [*recent, _Outflow(leg, kind)][-_MAX_LEGS:]
        if len(self._outflows) > _MAX_INSTITUTIONS:
            self._outflows.popitem(last=False)
        return self._outflows[key]


def _kind(context: Context, institution_id: str, pot: Controlled, leg: Leg, p: Parameters) -> _Kind:
    """Why the receiver of `leg` is suspect; none where it is an institution's account, a borrower of its
    products, or a filed receiver. A product's account that pays a company invests: being new says nothing."""
    entities, registry, now_us = Entities(context), context.registry, context.now_us
    party_id, kind, known = entities.party(leg.dst), _Kind(0), False
    if entities.roles(leg.dst) & CONTROLLED:
        return kind
    if party_id is not None:
        filed = registry.filings(institution_id, FilingKind.receiver, now_us)
        lent = registry.borrowed_by(party_id, now_us)
        if party_id in {one.party_id for one in filed} or institution_id in {o.institution_id for o in lent}:
            return kind
        party = registry.party(party_id, now_us)
        if party is not None and party.party_kind is PartyKind.person:
            kind |= _Kind.person
        elif party is not None:
            known = AccountRole.product_vehicle in entities.roles(leg.src)
        if entities.is_related(institution_id, leg.dst):
            kind |= _Kind.related
    since_us, before_us = now_us - p.flow_days * DAY, now_us - p.window_days * DAY
    if known:
        return kind
    earlier = context.graph.edges_in(leg.dst, since_us, before_us, context.as_of, p.max_edges)
    if not np.isin(earlier.src, pot.accounts).any():
        kind |= _Kind.new
    return kind


def _foremost(outflows: Sequence[_Outflow], receivers: int) -> list[_Outflow]:
    """Those to the receivers that got most."""
    got: dict[int, int] = {}
    for one in outflows:
        got[one.leg.dst] = got.get(one.leg.dst, 0) + one.leg.amount_minor
    chosen = set(sorted(got, key=lambda dst: (-got[dst], dst))[:receivers])
    return [one for one in outflows if one.leg.dst in chosen]


def _finding(
    context: Context,
    institution_id: str,
    foremost: Sequence[_Outflow],
    sums: tuple[int, int],
    missing: Sequence[str],
    limits: tuple[Limit, ...],
) -> Finding:
    entities, (minor, available) = Entities(context), sums
    currency = context.graph.currency(foremost[0].leg.currency)
    unknown = ["registry.party"] if any(entities.party(one.leg.dst) is None for one in foremost) else []
    if any(one.leg.purpose is Purpose.unknown for one in foremost):
        unknown.append("feed.purpose")
    of_kind = {kind: len({one.leg.dst for one in foremost if one.kind & kind}) for kind in _Kind}
    drain = Drain(
        institution_id=institution_id,
        first_us=min(one.leg.ts_us for one in foremost),
        last_us=max(one.leg.ts_us for one in foremost),
        minor=minor,
        available_minor=available,
        currency=currency,
        receivers=len({one.leg.dst for one in foremost}),
        related=of_kind[_Kind.related],
        persons=of_kind[_Kind.person],
        new=of_kind[_Kind.new],
        stated="feed.balance" not in missing,
    )
    return Finding(
        subject=Subject(kind=SubjectKind.institution, id=institution_id),
        institution_id=institution_id,
        accounts=tuple(sorted({one.leg.src for one in foremost})),
        attributed={one.leg.seq: one.leg.amount_minor for one in foremost},
        amount_minor=minor,
        currency=currency,
        confidence=_confidence(drain, (*missing, *unknown)),
        severity=(
            factor("rule", 55, "控制资金大量外流", "what it controls is leaving"),
            by_amount(minor, currency),
        ),
        law=ExitDrain.law,
        parameters=shown(in_force(Parameters, ExitDrain.id, context.rules)),
        explanation=explanation(drain),
        missing=(*missing, *unknown),
        limits=(*limits, *context.limits),
    )


def _confidence(drain: Drain, missing: Sequence[str]) -> tuple[Factor, ...]:
    factors = [factor("share", 40, "可动用资金过半流出", "half of what it had has left")]
    if drain.minor * _WHOLE >= drain.available_minor * 8_000:
        factors.append(factor("nearly_all", 15, "流出八成以上", "eight tenths or more"))
    if drain.related:
        factors.append(factor("related", 15, "收款人有关联方", "related parties are among the receivers"))
    if drain.persons:
        factors.append(factor("person", 10, "收款人有个人", "persons are among the receivers"))
    if drain.new:
        factors.append(factor("new", 10, "收款人此前未收过款", "receivers were never paid before"))
    return (*factors, *lacking(missing))
