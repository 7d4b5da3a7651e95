"""Licensed members of one group, and what one of them pays another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from compiled import Bools
from schemas.record import Bilingual
from schemas.registry import AccountRole, Filing, FilingKind, InstitutionKind, Relation, RelationKind
from schemas.transaction import Purpose
from services.detector.flows.carrying import attribute
from services.detector.graph import Edges
from services.detector.legs import Leg, legs_of
from services.detector.parties.entities import Entities
from services.detector.parties.marks import TIED
from services.detector.typology import Context, Transfer

_OWN: Final = frozenset(
    {
        AccountRole.own,
        AccountRole.fee,
        AccountRole.marketing,
        AccountRole.guarantee,
        AccountRole.filed_own,
    }
)
_RAILS: Final = frozenset(
    {
        AccountRole.reserve,
        AccountRole.partner_reserve,
        AccountRole.special_business,
        AccountRole.fund_sales,
    }
)
_CLIENTS: Final = _RAILS | {AccountRole.custody, AccountRole.product_vehicle}
_MAJORITY_BP: Final = 5_000
_MAX_BEFORE: Final = 5

Served = Mapping[str, AccountRole]
"""Institutions, and in which role an account serves each."""


class Link(NamedTuple):
    """How two members are known to be of one group."""

    points: int
    wording: Bilingual


class Dealing(NamedTuple):
    """`minor` of a transfer is the payer's money. `before`: the payments by which it came to the account
    between the two, the latest ones; none where it was paid straight."""

    payer: str
    payee: str
    of_clients: bool
    link: Link
    minor: int
    before: tuple[Leg, ...] = ()


class Group:
    """Who belongs together, as the registry has it now."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._registry = context.registry
        self._entities = Entities(context)

    def dealing(self, transfer: Transfer, since_us: int, max_edges: int) -> Dealing | None:
        """Between two members, straight or by way of one account of a company related to either."""
        payers, payees = self._serves(transfer.src), self._serves(transfer.dst)
        if not payees or payers.keys() & payees.keys():
            return None
        if payers:
            return self._between(payers, payees, transfer.amount_minor)
        ties = self._entities.ties(transfer.src)
        return self._carried(transfer, payees, since_us, max_edges) if ties else None

    def _between(self, payers: Served, payees: Served, minor: int) -> Dealing | None:
        for payer, from_role in sorted(payers.items()):
            for payee, to_role in sorted(payees.items()):
                counts = payer != payee and _counts(from_role, to_role)
                if counts and (link := self._link(payer, payee)) is not None:
                    return Dealing(payer, payee, from_role in _CLIENTS, link, minor)
        return None

    def _carried(self, transfer: Transfer, payees: Served, since_us: int, max_edges: int) -> Dealing | None:
        """The company between hands on another member's money: at least half of the transfer, first in,
        first out. It is tied to a member; what it earns from others is its own."""
        window = (transfer.src, since_us, transfer.ts_us, self._context.as_of, max_edges)
        tied = self._context.graph.edges_in(*window)
        tied_payers = np.unique(tied.src[(self._context.marks[tied.src] & TIED) != 0]).tolist()
        found: dict[int, Dealing] = {}
        for account in tied_payers:
            dealing = self._between(self._serves(account), payees, 0)
            related = dealing is not None and any(
                self._entities.is_related(one, transfer.src) for one in (dealing.payer, dealing.payee)
            )
            if dealing is not None and related:
                found[account] = dealing
        if not found:
            return None
        first = min(found.values(), key=lambda one: (one.payer, one.payee))
        members = [account for account, one in found.items() if one.payer == first.payer]

        def is_members(edges: Edges) -> Bools:
            theirs: Bools = np.isin(edges.src, members) & (edges.dst == transfer.src)
            return theirs

        money = attribute(self._context, {transfer.src}, since_us, transfer.currency, is_members, max_edges)
        minor = int(money.carried_minor[money.edges.seq == transfer.seq].sum())
        if minor == 0 or minor * 2 < transfer.amount_minor:
            return None
        before = legs_of(money.edges, is_members(money.edges) & (money.edges.ts_us <= transfer.ts_us))
        return first._replace(minor=minor, before=tuple(before[-_MAX_BEFORE:]))

    def services(self, dealing: Dealing) -> list[Filing]:
        """The services between the two that either has filed."""
        ends = ((dealing.payer, self._party(dealing.payee)), (dealing.payee, self._party(dealing.payer)))
        return [
            one
            for filer, other in ends
            for one in self._registry.filings(filer, FilingKind.service, self._context.now_us)
            if one.party_id in (None, other)
        ]

    def missing(self, dealing: Dealing, transfer: Transfer) -> tuple[str, ...]:
        licensed = all(self._entities.licences(one) for one in (dealing.payer, dealing.payee))
        unstated = transfer.purpose is Purpose.unknown
        return (*(() if licensed else ("registry.licence",)), *(("feed.purpose",) if unstated else ()))

    def _serves(self, account: int) -> dict[str, AccountRole]:
        """The institutions whose own or clients' money the account keeps, and in which role; else
        the one that holds it itself."""
        records = self._entities.accounts(account)
        served = {
            one.institution_id: one.role
            for one in records
            if one.institution_id and one.role in (_OWN | _CLIENTS)
        }
        if served or not records or records[0].role is not AccountRole.external:
            return served
        party = records[0].party_id
        tied = self._registry.institutions_tied(party)
        return {one: AccountRole.own for one in tied if self._party(one) == party}

    def _link(self, payer: str, payee: str) -> Link | None:
        """How the two, both licensed, are of one group; None: they are not."""
        if not (self._is_financial(payer) and self._is_financial(payee)):
            return None
        now_us = self._context.now_us
        group = self._registry.group(payer, now_us)
        if group is not None and group == self._registry.group(payee, now_us):
            return Link(10, Bilingual(zh=f"同属集团 {group}", en=f"of group {group}"))
        party = self._party(payee)
        tie = self._registry.related(payer, party, now_us) if party else None
        if tie is None or not all(_controls(one) for one in tie.path):
            return None
        zh, en = f"经 {tie.links} 层控制关系同受控制", f"under common control over {tie.links} links"
        return Link(5, Bilingual(zh=zh, en=en))

    def _is_financial(self, institution_id: str) -> bool:
        institution = self._registry.institution(institution_id, self._context.now_us)
        if institution is None:
            return False
        supervised = institution.institution_kind is not InstitutionKind.other
        return supervised or bool(self._entities.licences(institution_id))

    def _party(self, institution_id: str) -> str | None:
        institution = self._registry.institution(institution_id, self._context.now_us)
        return institution.party_id if institution else None


def _counts(payer: AccountRole, payee: AccountRole) -> bool:
    return payee in _OWN or (payer in _OWN and payee not in _RAILS)


def _controls(relation: Relation) -> bool:
    if relation.relation is RelationKind.shareholder:
        return (relation.share_bp or 0) > _MAJORITY_BP
    return relation.relation is RelationKind.controller
