"""未存管: a platform's clients pay the platform, or its people, past the registered custody bank.

At least N distinct clients of a platform, within a window, pay an account of the platform's own or of a
related party of it. A payment counts when the feed calls it an investment or a recharge, or when it names
a product of the platform; where the feed says nothing telling, more clients are asked for, as a client may
have private dealings with a person who works there, and the platform's own accounts at the custody bank
are left out. Who takes enough payments, he and those who are tied to the platform through him, is a case of
his own, and so is each account of the platform itself; those who take too few are one case together. What is
paid to another supervised institution of the group is that one's business. Purchases, salaries and the like
do not count, nor does what related parties pay themselves. Payers whom nobody registered count where the
feed says that they invest.

Money that reaches the platform from inside custody is commingling, services.detector.typologies.commingling.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schemas.alert import Citation, Factor, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.transaction import Purpose
from services.detector.books.incidents import Case, Incident, Incidents, Reason
from services.detector.explanations.custody_bypass import Bypass, explanation
from services.detector.flows.weighing import STRONG
from services.detector.parties.entities import CLIENT_MONEY, OWN_MONEY, Entities, holder_of
from services.detector.parties.marks import CUSTODY, KEPT_FOR_OTHERS, OTHER, TIED, bits_of
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
    parameter,
    shown,
)

_OWN: Final = bits_of(OWN_MONEY)
_CLIENTS: Final = bits_of(CLIENT_MONEY)
_WEAK: Final = frozenset({Purpose.unknown, Purpose.transfer, Purpose.top_up})
_NOT_PAYERS: Final = _CLIENTS | _OWN | CUSTODY
_TELLS: Final = either(
    sieve(payee=_OWN | TIED, not_payer=_NOT_PAYERS, purposes=STRONG | _WEAK, facts=Fact.known_payer),
    sieve(payee=_OWN | TIED, not_payer=_NOT_PAYERS, facts=Fact.known_payer | Fact.names_product),
)

_STATED = Reason(
    "stated", 45, Bilingual(zh="以投资或充值名义付款", en="paid as investments, recharges or for a product")
)
_UNSTATED = Reason(
    "unstated", 30, Bilingual(zh="向存管账户以外的账户付款", en="paid into accounts that are not in custody")
)


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: a month of collecting")
    min_clients: int = parameter(3, "assumption: N, where the feed says that they invest")
    min_clients_unstated: int = parameter(10, "assumption: N, more than one person's private dealings")


class CustodyBypass(Typology):
    id = "custody_bypass"
    name = Bilingual(zh="未存管", en="Client money past the custody bank")
    law = (Citation(document="RP", article="二.1.3"), Citation(document="GO", article="十四"))
    parameters = Parameters
    needs = (
        "registry.account",
        "registry.custody_account",
        "registry.relation",
        "feed.purpose",
        "feed.product",
    )
    look_alikes = (
        Bilingual(
            zh="客户与平台员工的私人往来", en="a client's private dealings with a person who works there"
        ),
    )

    def __init__(self) -> None:
        self._incidents = Incidents()

    def candidates(self, step: Step) -> Candidates:
        """Telling payments to the platform's own accounts and to whoever was ever tied to one, from
        outside client money."""
        rows = step.passing(_TELLS)
        rows = rows[(step.dst_marks[rows] & (_OWN | OTHER)) != 0]
        return Candidates(rows, step.applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if transfer.is_reversal:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        entities = Entities(context)
        since_us = context.now_us - parameters.window_days * DAY
        for institution_id in entities.ties(transfer.dst):
            if not entities.is_platform(institution_id):
                continue
            incident = _Payment(context, entities, transfer, institution_id).incident()
            if incident is not None:
                case = self._incidents.add(institution_id, (incident,), since_us)
                return _outcome(context, entities, institution_id, case, parameters)
        return None


def _outcome(
    context: Context, entities: Entities, institution_id: str, case: Case, parameters: Parameters
) -> Finding | None:
    """Of the circle that was paid last, where its payers are enough; else of all circles that are not paid
    by enough themselves, together."""
    by_circle: dict[str, list[Incident]] = {}
    for one in case.incidents:
        by_circle.setdefault(_circle(context, entities, institution_id, one.leg.dst), []).append(one)
    payee = case.incidents[-1].leg.dst
    last = _circle(context, entities, institution_id, payee)
    rest: list[Incident] = []
    for circle, incidents in by_circle.items():
        found = _Case(context, entities, institution_id, Case(tuple(incidents)), parameters)
        if not found.is_enough:
            rest += incidents
        elif circle == last:
            own = context.token(payee) if entities.is_held_by(institution_id, payee) else ""
            known = entities.party(payee) is not None
            subject = Subject(kind=SubjectKind.party, id=circle) if known else holder_of(context, payee)
            return found.finding(subject, own)
    if by_circle[last][-1] not in rest:
        return None
    together = _Case(context, entities, institution_id, Case(tuple(rest)), parameters)
    subject = Subject(kind=SubjectKind.institution, id=institution_id)
    return together.finding(subject) if together.is_enough else None


def _circle(context: Context, entities: Entities, institution_id: str, payee: int) -> str:
    """Who stands next to the institution on the way to the holder of the account; the holder where there
    is none."""
    party = entities.party(payee)
    related = context.registry.related(institution_id, party, context.now_us) if party else None
    if related is None or len(related.path) < 2:
        return entities.entity(payee)
    first, second = related.path[:2]
    ends = {second.from_id, second.to_id}
    return first.to_id if first.to_id in ends else first.from_id


class _Payment:
    """One payment to `institution_id` or one of its people."""

    def __init__(self, context: Context, entities: Entities, transfer: Transfer, institution_id: str) -> None:
        self._context = context
        self._entities = entities
        self._transfer = transfer
        self._institution_id = institution_id

    def incident(self) -> Incident | None:
        """None: it is no client's payment past custody."""
        entities, transfer = self._entities, self._transfer
        payer = entities.party(transfer.src)
        served = entities.served_by(transfer.dst)
        if served and self._institution_id not in served:
            return None  # another institution's business, be it of the same group
        if entities.roles(transfer.dst) & KEPT_FOR_OTHERS or not self._counts(payer):
            return None
        if transfer.purpose in STRONG or self._names_product():
            missing = ("registry.account",) if payer is None else ()
            return Incident(transfer.leg, transfer.amount_minor, _STATED, missing)
        return self._unstated()

    def _counts(self, payer: str | None) -> bool:
        """A client of the platform and none of its people; an unknown payer who says that he invests."""
        entities, transfer, institution_id = self._entities, self._transfer, self._institution_id
        if payer is None:
            return transfer.purpose in STRONG or self._names_product()
        if entities.is_related(institution_id, transfer.src):
            return False
        return institution_id in entities.client_of(transfer.src)

    def _names_product(self) -> bool:
        """A purchase for a product of the platform, or money said to be no everyday payment."""
        transfer = self._transfer
        if not transfer.product or transfer.purpose not in STRONG | _WEAK:
            return False
        return self._entities.institution_of_product(transfer.product) == self._institution_id

    def _unstated(self) -> Incident | None:
        """Said to be nothing in particular: not into an account of the platform itself at the custody bank,
        which the bank may still book to its client."""
        transfer = self._transfer
        if transfer.purpose not in _WEAK:
            return None
        custody = self._entities.custody_banks(self._institution_id)
        banks = {one.bank for one in self._entities.accounts(transfer.dst)}
        if custody and banks <= custody and self._institution_id in self._entities.served_by(transfer.dst):
            return None
        missing = [] if transfer.purpose is not Purpose.unknown else ["feed.purpose"]
        if not custody:
            missing.append("registry.custody_account")
        return Incident(transfer.leg, transfer.amount_minor, _UNSTATED, tuple(missing))


class _Case:
    """The payments of the window past one platform's custody."""

    def __init__(
        self,
        context: Context,
        entities: Entities,
        institution_id: str,
        case: Case,
        parameters: Parameters,
    ) -> None:
        self._context = context
        self._entities = entities
        self._institution_id = institution_id
        self._case = case
        self._p = parameters
        self._stated = self._clients(_STATED)
        self._all = self._clients(_STATED, _UNSTATED)

    def _clients(self, *reasons: Reason) -> int:
        incidents = self._case.incidents
        return len({self._entities.entity(one.leg.src) for one in incidents if one.reason in reasons})

    @property
    def is_enough(self) -> bool:
        return self._many or self._stated >= self._p.min_clients

    @property
    def _many(self) -> bool:
        """Unstated payments count for nothing until there are many."""
        return self._all >= self._p.min_clients_unstated

    def finding(self, subject: Subject, matter: str = "") -> Finding:
        """Of as many as is_enough says."""
        stated = (one for one in self._case.incidents if one.reason == _STATED)
        case, clients = (self._case, self._all) if self._many else (Case(tuple(stated)), self._stated)
        currency = self._context.graph.currency(case.incidents[-1].leg.currency)
        payees = sorted({one.leg.dst for one in case.incidents})
        custody = self._entities.custody_banks(self._institution_id)
        banks = {one.bank for payee in payees for one in self._entities.accounts(payee)}
        bypass = Bypass(
            institution_id=self._institution_id,
            clients=clients,
            payees=len(payees),
            last_payee=self._context.token(case.incidents[-1].leg.dst),
            banks=tuple(sorted(banks - custody)),
            custody_banks=tuple(sorted(custody)),
        )
        return Finding(
            subject=subject,
            institution_id=self._institution_id,
            accounts=tuple(payees),
            attributed=case.attributed,
            amount_minor=case.minor,
            currency=currency,
            confidence=case.confidence(*self._more(payees, clients, bool(bypass.banks and custody))),
            severity=(
                factor("rule", 40, "客户资金须由银行存管", "client money is kept at a custody bank"),
                by_amount(case.minor, currency),
                factor("crowd", min(20, clients // 5), f"涉及 {clients} 名客户", f"{clients} clients"),
            ),
            law=CustodyBypass.law,
            parameters=shown(self._p),
            explanation=explanation(bypass, case, currency),
            missing=case.missing,
            limits=(*case.limits, *self._context.limits),
            matter=matter,
        )

    def _more(self, payees: list[int], clients: int, elsewhere: bool) -> Iterator[Factor]:
        crowd = min(15, clients)
        yield factor("clients", crowd, f"{clients} 名不同客户付款", f"{clients} distinct clients paid")
        own = any(self._entities.is_held_by(self._institution_id, payee) for payee in payees)
        own |= any(self._entities.roles(payee) & OWN_MONEY for payee in payees)
        if own:
            yield factor("own", 15, "收款账户属于平台自身", "an account of the platform's own")
        if elsewhere:
            yield factor("bank", 10, "开户行不是存管银行", "not at the custody bank")
