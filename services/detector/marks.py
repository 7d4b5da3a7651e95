"""What the registry ever said of an account, as bits: the time-free superset that triggers read.

Bits are only ever added. Whether a role held on the day is for the confirmation to ask.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from registry import ROLE_BIT, Registry
from schemas.registry import Account, AccountRole, Institution, RegistryRecord, Relation
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

KEEPER: Final = 1
"""It had a role of KEPT_FOR_OTHERS."""
OTHER: Final = 2
"""It had another role."""
RESERVE: Final = 4
CUSTODY: Final = 8
MERCHANT: Final = 16
CLIENT: Final = 32
ODD: Final = 128
"""It had a role other than that of an ordinary payee of a payment institution."""
TIED: Final = 64
"""Held by an institution or by a party that was ever a related party of one."""

ORDINARY_PAYEES: Final = frozenset(
    {AccountRole.merchant_settlement, AccountRole.client, AccountRole.external}
)
_ORDINARY_BITS: Final = sum(ROLE_BIT[role] for role in ORDINARY_PAYEES)
_KEEPER_BITS: Final = sum(ROLE_BIT[role] for role in KEPT_FOR_OTHERS)
_BY_ROLE: Final = {
    AccountRole.reserve: RESERVE,
    AccountRole.custody: CUSTODY,
    AccountRole.merchant_settlement: MERCHANT,
    AccountRole.client: CLIENT,
}


def marks_of(registry: Registry, token_hex: str) -> int:
    roles = registry.role_bits(token_hex)
    if roles == 0:
        return 0
    marks = (KEEPER if roles & _KEEPER_BITS else 0) | (OTHER if roles & ~_KEEPER_BITS else 0)
    marks |= ODD if roles & ~_ORDINARY_BITS else 0
    for role, mark in _BY_ROLE.items():
        marks |= mark if roles & ROLE_BIT[role] else 0
    tied = any(registry.institutions_tied(party) for party in registry.holders(token_hex))
    return marks | (TIED if tied else 0)


class Marks:
    """Marks by account index, for the accounts that the graph knows."""

    def __init__(self, graph: RollingGraph, registry: Registry) -> None:
        self._graph = graph
        self._registry = registry
        self._marks = np.zeros(1024, np.uint32)
        self._known = 1

    def all(self) -> npt.NDArray[np.uint32]:
        """By index; first looks up the accounts that are new in the graph."""
        count = self._graph.accounts + 1
        if count > self._marks.size:
            self._marks = np.concatenate((self._marks, np.zeros(count, np.uint32)))
        for index in range(self._known, count):
            self._marks[index] = marks_of(self._registry, self._graph.token(index).hex())
        self._known = max(self._known, count)
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

    def _mark_parties(self, *party_ids: str) -> None:
        near = {party for party_id in party_ids for party in self._registry.parties_near(party_id)}
        for party in sorted(near):
            for token_hex in self._registry.accounts_of(party):
                self._mark(token_hex)

    def _mark(self, token_hex: str) -> None:
        index = self._graph.index(bytes.fromhex(token_hex))
        if index is not None and index < self._known:
            self._marks[index] |= marks_of(self._registry, token_hex)
