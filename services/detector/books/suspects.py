"""Accounts named by earlier alerts. Who deals with them is judged by that: launderers use the accounts
they control again (FATF, Professional Money Laundering, 2018), so a weak shape among named accounts is
no weak sign. Only typologies that prove their shape without it name anybody (Typology.names), so that
suspicion does not breed suspicion."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from schemas.instant import DAY

MEMORY_US: Final = 180 * DAY
"""Assumption: half a year, a mule account's life."""


class Suspects:
    """At most `max_accounts`; past it the one named longest ago is forgotten."""

    def __init__(self, max_accounts: int = 100_000) -> None:
        self._max = max_accounts
        self._named_us: OrderedDict[int, tuple[int, int]] = OrderedDict()
        """First, of those not forgotten in between, and last."""

    def name(self, accounts: Iterable[int], now_us: int) -> None:
        for account in accounts:
            first_us, last_us = self._named_us.get(account, (now_us, now_us))
            is_known = last_us >= now_us - MEMORY_US
            self._named_us[account] = (first_us if is_known else now_us, now_us)
            self._named_us.move_to_end(account)
        while len(self._named_us) > self._max:
            self._named_us.popitem(last=False)

    def among(self, accounts: Iterable[int], now_us: int) -> list[int]:
        """Those of `accounts` that were named within MEMORY_US, in their order."""
        since_us = now_us - MEMORY_US
        never = (since_us - 1, since_us - 1)
        return [one for one in accounts if self._named_us.get(one, never)[1] >= since_us]

    def was_named(self, account: int, before_us: int) -> bool:
        """Whether it was named before then; of an account that is `among` them."""
        return self._named_us[account][0] < before_us
