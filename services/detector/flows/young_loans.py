"""Loans that were disbursed not long ago, and when each is looked at again, ever less often."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from compiled import Int32s, Int64s
from schemas.instant import DAY
from services.detector.flows.lending import Listing
from services.detector.growing import with_room

LOOKS_DAYS: Final = (1, 4, 12)
"""After the disbursement; and once when the window is over."""
_MAX_ACCOUNTS: Final = 200_000
_MAX_LISTINGS: Final = 10
"""Of one account."""
_NONE: Final = 2**62


@dataclass(slots=True)
class Young:
    """When the first of a loan was disbursed, and how much of it since."""

    since_us: int
    disbursed_minor: int


class YoungLoans:
    """By the account that was paid. What does not fit is not followed (`refused`)."""

    def __init__(self) -> None:
        self._loans: dict[int, dict[Listing, Young]] = {}
        self._least = np.full(1024, _NONE, np.int64)
        """Per account: what was disbursed on the smallest of its loans."""
        self.refused = 0

    def add(self, listing: Listing, since_us: int, minor: int) -> None:
        """A payment on a loan: the first of it, or one more."""
        fits = listing.borrower in self._loans or len(self._loans) < _MAX_ACCOUNTS
        loans = self._loans.setdefault(listing.borrower, {}) if fits else {}
        if listing in loans:
            loans[listing].disbursed_minor += minor
        elif fits and len(loans) < _MAX_LISTINGS:
            loans[listing] = Young(since_us, minor)
            self._cover(listing.borrower)
            self._least[listing.borrower] = min(int(self._least[listing.borrower]), minor)
        else:
            self.refused += 1

    def of(self, account: int) -> tuple[tuple[Listing, Young], ...]:
        return tuple(self._loans.get(account, {}).items())

    def least_minor(self, accounts: Int32s, new: Int32s) -> Int64s:
        """No more than what was disbursed on any loan of each account by the end of the batch, which
        disburses to the accounts `new`; very large where there is none."""
        self._cover(int(max(accounts.max(initial=0), new.max(initial=0))))
        before = self._least[new]
        self._least[new] = 0
        least: Int64s = self._least[accounts]
        self._least[new] = before
        return least

    def next_us(self, account: int, now_us: int, window_us: int) -> int | None:
        """When the account is to be looked at next; None once the windows of its loans are over: then
        they are forgotten."""
        loans = self._loans.get(account, {}).values()
        looks = _looks_us(window_us)
        due = [loan.since_us + look for loan in loans for look in looks if loan.since_us + look > now_us]
        if not due and self._loans.pop(account, None) is not None:
            self._least[account] = _NONE
        return min(due, default=None)

    def _cover(self, account: int) -> None:
        self._least = with_room(self._least, account + 1, _NONE)


@cache
def _looks_us(window_us: int) -> tuple[int, ...]:
    """After the first disbursement."""
    return (*(days * DAY for days in LOOKS_DAYS if days * DAY < window_us), window_us)
