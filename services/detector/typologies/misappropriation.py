"""挪用客户资金: money of a platform's clients goes to somebody who has no claim to it.

A transfer out of a custody main account or a client's sub-account of a platform, to a party that is
neither the client himself nor another client, nor the borrower of the product it is paid for, nor a filed
receiver, nor a guarantor who is paid back, nor somebody who is refunded what he had paid. (To the platform
itself it is commingling, services.detector.typologies.commingling.)

What is returned by the end of the same Beijing day is a correction, however large: so no transfer proves
anything before that day ends, and it is judged at midnight.
A client's withdrawal to an account nobody registered is taken for his own card, unless more clients than
a family withdraw to it; and a disbursement for a listing to such an account for the borrower's. Each
payee's is a case of its own. Where the feed says no purpose or no payee, what is left is
a suspicion of lower confidence.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.alert import Citation, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, Filing, FilingKind
from schemas.transaction import Purpose
from services.detector.ascending import joined
from services.detector.beijing import day_of, midnight_us
from services.detector.books.allowances import Allowances
from services.detector.books.incidents import MAX_INCIDENTS, Case, Incident, Incidents, Reason
from services.detector.explanations.misappropriation import explanation
from services.detector.flows.refunds import is_refund
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import CLIENT_MONEY, OWN_MONEY, Entities, holder_of
from services.detector.parties.lookups import Holders
from services.detector.parties.marks import CLIENT, bits_of
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
    greatest,
    in_force,
    least,
    parameter,
    shown,
)

_CLIENTS: Final = bits_of(CLIENT_MONEY)
_FEE: Final = bits_of({AccountRole.fee})
_ANY_MARK: Final = 2**32 - 1
_OTHERWISE: Final = set(Purpose) - {Purpose.withdraw, Purpose.fee}
_LEAVES: Final = either(
    sieve(payer=_CLIENTS, not_payee=_CLIENTS, purposes=_OTHERWISE),
    sieve(payer=_CLIENTS, not_payer=CLIENT, not_payee=_CLIENTS, purposes=[Purpose.withdraw]),
    sieve(payer=_CLIENTS, payee=_ANY_MARK, not_payee=_CLIENTS, purposes=[Purpose.withdraw]),
    sieve(payer=_CLIENTS, not_payee=_CLIENTS | _FEE, purposes=[Purpose.fee]),
)
"""Out of client money to what was never client money; left out are _WITHDRAWALS and _FEES."""
_WITHDRAWALS: Final = sieve(
    payer=CLIENT, not_payee=_ANY_MARK, purposes=[Purpose.withdraw], facts=Fact.known_payee
)
"""To where the client's own card may be."""
_FEES: Final = sieve(payer=_CLIENTS, payee=_FEE, not_payee=_CLIENTS, purposes=[Purpose.fee])
_PAYOUT: Final = frozenset(
    {
        Purpose.withdraw,
        Purpose.repay,
        Purpose.interest,
        Purpose.refund,
        Purpose.redemption,
        Purpose.disburse,
    }
)
"""What client money is paid out for."""
_PAID_BACK: Final = frozenset(
    {Purpose.repay, Purpose.interest, Purpose.refund, Purpose.compensation, Purpose.unknown}
)
_UNSAID: Final = frozenset({Purpose.unknown, Purpose.transfer})

_MAX_SHARED: Final = 20_000
"""Past it the one found first is forgotten."""

_STRANGER = Reason("stranger", 65, Bilingual(zh="收款人与这笔钱无关", en="the payee has no claim to it"))
_NOT_BORROWER = Reason(
    "not_borrower", 65, Bilingual(zh="放款给了并非借款人的人", en="disbursed to somebody not the borrower")
)
_OVER_CAP = Reason(
    "over_cap", 55, Bilingual(zh="超过备案收款人的上限", en="beyond the cap of a filed receiver")
)
_INSTRUCTED = Reason(
    "instructed", 45, Bilingual(zh="按客户指令付给他人", en="paid to others on a client's instruction")
)
_UNKNOWN = Reason("unknown", 55, Bilingual(zh="收款账户无人登记", en="an account that nobody registered"))
_ONE_CARD = Reason(
    "one_card",
    60,
    Bilingual(zh="多名客户的资金提现到同一账户", en="several clients' money withdrawn to one account"),
)
_OUT_OF_SIGHT = Reason("out_of_sight", 45, Bilingual(zh="去向不明", en="out of sight"))


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: one episode's transfers; how far back a refund looks")
    tariff_minor: int = parameter(1_000, "assumption: CNY 10, more than banks charge for a transfer")
    min_withdrawers: int = parameter(4, "assumption: a family shares a card; more clients do not")
    max_edges: int = parameter(2_000, "bound on the payments among which a return is looked for")


class _Pending(NamedTuple):
    institution_id: str
    incident: Incident


class Misappropriation(Typology):
    id = "misappropriation"
    name = Bilingual(zh="挪用客户资金", en="Misappropriation of client money")
    law = (Citation(document="RP", article="二.1.3"),)
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.product",
        "feed.purpose",
        "feed.counterparty",
    )
    look_alikes = (Bilingual(zh="当日退回的存管更正", en="custody corrections returned the same day"),)

    def __init__(self) -> None:
        self._holders = Holders()
        self._receivers = Allowances()
        self._pending: dict[int, list[_Pending]] = {}
        self._incidents = Incidents()
        self._shared: OrderedDict[int, None] = OrderedDict()
        """Unregistered accounts to which more clients than a family have withdrawn."""

    def candidates(self, step: Step) -> Candidates:
        """Out of client money to what was never client money; left out are withdrawals to where the
        client's own card may be, as long as few pay it, and small fees."""
        applied, withdrawn = step.applied, step.passing(_WITHDRAWALS)
        many = applied.payers[withdrawn] >= least(Parameters, self.id, "min_withdrawers", step)
        fees = step.passing(_FEES, greatest(Parameters, self.id, "tariff_minor", step) + 1)
        rows = joined(joined(step.passing(_LEAVES), withdrawn[many]), fees)
        rows = rows[~self._holders.same(step, rows)]
        return Candidates(rows, applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        entities = Entities(context)
        served = [one for one in entities.served(transfer.src, CLIENT_MONEY) if entities.is_platform(one)]
        if transfer.is_reversal or not served:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        judge = _Judge(context, entities, transfer, served[0], parameters, self._receivers)
        incident = judge.incident()
        if incident is None:
            return None
        incidents = [incident]
        if incident.reason == _ONE_CARD:
            incidents = self._withdrawn(context, entities, incident, served[0], parameters)
        waiting = self._pending.setdefault(transfer.src, [])
        room = MAX_INCIDENTS - len(waiting)
        waiting += [_Pending(served[0], one) for one in incidents[:room]]
        return Recheck(transfer.src, midnight_us(day_of(context.now_us) + 1))

    def _withdrawn(
        self,
        context: Context,
        entities: Entities,
        latest: Incident,
        institution_id: str,
        parameters: Parameters,
    ) -> list[Incident]:
        """The withdrawals to an unregistered account: the latest, and those before it where they are the
        first to be more clients' than it could belong to; none while they are not."""
        if latest.leg.dst in self._shared:
            return [latest]
        since_us = context.now_us - parameters.window_days * DAY
        window = (since_us, context.now_us, context.as_of, parameters.max_edges)
        edges = context.graph.edges_in(latest.leg.dst, *window)
        same = (edges.purpose == Purpose.withdraw) & (edges.currency == latest.leg.currency)
        legs = [
            leg for leg in legs_of(edges, same) if institution_id in entities.served(leg.src, CLIENT_MONEY)
        ]
        if len({entities.entity(leg.src) for leg in legs}) < parameters.min_withdrawers:
            return []
        self._shared[latest.leg.dst] = None
        if len(self._shared) > _MAX_SHARED:
            self._shared.popitem(last=False)
        return [latest._replace(leg=leg, minor=leg.amount_minor) for leg in legs]

    def recheck(self, context: Context, account: int) -> Outcome:
        """At midnight: what was not returned is a finding for each payee and currency."""
        parameters, entities = in_force(Parameters, self.id, context.rules), Entities(context)
        by_payee: dict[tuple[str, int], list[_Pending]] = {}
        for one in self._pending.pop(account, []):
            leg = one.incident.leg
            by_payee.setdefault((entities.entity(leg.dst), leg.currency), []).append(one)
        since_us = context.now_us - parameters.window_days * DAY
        found = []
        for (payee, _), same in by_payee.items():
            kept = _kept(context, [one.incident for one in same], parameters)
            if kept:
                institution_id = same[0].institution_id
                case = self._incidents.add(f"{institution_id} {payee}", kept, since_us)
                found.append(_finding(context, institution_id, case, parameters))
        return tuple(found)


def _kept(context: Context, incidents: Sequence[Incident], parameters: Parameters) -> list[Incident]:
    """What was not paid back on the day of the transfer, the earliest returned first."""
    kept: list[Incident] = []
    returned: dict[tuple[int, int], int] = {}
    for incident in incidents:
        key = incident.leg.dst, day_of(incident.leg.ts_us)
        if key not in returned:
            returned[key] = _returned_minor(context, incident.leg, parameters)
        back = min(returned[key], incident.minor)
        returned[key] -= back
        if incident.minor > back:
            kept.append(incident._replace(minor=incident.minor - back))
    return kept


def _returned_minor(context: Context, leg: Leg, parameters: Parameters) -> int:
    """From the payee to the payer, after `leg` and on its day."""
    until_us = min(context.now_us, midnight_us(day_of(leg.ts_us) + 1) - 1)
    window = (leg.ts_us, until_us, context.as_of, parameters.max_edges)
    if leg.dst == OUTSIDE_INDEX:
        back = context.graph.edges_in(leg.src, *window)
    else:
        back = context.graph.edges_out(leg.dst, *window)
    mine = (back.src == leg.dst) & (back.dst == leg.src) & (back.currency == leg.currency)
    return int(back.amount_minor[mine].sum())


class _Judge:
    """One transfer out of client money of a platform."""

    def __init__(
        self,
        context: Context,
        entities: Entities,
        transfer: Transfer,
        institution_id: str,
        parameters: Parameters,
        receivers: Allowances,
    ) -> None:
        self._context = context
        self._entities = entities
        self._transfer = transfer
        self._leg = transfer.leg
        self._institution_id = institution_id
        self._p = parameters
        self._receivers = receivers
        self._is_clients = AccountRole.client in entities.roles(transfer.src)
        self._payee = entities.party(transfer.dst)
        product_id = context.graph.product(transfer.product)
        self._product = context.registry.product(product_id, context.now_us) if product_id else None

    def incident(self) -> Incident | None:
        """None: the payee is entitled to it, as far as anybody can tell."""
        leg, purpose = self._leg, self._leg.purpose
        unsaid = ("feed.purpose",) if purpose is Purpose.unknown else ()
        if purpose is Purpose.fee and leg.amount_minor <= self._p.tariff_minor:
            return None
        if leg.dst == OUTSIDE_INDEX:
            missing = ("feed.counterparty", *unsaid)
            return None if purpose in _PAYOUT else Incident(leg, leg.amount_minor, _OUT_OF_SIGHT, missing)
        if self._is_clients_or_own() or self._is_borrower() or self._is_paid_back():
            return None
        if self._payee is None:
            withdrawn = self._is_clients and purpose is Purpose.withdraw
            missing = ("registry.account", *unsaid)
            return Incident(leg, leg.amount_minor, _ONE_CARD if withdrawn else _UNKNOWN, missing)
        filed = self._filed()
        return self._beyond_cap(filed) if filed else self._to_stranger(unsaid)

    def _is_clients_or_own(self) -> bool:
        """It stays client money or goes to a client's own account; or to the platform's, another rule's."""
        entities, dst = self._entities, self._leg.dst
        if self._institution_id in entities.served(dst, CLIENT_MONEY | OWN_MONEY):
            return True
        if entities.is_held_by(self._institution_id, dst):
            return True
        if self._is_clients:
            return self._payee is not None and self._payee == entities.party(self._leg.src)
        is_payout = self._leg.purpose in _PAYOUT | _UNSAID
        return is_payout and self._institution_id in entities.client_of(dst)

    def _is_borrower(self) -> bool:
        """The borrower of the product it is paid for; where none is named, of any of the platform's."""
        if self._product is not None:
            borrower = self._product.borrower_party_id
            unknown = self._leg.purpose is Purpose.disburse and None in (borrower, self._payee)
            return unknown or (borrower is not None and borrower == self._payee)
        if self._payee is None:
            return self._leg.purpose is Purpose.disburse
        borrowed = self._context.registry.borrowed_by(self._payee, self._context.now_us)
        return any(one.institution_id == self._institution_id for one in borrowed)

    def _is_paid_back(self) -> bool:
        """A guarantor is paid back, or somebody is refunded what he had paid into the account."""
        leg, p = self._leg, self._p
        if AccountRole.guarantee in self._entities.roles(leg.dst):
            return leg.purpose in _PAID_BACK
        since_us = self._context.now_us - p.window_days * DAY
        return is_refund(self._context, leg, since_us, p.max_edges)

    def _filed(self) -> list[Filing]:
        """Under which the payee may receive client money."""
        registry, now_us = self._context.registry, self._context.now_us
        filed = registry.filings(self._institution_id, FilingKind.receiver, now_us)
        return [one for one in filed if one.party_id == self._payee]

    def _beyond_cap(self, filed: Sequence[Filing]) -> Incident | None:
        leg, payee = self._leg, self._payee or ""
        excess = min(self._receivers.excess(one, payee, leg.amount_minor, leg.ts_us) for one in filed)
        return Incident(leg, excess, _OVER_CAP) if excess else None

    def _to_stranger(self, unsaid: tuple[str, ...]) -> Incident:
        reason = _STRANGER
        if self._leg.purpose is Purpose.disburse:
            reason = _NOT_BORROWER
        elif self._is_clients and self._transfer.instruction:
            reason = _INSTRUCTED
        product = ("registry.product",) if self._leg.product and self._product is None else ()
        return Incident(self._leg, self._leg.amount_minor, reason, (*unsaid, *product))


def _finding(context: Context, institution_id: str, case: Case, parameters: Parameters) -> Finding:
    entities = Entities(context)
    currency = context.graph.currency(case.incidents[-1].leg.currency)
    ends = {end for one in case.incidents for end in (one.leg.src, one.leg.dst)}
    related = any(entities.is_related(institution_id, one.leg.dst) for one in case.incidents)
    tie = [factor("related", 15, "收款人是平台的关联方", "the payee is a related party")] if related else []
    payee = case.incidents[-1].leg.dst
    unseen = Subject(kind=SubjectKind.institution, id=institution_id)
    return Finding(
        subject=unseen if payee == OUTSIDE_INDEX else holder_of(context, payee),
        institution_id=institution_id,
        accounts=tuple(sorted(ends - {OUTSIDE_INDEX})),
        attributed=case.attributed,
        amount_minor=case.minor,
        currency=currency,
        confidence=case.confidence(*tie),
        severity=(
            factor("rule", 50, "客户资金不得挪用", "client money must not be misappropriated"),
            by_amount(case.minor, currency),
        ),
        law=Misappropriation.law,
        parameters=shown(parameters),
        explanation=explanation(institution_id, context.token(payee), case, currency),
        missing=case.missing,
        limits=(*case.limits, *context.limits),
    )
