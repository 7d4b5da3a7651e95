"""Accounts named by earlier alerts. Who deals with them is judged by that: launderers use the accounts
they control again (FATF, Professional Money Laundering, 2018), so a weak shape among named accounts is
no weak sign. Only typologies that prove their shape without it name anybody (Typology.names), so that
suspicion does not breed suspicion."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from compiled import Bools, Int32s, Int64s, kernel
from schemas.instant import DAY
from services.detector.growing import with_room

MEMORY_US: Final = 180 * DAY
"""Assumption: half a year, a mule account's life."""
_NEVER_US: Final = -(2**62)


class Named(NamedTuple):
    """By account: when it was named first, of the times not forgotten in between, and last."""

    first_us: Int64s
    last_us: Int64s
    since_us: int
    """Who was named last before this is forgotten."""


class Suspects:
    """At most `max_accounts`; past it the one named longest ago is forgotten. Memory: 16 bytes an account."""

    def __init__(self, max_accounts: int = 100_000) -> None:
        self._max = max_accounts
        self._order: OrderedDict[int, None] = OrderedDict()
        """By when they were named last."""
        self._first_us = np.full(1024, _NEVER_US)
        self._last_us = np.full(1024, _NEVER_US)

    def from_on(self, clock_us: int) -> Named:
        """What triggers ask of, for `clock_us` and later: all who may be suspects then."""
        return Named(self._first_us, self._last_us, clock_us - MEMORY_US)

    def name(self, accounts: Iterable[int], now_us: int) -> list[int]:
        """Those of `accounts` that were no suspects until now."""
        chosen = list(accounts)
        self._cover(max(chosen, default=0))
        new = []
        for account in chosen:
            if self._last_us[account] < now_us - MEMORY_US:
                self._first_us[account] = now_us
                new.append(account)
            self._last_us[account] = now_us
            self._order[account] = None
            self._order.move_to_end(account)
        while len(self._order) > self._max:
            forgotten, _ = self._order.popitem(last=False)
            self._last_us[forgotten] = _NEVER_US
        return new

    def among(self, accounts: Iterable[int], now_us: int) -> list[int]:
        """Those of `accounts` that were named within MEMORY_US, in their order."""
        last_us, since_us = self._last_us, now_us - MEMORY_US
        return [one for one in accounts if one < last_us.size and last_us[one] >= since_us]

    def are_named(self, accounts: Int32s, now_us: int) -> Bools:
        """Which of `accounts` are `among` them."""
        named = np.zeros(accounts.size, np.bool_)
        known = accounts < self._last_us.size
        named[known] = self._last_us[accounts[known]] >= now_us - MEMORY_US
        return named

    def was_named(self, account: int, before_us: int) -> bool:
        """Whether it was named before then; of an account that is `among` them."""
        return bool(self._first_us[account] < before_us)

    def _cover(self, account: int) -> None:
        self._first_us = with_room(self._first_us, account + 1, _NEVER_US)
        self._last_us = with_room(self._last_us, account + 1, _NEVER_US)


@kernel
def is_named(named: Named, account: int) -> bool:
    """For triggers, which ask of all rows of a batch before the first is looked at: who is named again in
    its course is not told of then, and must not be forgotten before."""
    is_recent: bool = account < named.last_us.size and named.last_us[account] >= named.since_us
    return is_recent
