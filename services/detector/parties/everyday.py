"""Which accounts are held by companies that strangers deal with every day, and which by one party: as
arrays by account, for kernels."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Bools, Int32s, Int64s, kernel
from registry import Registry
from services.detector.parties.registered import Registered

EVERYDAY_INDUSTRIES: Final = frozenset("DEFGHIKOPQRS")
"""GB/T 4754 sections that many strangers pay or are paid by: utilities, trade, transport, rent, tax, …"""
_NOBODY: Final = 0

STRANGERS: Final = 1
NO_STRANGERS: Final = 0
NOT_KNOWN: Final = -1


class Holders(NamedTuple):
    """By account, what holds over [from_us, to_us): the number of the party, _NOBODY where none is known;
    whether it is of everyday industry."""

    from_us: Int64s
    to_us: Int64s
    party: Int32s
    everyday: Bools


class Everyday:
    """Memory: 21 bytes an account. What was asked is forgotten when the registry changes."""

    def __init__(self, registered: Registered, registry: Registry) -> None:
        self._registered = registered
        self._registry = registry
        self._numbers: dict[str, int] = {}
        self._revision = -1
        self._holders = _unasked(1024)

    def of(self, accounts: Int32s, now_us: Int64s) -> Holders:
        """Those of `accounts`, each asked for its own time, are known from now on."""
        if self._revision != self._registry.revision:
            self._revision = self._registry.revision
            self._holders.to_us[:] = self._holders.from_us
        held = self._holders.to_us.size
        more = int(accounts.max(initial=0)) + 1 - held
        if more > 0:
            room = _unasked(max(more, held))
            self._holders = Holders(
                np.concatenate((self._holders.from_us, room.from_us)),
                np.concatenate((self._holders.to_us, room.to_us)),
                np.concatenate((self._holders.party, room.party)),
                np.concatenate((self._holders.everyday, room.everyday)),
            )
        known = (self._holders.from_us[accounts] <= now_us) & (now_us < self._holders.to_us[accounts])
        for place in np.flatnonzero(~known).tolist():
            self._ask(int(accounts[place]), int(now_us[place]))
        return self._holders

    def _ask(self, account: int, now_us: int) -> None:
        holders = self._holders
        if holders.from_us[account] <= now_us < holders.to_us[account]:
            return
        held = self._registered.held(account, now_us)
        from_us, to_us = held.from_us, held.to_us
        party, everyday = _NOBODY, False
        if held.party is not None:
            party = self._numbers.setdefault(held.party, len(self._numbers) + 1)
            span = self._registry.party_span(held.party, now_us)
            from_us, to_us = max(from_us, span.from_us), min(to_us, span.to_us)
            everyday = span.holder is not None and span.holder.industry[:1] in EVERYDAY_INDUSTRIES
        holders.from_us[account] = from_us
        holders.to_us[account] = to_us
        holders.party[account] = party
        holders.everyday[account] = everyday


def _unasked(accounts: int) -> Holders:
    return Holders(
        np.zeros(accounts, np.int64),
        np.zeros(accounts, np.int64),
        np.zeros(accounts, np.int32),
        np.zeros(accounts, np.bool_),
    )


@kernel
def are_strangers(holders: Holders, one: int, other: int, now_us: int) -> int:
    """STRANGERS where neither is of everyday industry and they are not one and the same, NO_STRANGERS, or
    NOT_KNOWN."""
    for account in (one, other):
        if account >= holders.to_us.size or not holders.from_us[account] <= now_us < holders.to_us[account]:
            return NOT_KNOWN
    if holders.everyday[one] or holders.everyday[other]:
        return NO_STRANGERS
    party = holders.party[one]
    return NO_STRANGERS if party != _NOBODY and party == holders.party[other] else STRANGERS
