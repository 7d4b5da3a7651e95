"""Which accounts are held by companies that strangers deal with every day, and which by one party: as
arrays by account, for kernels."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np

from compiled import Array, Int32s, Int64s, direct, kernel, signed
from registry import Registry
from services.detector.growing import with_room
from services.detector.parties.registered import Registered

EVERYDAY_INDUSTRIES: Final = frozenset("DEFGHIKOPQRS")
"""GB/T 4754 sections that many strangers pay or are paid by: utilities, trade, transport, rent, tax, …"""
_NOBODY: Final = 0

STRANGERS: Final = 1
NO_STRANGERS: Final = 0
NOT_KNOWN: Final = -1


HOLDER: Final = np.dtype([("from_us", "<i8"), ("to_us", "<i8"), ("party", "<i4"), ("everyday", "<i4")])
"""What holds of an account over [from_us, to_us): the number of the party, _NOBODY where none is known;
whether it is of everyday industry."""

Holders: TypeAlias = Array
"""Of HOLDER, by account. Empty: no account is registered, and nobody is known to be anybody."""

_UNREGISTERED: Final = np.zeros(0, HOLDER)


class Everyday:
    """Memory: 24 bytes an account. What was asked is forgotten when the registry changes."""

    def __init__(self, registered: Registered, registry: Registry) -> None:
        self._registered = registered
        self._registry = registry
        self._numbers: dict[str, int] = {}
        self._revision = -1
        self._holders: Holders = np.zeros(1024, HOLDER)

    def of(self, accounts: Int32s, now_us: Int64s) -> Holders:
        """Those of `accounts`, each asked for its own time, are known from now on."""
        if not self._registry.knows_accounts:
            return _UNREGISTERED
        if self._revision != self._registry.revision:
            self._revision = self._registry.revision
            self._holders["to_us"] = self._holders["from_us"]
        self._holders = with_room(self._holders, int(accounts.max(initial=0)) + 1)
        unknown = np.empty(accounts.size, np.int64)
        count = find_unknown(self._holders, accounts, now_us, unknown)
        for place in unknown[:count].tolist():
            self._ask(int(accounts[place]), int(now_us[place]))
        return self._holders

    def _ask(self, account: int, now_us: int) -> None:
        held = self._registered.held(account, now_us)
        from_us, to_us = held.from_us, held.to_us
        party, everyday = _NOBODY, False
        if held.party is not None:
            party = self._numbers.setdefault(held.party, len(self._numbers) + 1)
            span = self._registry.party_span(held.party, now_us)
            from_us, to_us = max(from_us, span.from_us), min(to_us, span.to_us)
            everyday = span.holder is not None and span.holder.industry[:1] in EVERYDAY_INDUSTRIES
        self._holders[account] = (from_us, to_us, party, everyday)


@direct
@kernel
def find_unknown(holders: Holders, accounts: Int32s, now_us: Int64s, unknown: Int64s) -> int:
    """The places of those of whom it is not known what holds at their times; how many they are."""
    count = 0
    for place in range(accounts.size):
        unknown[count] = place
        count += not is_known(holders, signed(accounts[place]), now_us[place])
    return count


@kernel
def is_known(holders: Holders, account: int, now_us: int) -> bool:
    if account >= holders.size:
        return False
    holder = holders[account]
    return bool(holder.from_us <= now_us < holder.to_us)


@kernel
def are_strangers(holders: Holders, one: int, other: int, now_us: int) -> int:
    """STRANGERS where neither is of everyday industry and they are not one and the same, NO_STRANGERS, or
    NOT_KNOWN."""
    if holders.size == 0:
        return STRANGERS
    if not (is_known(holders, one, now_us) and is_known(holders, other, now_us)):
        return NOT_KNOWN
    if holders[one].everyday or holders[other].everyday:
        return NO_STRANGERS
    party = holders[one].party
    return NO_STRANGERS if party != _NOBODY and party == holders[other].party else STRANGERS
