"""防火墙失守: money moves between licensed members of one group beyond what they have filed.

Two institutions are of one group when the registry gives them the same group, or when one is reached
from the other over controlling links alone (controller, or a majority of shares). What counts is a
payment out of one member's own money, or out of the money it keeps for clients, into another member's
own money; and a payment out of own money into what the other keeps for clients, unless that is a
payment rail (reserve, clearing, fund sales), on which a member is a customer like others. A company
related to a member that hands on another member's money (at least half of what it pays, first in, first
out) is looked through.

A filed service covers payments out of own money up to its cap in any of its periods, and all of them
where it names no cap; clients' money is never covered. Payments from what one member keeps for clients
into what the other keeps for clients are clearing. A member without a licence on file is taken to hold
one when it is a supervised kind of firm, at a lower confidence; a purpose that is not stated may be a
service, and names feed.purpose as missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.alert import Citation, EvidenceEdge, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import Filing
from schemas.transaction import Purpose
from services.detector.evidence import keep
from services.detector.explanations.firewall_breach import Dealings, explanation
from services.detector.flows.groups import Dealing, Group
from services.detector.parties.marks import TIED
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
    parameter,
    shown,
)

_WITHIN: Final = sieve(payer=TIED, payee=TIED, facts=Fact.between_two)
_SERVICES: Final = frozenset({Purpose.fee, Purpose.purchase, Purpose.transfer, Purpose.unknown})
_MAX_FLOWS: Final = 1_000
"""Kept of one payer in one currency; past it the oldest go."""


@dataclass(frozen=True, slots=True)
class Parameters:
    small_minor: int = parameter(
        1_000_000, "assumption: unfiled dealings of up to CNY 10,000 in a window are left alone"
    )
    window_days: int = parameter(30, "assumption: the dealings of one alert, and those behind one")
    max_edges: int = parameter(1_000, "bound on the payments looked at of a company between two members")


class _Flow(NamedTuple):
    """A payment to another member. `minor` counts towards filed caps, `over_minor` is beyond them."""

    ts_us: int
    payer_account: int
    payee_account: int
    payee: str
    of_clients: bool
    minor: int
    over_minor: int
    missing: tuple[str, ...]
    edges: tuple[EvidenceEdge, ...]


class FirewallBreach(Typology):
    id = "firewall_breach"
    name = Bilingual(zh="关联交易、防火墙", en="Breach of a group's firewall")
    law = (Citation(document="RP", article="二.2.4"),)
    parameters = Parameters
    needs = ("registry.account", "registry.institution", "registry.licence", "feed.purpose")
    look_alikes = (
        Bilingual(zh="备案额度内的集团内部服务费", en="filed intra-group service fees"),
        Bilingual(zh="为客户办理的支付清算", en="clearing of payments for clients"),
    )

    def __init__(self) -> None:
        self._flows: dict[tuple[str, int], list[_Flow]] = {}
        """By (payer, currency), as logged; keys are institutions, so few."""

    def candidates(self, step: Step) -> Candidates:
        """Payments from whoever was ever tied to an institution to whoever was."""
        rows = step.passing(_WITHIN)
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if transfer.is_reversal:
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        group = Group(context)
        since_us = context.now_us - parameters.window_days * DAY
        dealing = group.dealing(transfer, since_us, parameters.max_edges)
        if dealing is None or self._is_refund(dealing, transfer, context, parameters):
            return None
        key = dealing.payer, transfer.currency
        flows = self._flows.setdefault(key, [])
        over_minor = dealing.minor
        if not (dealing.of_clients or dealing.before) and transfer.purpose in _SERVICES:
            over_minor = _over(flows, group.services(dealing), dealing, transfer, context)
        flows.append(
            _Flow(
                transfer.ts_us,
                transfer.src,
                transfer.dst,
                dealing.payee,
                dealing.of_clients,
                dealing.minor,
                over_minor,
                group.missing(dealing, transfer),
                tuple(
                    keep(context, leg, min(leg.amount_minor, over_minor))
                    for leg in (*dealing.before, transfer.leg)
                ),
            )
        )
        del flows[:-_MAX_FLOWS]
        if over_minor == 0:
            return None
        over = [one for one in flows if one.over_minor and one.ts_us >= since_us]
        of_clients = any(one.of_clients for one in over)
        if not of_clients and sum(one.over_minor for one in over) <= parameters.small_minor:
            return None
        return _finding(context, transfer, dealing, over, parameters, len(flows) == _MAX_FLOWS)

    def _is_refund(
        self, dealing: Dealing, transfer: Transfer, context: Context, parameters: Parameters
    ) -> bool:
        """The payee had paid the payer at least as much within the window."""
        if transfer.purpose is not Purpose.refund or dealing.of_clients:
            return False
        since_us = context.now_us - parameters.window_days * DAY
        paid = self._flows.get((dealing.payee, transfer.currency), ())
        return transfer.amount_minor <= sum(
            one.minor for one in paid if one.payee == dealing.payer and one.ts_us >= since_us
        )


def _over(
    flows: list[_Flow], services: list[Filing], dealing: Dealing, transfer: Transfer, context: Context
) -> int:
    """How much of the payment no filed service has room for; the roomiest counts."""
    over = [transfer.amount_minor]
    for filing in services:
        if filing.cap_minor is None:
            return 0
        if filing.currency != context.graph.currency(transfer.currency):
            continue
        since_us = context.now_us - filing.period_days * DAY if filing.period_days else filing.valid_from
        moved = sum(
            one.minor
            for one in flows
            if one.payee == dealing.payee and not one.of_clients and one.ts_us > since_us
        )
        over.append(max(0, moved + transfer.amount_minor - filing.cap_minor))
    return min(over)


def _finding(
    context: Context,
    transfer: Transfer,
    dealing: Dealing,
    over: list[_Flow],
    parameters: Parameters,
    full: bool,
) -> Finding:
    currency = context.graph.currency(transfer.currency)
    minor = sum(one.over_minor for one in over)
    of_clients = sum(one.over_minor for one in over if one.of_clients)
    missing = tuple(sorted({name for one in over for name in one.missing}))
    accounts = {account for one in over for account in (one.payer_account, one.payee_account)}
    edges = {(edge.feed_id, edge.tx_id): edge for one in over for edge in one.edges}
    dealings = Dealings(
        payer=dealing.payer,
        payees=tuple(sorted({one.payee for one in over})),
        link=dealing.link.wording,
        first_us=min(edge.ts for edge in edges.values()),
        last_us=max(one.ts_us for one in over),
        payments=len(over),
        over_minor=minor,
        of_clients_minor=of_clients,
        currency=currency,
    )
    return Finding(
        subject=Subject(kind=SubjectKind.institution, id=dealing.payer),
        institution_id=dealing.payer,
        accounts=tuple(sorted(accounts)),
        attributed={},
        amount_minor=minor,
        currency=currency,
        confidence=_confidence(dealing, over, missing),
        severity=(
            factor("rule", 40, "集团内须有防火墙", "a group keeps firewalls between its members"),
            *((factor("clients", 20, "动用客户资金", "clients' money was used"),) if of_clients else ()),
            by_amount(minor, currency),
        ),
        law=FirewallBreach.law,
        parameters=shown(parameters),
        explanation=explanation(dealings),
        missing=missing,
        limits=((Limit(name="flows", bound=_MAX_FLOWS),) if full else ()),
        earlier=tuple(edges.values()),
    )


def _confidence(dealing: Dealing, over: list[_Flow], missing: tuple[str, ...]) -> tuple[Factor, ...]:
    factors = [factor("unfiled", 55, "超出备案额度或未备案", "beyond what was filed, or not filed")]
    if any(one.of_clients for one in over):
        factors.append(factor("clients", 20, "付出的是客户资金", "what was paid is clients' money"))
    link = dealing.link
    factors.append(factor("group", link.points, link.wording.zh, link.wording.en))
    if len(over) > 1:
        factors.append(factor("repeated", 5, f"共 {len(over)} 笔", f"{len(over)} transfers"))
    return (*factors, *lacking(missing))
