"""What the registry ever said of an account, as bits: the time-free superset that triggers read.

Bits are only ever added. Whether a role held on the day is for the confirmation to ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from registry import ROLE_BIT, Registry
from schemas.registry import Account, AccountRole, Institution, Product, RegistryRecord, Relation
from services.detector.graph import RollingGraph

KEPT_FOR_OTHERS: Final = frozenset(
    {
        AccountRole.client,
        AccountRole.custody,
        AccountRole.reserve,
        AccountRole.partner_reserve,
        AccountRole.special_business,
        AccountRole.securities_margin,
        AccountRole.fund_sales,
        AccountRole.clearing_house,
    }
)
"""Roles in which an account is registered to hold or pass on others' money."""

CLIENT: Final = ROLE_BIT[AccountRole.client]
CUSTODY: Final = ROLE_BIT[AccountRole.custody]
RESERVE: Final = ROLE_BIT[AccountRole.reserve]
MERCHANT: Final = ROLE_BIT[AccountRole.merchant_settlement]
TIED: Final = 1 << len(ROLE_BIT)
"""Held by an institution or by a party that was ever a related party of one."""
BORROWER: Final = TIED << 1
"""Held by a party that ever borrowed under a product."""


def bits_of(roles: Iterable[AccountRole]) -> int:
    """The marks of any of `roles`."""
    return sum(ROLE_BIT[role] for role in roles)


KEEPER: Final = bits_of(KEPT_FOR_OTHERS)
OTHER: Final = bits_of(set(AccountRole) - KEPT_FOR_OTHERS)
INSTITUTIONAL: Final = bits_of(
    set(AccountRole) - {AccountRole.client, AccountRole.merchant_settlement, AccountRole.external}
)
"""Roles of the accounts that are an institution's business itself, few beside those of who deals with it."""
REGISTERED: Final = KEEPER | OTHER


def marks_of(registry: Registry, token_hex: str) -> int:
    """The bit of each role it ever had, ROLE_BIT, and TIED and BORROWER."""
    roles = registry.role_bits(token_hex)
    if roles == 0:
        return 0
    holders = registry.holders(token_hex)
    tied = any(registry.institutions_tied(party) for party in holders)
    borrower = any(registry.ever_borrowed(party) for party in holders)
    return roles | (TIED if tied else 0) | (BORROWER if borrower else 0)


class Marks:
    """Marks by account index, for the accounts that the graph knows."""

    def __init__(self, graph: RollingGraph, registry: Registry) -> None:
        self._graph = graph
        self._registry = registry
        self._marks = np.zeros(1024, np.uint32)
        self._known = 1
        self.in_business: dict[str, set[int]] = {}
        """By institution: the accounts ever in its business of which some role was ever INSTITUTIONAL."""

    def all(self) -> npt.NDArray[np.uint32]:
        """By index; first looks up the accounts that are new in the graph."""
        count = self._graph.accounts + 1
        if count > self._marks.size:
            self._marks = np.concatenate((self._marks, np.zeros(count, np.uint32)))
        for index in range(self._known, count):
            self._set(index, self._graph.token(index).hex())
        self._known = count
        return self._marks

    def follow(self, record: RegistryRecord) -> None:
        """After the registry took `record` in: mark again the accounts that it may concern."""
        match record:
            case Account():
                self._mark(record.account_id)
            case Relation():
                self._mark_parties(record.from_id, record.to_id)
            case Institution():
                self._mark_parties(record.party_id)
            case Product(borrower_party_id=str(party_id)):
                self._mark_accounts_of(party_id)

    def _mark_parties(self, *party_ids: str) -> None:
        near = {party for party_id in party_ids for party in self._registry.parties_near(party_id)}
        for party in sorted(near):
            self._mark_accounts_of(party)

    def _mark_accounts_of(self, party_id: str) -> None:
        for token_hex in self._registry.accounts_of(party_id):
            self._mark(token_hex)

    def _mark(self, token_hex: str) -> None:
        index = self._graph.index(bytes.fromhex(token_hex))
        if index is not None and index < self._known:
            self._set(index, token_hex)

    def _set(self, index: int, token_hex: str) -> None:
        self._marks[index] |= marks_of(self._registry, token_hex)
        if self._marks[index] & INSTITUTIONAL:
            for institution_id in self._registry.institutions_served(token_hex):
                self.in_business.setdefault(institution_id, set()).add(index)
