"""The accounts of institutions that keep their own or reserve money at several commercial banks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from compiled import Bools, Int8s, Int32s
from registry import Registry
from schemas.instant import FOREVER, MIN_INSTANT
from schemas.registry import Account, AccountRole
from services.detector.parties.marks import bits_of
from services.detector.typology import Step

HOUSE_ROLES: Final = frozenset(
    {
        AccountRole.reserve,
        AccountRole.partner_reserve,
        AccountRole.special_business,
        AccountRole.filed_own,
        AccountRole.own,
        AccountRole.fee,
    }
)
"""Accounts over which an institution itself disposes."""
HOUSE: Final = bits_of(HOUSE_ROLES)

_NOT_ASKED: Final = -1


class Houses:
    """Answers hold whatever the day, until the registry changes."""

    def __init__(self) -> None:
        self._several: Int8s = np.empty(0, np.int8)
        self._banks: dict[str, frozenset[str]] = {}
        self._revision = -1

    def of_several_banks(self, step: Step, accounts: Int32s, central_banks: frozenset[str]) -> Bools:
        """Which of `accounts`, all marked HOUSE, were ever at a commercial bank while their institution
        ever had such accounts at another."""
        if self._revision != step.registry.revision:
            self._revision = step.registry.revision
            self._several[:] = _NOT_ASKED
            self._banks.clear()
        more = step.marks.size - self._several.size
        if more > 0:
            self._several = np.concatenate((self._several, np.full(more, _NOT_ASKED, np.int8)))
        for account in set(accounts[self._several[accounts] == _NOT_ASKED].tolist()):
            token = step.graph.token(account).hex()
            self._several[account] = self._is_of_several(step.registry, token, central_banks)
        several: Bools = self._several[accounts] == 1
        return several

    def _is_of_several(self, registry: Registry, token: str, central_banks: frozenset[str]) -> bool:
        own = [one for one in _ever(registry, token) if one.bank not in central_banks]
        return any(
            len(self._banks_of(registry, one.institution_id, central_banks)) > 1
            for one in own
            if one.institution_id
        )

    def _banks_of(self, registry: Registry, institution_id: str, central: frozenset[str]) -> frozenset[str]:
        known = self._banks.get(institution_id)
        if known is None:
            tokens = registry.accounts_in_business(institution_id)
            records = (
                one for token in tokens if registry.role_bits(token) & HOUSE for one in _ever(registry, token)
            )
            banks = (one.bank for one in records if one.institution_id == institution_id)
            known = self._banks[institution_id] = frozenset(banks) - central
        return known


def _ever(registry: Registry, token: str) -> Iterator[Account]:
    """Every version of the account in a role of HOUSE_ROLES."""
    at_us = MIN_INSTANT
    while at_us < FOREVER:
        records, _, at_us = registry.accounts_span(token, at_us)
        yield from (one for one in records if one.role in HOUSE_ROLES)
