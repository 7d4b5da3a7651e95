"""Who is behind an account, as the registry had it on the day."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from registry import Registry
from schemas.alert import Subject, SubjectKind
from schemas.registry import Account, AccountRole, InstitutionKind, Licence
from services.detector.graph import RollingGraph
from services.detector.typology import Context

PLATFORMS: Final = frozenset({InstitutionKind.p2p, InstitutionKind.equity_crowdfunding})
CLIENT_MONEY: Final = frozenset({AccountRole.client, AccountRole.custody})
OWN_MONEY: Final = frozenset({AccountRole.own, AccountRole.fee, AccountRole.marketing, AccountRole.filed_own})


class Entities:
    """Answers as of one confirmation."""

    def __init__(self, context: Context) -> None:
        self._graph: RollingGraph = context.graph
        self._registered = context.registered
        self._registry: Registry = context.registry
        self._now_us = context.now_us
        self._clients: dict[str, frozenset[str]] = {}
        self._ties: dict[int, tuple[str, ...]] = {}

    @property
    def registered(self) -> bool:
        """Whether the registry knows any account at all."""
        return self._registry.knows_accounts

    def accounts(self, account: int) -> tuple[Account, ...]:
        """What the account is now, one record for each institution it serves."""
        return self._registered.accounts(account, self._now_us)

    def roles(self, account: int) -> frozenset[AccountRole]:
        """Empty: nobody has registered it."""
        return self._registered.held(account, self._now_us).roles

    def party(self, account: int) -> str | None:
        """The party that holds the account; None where the registry does not know it."""
        return self._registered.held(account, self._now_us).party

    def entity(self, account: int) -> str:
        """The party, else the account itself: what is counted as one."""
        return self._registered.held(account, self._now_us).party or f"account {account}"

    def client_of(self, account: int) -> frozenset[str]:
        """The institutions at which the account's holder has a client account."""
        party = self.party(account)
        if party is None:
            return frozenset()
        known = self._clients.get(party)
        if known is None:
            memberships = self._registry.memberships(party)
            known = self._clients[party] = frozenset(
                one.institution_id for one in memberships if one.from_us <= self._now_us < one.to_us
            )
        return known

    def ties(self, account: int) -> tuple[str, ...]:
        """The institutions in whose own business the account is, or whose related party holds it."""
        held = self._registered.held(account, self._now_us)
        if not held.near:
            return held.own
        ties = self._ties.get(account)
        if ties is None:
            related = {one for one in held.near if self.is_related(one, account)}
            ties = self._ties[account] = tuple(sorted(related.union(held.own)))
        return ties

    def served(self, account: int, roles: Collection[AccountRole]) -> tuple[str, ...]:
        """The institutions in whose business the account has one of `roles`, by id."""
        held = self._registered.held(account, self._now_us)
        if held.roles.isdisjoint(roles):
            return ()
        served = {one.institution_id for one in held.accounts if one.institution_id and one.role in roles}
        return tuple(sorted(served))

    def served_by(self, account: int) -> frozenset[str]:
        """The institutions in whose business the account has any role."""
        return frozenset(one.institution_id for one in self.accounts(account) if one.institution_id)

    def is_held_by(self, institution_id: str, account: int) -> bool:
        """Held by the institution itself."""
        institution = self._registry.institution(institution_id, self._now_us)
        return institution is not None and self.party(account) == institution.party_id

    def is_platform(self, institution_id: str) -> bool:
        """It brings investors and borrowers together: lending or equity crowdfunding."""
        institution = self._registry.institution(institution_id, self._now_us)
        return institution is not None and institution.institution_kind in PLATFORMS

    def custody_banks(self, institution_id: str) -> frozenset[str]:
        """The banks of the custody accounts that the institution holds; empty: none is registered."""
        institution = self._registry.institution(institution_id, self._now_us)
        tokens = self._registry.accounts_of(institution.party_id) if institution else ()
        held = (self._registry.account(token, self._now_us, institution_id) for token in tokens)
        return frozenset(one.bank for one in held if one and one.role is AccountRole.custody)

    def is_related(self, institution_id: str, account: int) -> bool:
        """Held by the institution itself or by a related party of it."""
        party = self.party(account)
        return party is not None and self._registry.related(institution_id, party, self._now_us) is not None

    def industry(self, account: int) -> str:
        """GB/T 4754 section letter of the holder; "" where it is not known."""
        party = self.party(account)
        record = self._registry.party(party, self._now_us) if party else None
        return record.industry[:1] if record else ""

    def licences(self, institution_id: str) -> tuple[Licence, ...]:
        return self._registry.licences(institution_id, self._now_us)

    def institution_of_product(self, product: int) -> str | None:
        """The institution of a product by the graph's code."""
        record = self._registry.product(self._graph.product(product), self._now_us)
        return None if record is None else record.institution_id

    def filed_fee_bp(self, institution_id: str) -> int | None:
        institution = self._registry.institution(institution_id, self._now_us)
        return None if institution is None else institution.fee_rate_bp


def holder_of(context: Context, account: int) -> Subject:
    """The subject of an alert about whoever holds the account: the party, else the account itself."""
    party = Entities(context).party(account)
    if party is not None:
        return Subject(kind=SubjectKind.party, id=party)
    return Subject(kind=SubjectKind.account, id=context.token(account))
