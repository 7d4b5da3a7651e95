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

MEMORY_US: Final = 180 * DAY
"""Assumption: half a year, a mule account's life."""
_NEVER_US: Final = -(2**62)


class Named(NamedTuple):
    """By account: when it was named first, of the times not forgotten in between, and last."""

    first_us: Int64s
    last_us: Int64s


class Suspects:
    """At most `max_accounts`; past it the one named longest ago is forgotten. Memory: 16 bytes an account."""

    def __init__(self, max_accounts: int = 100_000) -> None:
        self._max = max_accounts
        self._order: OrderedDict[int, None] = OrderedDict()
        """By when they were named last."""
        self.named = Named(np.full(1024, _NEVER_US), np.full(1024, _NEVER_US))

    def name(self, accounts: Iterable[int], now_us: int) -> list[int]:
        """Those of `accounts` that were no suspects until now."""
        chosen = list(accounts)
        self._cover(max(chosen, default=0))
        new = []
        for account in chosen:
            if self.named.last_us[account] < now_us - MEMORY_US:
                self.named.first_us[account] = now_us
                new.append(account)
            self.named.last_us[account] = now_us
            self._order[account] = None
            self._order.move_to_end(account)
        while len(self._order) > self._max:
            forgotten, _ = self._order.popitem(last=False)
            self.named.last_us[forgotten] = _NEVER_US
        return new

    def among(self, accounts: Iterable[int], now_us: int) -> list[int]:
        """Those of `accounts` that were named within MEMORY_US, in their order."""
        last_us, since_us = self.named.last_us, now_us - MEMORY_US
        return [one for one in accounts if one < last_us.size and last_us[one] >= since_us]

    def are_named(self, accounts: Int32s, now_us: int) -> Bools:
        """Which of `accounts` are `among` them."""
        named = np.zeros(accounts.size, np.bool_)
        known = accounts < self.named.last_us.size
        named[known] = self.named.last_us[accounts[known]] >= now_us - MEMORY_US
        return named

    def was_named(self, account: int, before_us: int) -> bool:
        """Whether it was named before then; of an account that is `among` them."""
        return bool(self.named.first_us[account] < before_us)

    def _cover(self, account: int) -> None:
        more = account + 1 - self.named.last_us.size
        if more > 0:
            room = np.full(max(more, self.named.last_us.size), _NEVER_US)
            self.named = Named(*(np.concatenate((column, room)) for column in self.named))


@kernel
def is_named(named: Named, account: int, now_us: int) -> bool:
    is_recent: bool = account < named.last_us.size and named.last_us[account] >= now_us - MEMORY_US
    return is_recent
