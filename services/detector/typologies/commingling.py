"""资金混同: a platform's own money and its clients' money flow into each other.

A transfer between an account that keeps clients' money (custody main account, client's sub-account) and
one of the platform's own money (own, fee, marketing, or any other account the platform itself holds).
Wages and taxes paid out of the custody account are the platform's own expenses: they mix too, whoever is
paid. What may pass:

- to the platform: its fee within the filed rate of what was disbursed, and withdrawal fees up to a small
  tariff;
- to clients: subsidies within a filed cap, a fee refunded to who had paid it, a salary, an instalment of a
  loan the platform itself took, and compensation under a filed risk reserve.

Compensation by a guarantor does not touch the platform's own money and is none of this. Subsidies without
any filing are a finding of low confidence where they are small gifts out of the marketing account.
What passes between the own account and custody is one matter, what clients pay to it or get from it out of
their sub-accounts another; after a quiet week it is a new one. Where the feed does not say why money moved,
what enters the fee account is taken for a fee and what leaves the marketing account for a subsidy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.alert import Citation, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import AccountRole, FilingKind
from schemas.transaction import Purpose
from services.detector.ascending import joined
from services.detector.books.allowances import Allowances
from services.detector.books.incidents import Case, Incident, Incidents, Reason
from services.detector.books.platform_fees import PlatformFees
from services.detector.explanations.commingling import explanation
from services.detector.flows.refunds import is_refund
from services.detector.legs import Leg
from services.detector.parties.entities import CLIENT_MONEY, OWN_MONEY, Entities
from services.detector.parties.marks import BORROWER, CUSTODY, KEPT_FOR_OTHERS, OTHER, TIED, bits_of
from services.detector.severity import by_amount
from services.detector.sieve import either, sieve
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Step,
    Transfer,
    Typology,
    factor,
    greatest,
    in_force,
    parameter,
    shown,
)
from services.detector.wording import day

_CLIENTS: Final = bits_of(CLIENT_MONEY)
_OWN: Final = bits_of(OWN_MONEY)
_FEE: Final = bits_of({AccountRole.fee})
_NOT_OWN: Final = KEPT_FOR_OTHERS | {AccountRole.guarantee}
"""A reserve is its customers' money, whoever holds the account."""
_OWN_EXPENSES: Final = (Purpose.salary, Purpose.tax)
_INSTALMENT: Final = frozenset({Purpose.repay, Purpose.interest})
_MAY_BE_FEE: Final = (Purpose.fee, Purpose.unknown)
_MIXES: Final = either(
    sieve(payer=_CLIENTS, payee=_OWN, purposes=set(Purpose) - set(_MAY_BE_FEE)),
    sieve(payer=_CLIENTS, payee=_OWN, not_payee=_FEE),
    sieve(payer=_OWN, payee=_CLIENTS),
    sieve(payer=CUSTODY, purposes=(Purpose.disburse, *_OWN_EXPENSES)),
    sieve(payer=CUSTODY, payee=BORROWER, purposes=[Purpose.unknown]),
    sieve(payee=_FEE, not_payer=_CLIENTS, purposes=[Purpose.fee]),
)
"""Between client money and the platform's own, fees left out; and what the ledger of fees counts."""
_FEES: Final = sieve(payer=_CLIENTS, payee=_FEE, purposes=_MAY_BE_FEE)
_TO_TIED: Final = sieve(payer=_CLIENTS, payee=TIED, not_payee=_OWN)
_FROM_TIED: Final = sieve(payer=TIED, not_payer=_OWN, payee=_CLIENTS)
"""With what may be the platform's own where it is no client's, nor kept for others only."""

_TAKEN = Reason(
    "taken",
    75,
    Bilingual(zh="客户资金划入平台自有资金账户", en="client money paid into the platform's own account"),
)
_FEE_EXCESS = Reason(
    "fee", 60, Bilingual(zh="超过备案费率的手续费", en="fees beyond the filed rate of what was disbursed")
)
_MIXED_IN = Reason(
    "mixed_in", 60, Bilingual(zh="平台自有资金划入客户资金", en="own money paid in among client money")
)
_OVER_CAP = Reason(
    "over_cap", 55, Bilingual(zh="补贴超过备案上限", en="subsidies beyond the filed cap for a client")
)
_UNFILED = Reason(
    "unfiled_subsidy", 50, Bilingual(zh="未备案的大额补贴", en="large subsidies without a filing")
)
_EXPENSES = Reason(
    "expenses", 70, Bilingual(zh="用客户资金支付工资、税款", en="wages or taxes paid with client money")
)
_GIFT = Reason("unfiled_gift", 35, Bilingual(zh="未备案的小额补贴", en="small gifts without a filing"))


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: one episode's transfers; how far back a refund looks")
    quiet_days: int = parameter(7, "assumption: what comes after a quiet week is a matter of its own")
    tariff_minor: int = parameter(1_000, "assumption: CNY 10, more than banks charge for a withdrawal")
    gift_minor: int = parameter(10_000, "assumption: CNY 100, a sign-up gift; more is a subsidy")
    fee_period_days: int = parameter(92, "assumption: fees may be taken once a quarter")
    max_edges: int = parameter(2_000, "bound on the payments among which a refund's payer is looked for")


class Commingling(Typology):
    id = "commingling"
    name = Bilingual(zh="资金混同", en="Commingling of client and own money")
    law = (Citation(document="RP", article="二.1.3"), Citation(document="GO", article="十四"))
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.fee_rate",
        "registry.filing",
        "feed.purpose",
        "feed.history",
    )
    look_alikes = (
        Bilingual(zh="备案费率以内的手续费划转", en="the sweep of fees within the filed rate"),
        Bilingual(zh="小额提现手续费", en="small withdrawal fees"),
        Bilingual(zh="备案上限以内的补贴", en="subsidies below the filed cap"),
        Bilingual(zh="担保机构代偿", en="compensation by a guarantor"),
    )

    def __init__(self) -> None:
        self._fees = PlatformFees()
        self._subsidies = Allowances()
        self._incidents = Incidents()

    def candidates(self, step: Step) -> Candidates:
        """Between client money and what may be the platform's own, plain withdrawal fees left out; and
        what the ledger of fees counts."""
        rows = step.passing(_MIXES)
        fees = step.passing(_FEES, greatest(Parameters, self.id, "tariff_minor", step) + 1)
        to_tied, from_tied = step.passing(_TO_TIED), step.passing(_FROM_TIED)
        to_tied = to_tied[step.dst_marks[to_tied] & OTHER != 0]
        from_tied = from_tied[step.src_marks[from_tied] & OTHER != 0]
        for more in (fees, to_tied, from_tied):
            rows = joined(rows, more)
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if transfer.is_reversal:
            return None
        entities, leg = Entities(context), transfer.leg
        self._fees.count(entities, leg, context.now_us)
        mixing = _mixing(entities, leg) if _may_mix(context.marks, leg) else None
        if mixing is None:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        judge = _Judge(context, entities, leg, mixing, parameters, self._fees, self._subsidies)
        incident = judge.incident()
        if incident is None:
            return None
        since_us = context.now_us - parameters.window_days * DAY
        matter = "custody" if AccountRole.custody in entities.roles(mixing.clients) else "clients"
        quiet_us = parameters.quiet_days * DAY
        case = self._incidents.add(f"{mixing.own} {matter}", (incident,), since_us, quiet_us)
        return _finding(context, entities, mixing, case, parameters, f"{matter} {day(case.began_us)}")


def _may_mix(marks: npt.NDArray[np.uint32], leg: Leg) -> bool:
    """Else there is no _mixing(): it is no own expense, and no version of the registry ever had client money
    at one end and at the other what may be a platform's own."""
    src, dst = int(marks[leg.src]), int(marks[leg.dst])
    mixes = (src & _CLIENTS and dst & (_OWN | TIED)) or (dst & _CLIENTS and src & (_OWN | TIED))
    return leg.purpose in _OWN_EXPENSES or bool(mixes)


class _Mixing(NamedTuple):
    """The platform, its account of own money, and the one of client money: the same where the platform's
    own expenses are paid out of it."""

    institution_id: str
    own: int
    clients: int


def _mixing(entities: Entities, leg: Leg) -> _Mixing | None:
    """None: the transfer is not between one platform's client money and its own."""
    for clients, own in ((leg.src, leg.dst), (leg.dst, leg.src)):
        for institution_id in entities.served(clients, CLIENT_MONEY):
            is_platform = entities.is_platform(institution_id)
            if is_platform and _is_between(entities, institution_id, clients, own):
                return _Mixing(institution_id, own, clients)
    if leg.purpose in _OWN_EXPENSES:
        for institution_id in entities.served(leg.src, (AccountRole.custody,)):
            if entities.is_platform(institution_id):
                return _Mixing(institution_id, leg.src, leg.src)
    return None


def _is_between(entities: Entities, institution_id: str, clients: int, own: int) -> bool:
    """`own` is the institution's own money, and `clients` not its own sub-account."""
    roles = entities.roles(own)
    is_own = institution_id in entities.served(own, OWN_MONEY)
    is_own |= entities.is_held_by(institution_id, own) and not roles & _NOT_OWN
    if AccountRole.custody in entities.roles(clients):
        return is_own
    return is_own and not entities.is_held_by(institution_id, clients)


class _Judge:
    """One transfer between a platform's client money and its own."""

    def __init__(
        self,
        context: Context,
        entities: Entities,
        leg: Leg,
        mixing: _Mixing,
        parameters: Parameters,
        fees: PlatformFees,
        subsidies: Allowances,
    ) -> None:
        self._context = context
        self._entities = entities
        self._leg = leg
        self._mixing = mixing
        self._p = parameters
        self._fees = fees
        self._subsidies = subsidies
        self._unsaid = ("feed.purpose",) if leg.purpose is Purpose.unknown else ()

    def incident(self) -> Incident | None:
        """None: the transfer is one of those that may pass."""
        mixing, leg = self._mixing, self._leg
        if mixing.own == mixing.clients:
            return Incident(leg, leg.amount_minor, _EXPENSES)
        return self._taken() if mixing.own == leg.dst else self._given()

    def _taken(self) -> Incident | None:
        """Client money to the platform."""
        leg = self._leg
        is_fee_account = AccountRole.fee in self._entities.roles(leg.dst)
        if leg.purpose is Purpose.fee or (leg.purpose is Purpose.unknown and is_fee_account):
            return self._fee()
        return Incident(leg, leg.amount_minor, _TAKEN, self._unsaid)

    def _fee(self) -> Incident | None:
        """Within the tariff of a withdrawal, or within the filed rate of what was disbursed."""
        leg, now_us = self._leg, self._context.now_us
        key = self._mixing.institution_id, leg.currency
        rate_bp = self._entities.filed_fee_bp(self._mixing.institution_id)
        if AccountRole.client in self._entities.roles(leg.src) and leg.amount_minor <= self._p.tariff_minor:
            return None
        left = max(0, self._fees.left_minor(*key, rate_bp or 0, now_us))
        self._fees.take(*key, leg.amount_minor, now_us)
        if leg.amount_minor <= left:
            return None
        missing = [*self._unsaid]
        if rate_bp is None:
            missing.append("registry.fee_rate")
        if now_us - self._fees.since_us(*key, now_us) < self._p.fee_period_days * DAY:
            missing.append("feed.history")
        return Incident(leg, leg.amount_minor - left, _FEE_EXCESS, tuple(missing))

    def _given(self) -> Incident | None:
        """The platform's money to clients."""
        leg, roles = self._leg, self._entities.roles(self._leg.src)
        if leg.purpose is Purpose.salary or self._is_fee_back() or self._is_own_instalment():
            return None
        if leg.purpose is Purpose.compensation and self._filed(FilingKind.risk_reserve):
            return None
        is_marketing = AccountRole.marketing in roles
        if leg.purpose is Purpose.subsidy or (leg.purpose is Purpose.unknown and is_marketing):
            return self._subsidy(is_marketing)
        return Incident(leg, leg.amount_minor, _MIXED_IN, self._unsaid)

    def _filed(self, kind: FilingKind) -> bool:
        registry, now_us = self._context.registry, self._context.now_us
        return bool(registry.filings(self._mixing.institution_id, kind, now_us))

    def _subsidy(self, is_marketing: bool) -> Incident | None:
        leg, context = self._leg, self._context
        filings = context.registry.filings(self._mixing.institution_id, FilingKind.subsidy, context.now_us)
        client = self._entities.entity(leg.dst)
        if not filings:
            is_gift = is_marketing and leg.amount_minor <= self._p.gift_minor
            reason = _GIFT if is_gift else _UNFILED
            return Incident(leg, leg.amount_minor, reason, ("registry.filing", *self._unsaid))
        excess = min(self._subsidies.excess(one, client, leg.amount_minor, leg.ts_us) for one in filings)
        return Incident(leg, excess, _OVER_CAP, self._unsaid) if excess else None

    def _is_fee_back(self) -> bool:
        since_us = self._context.now_us - self._p.window_days * DAY
        return is_refund(self._context, self._leg, since_us, self._p.max_edges)

    def _is_own_instalment(self) -> bool:
        """The platform pays on a loan that it took itself."""
        if self._leg.purpose not in _INSTALMENT or not self._leg.product:
            return False
        product_id = self._context.graph.product(self._leg.product)
        product = self._context.registry.product(product_id, self._context.now_us)
        return product is not None and product.borrower_party_id == self._entities.party(self._leg.src)


def _finding(
    context: Context, entities: Entities, mixing: _Mixing, case: Case, parameters: Parameters, matter: str
) -> Finding:
    token = context.token(mixing.own)
    currency = context.graph.currency(case.incidents[-1].leg.currency)
    roles = sorted(entities.roles(mixing.own))
    return Finding(
        subject=Subject(kind=SubjectKind.account, id=token),
        institution_id=mixing.institution_id,
        accounts=(mixing.own,),
        attributed=case.attributed,
        amount_minor=case.minor,
        currency=currency,
        confidence=case.confidence(),
        severity=(
            factor("rule", 40, "客户资金须与自有资金分账管理", "client money is kept apart from own money"),
            by_amount(case.minor, currency),
        ),
        law=Commingling.law,
        parameters=shown(parameters),
        explanation=explanation(mixing.institution_id, token, roles[0] if roles else None, case, currency),
        missing=case.missing,
        limits=(*case.limits, *context.limits),
        matter=matter,
    )
