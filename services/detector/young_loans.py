"""Loans that were disbursed not long ago, and when each is looked at again, ever less often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.instant import DAY
from services.detector.lending import Listing

LOOKS_DAYS: Final = (1, 2, 4, 8, 16)
"""After the disbursement; and once when the window is over."""
_MAX_ACCOUNTS: Final = 200_000
_MAX_LISTINGS: Final = 10
"""Of one account."""


class YoungLoans:
    """By the account that was paid. What does not fit is not followed (`refused`)."""

    def __init__(self) -> None:
        self._since_us: dict[int, dict[Listing, int]] = {}
        self.refused = 0

    def add(self, listing: Listing, since_us: int) -> None:
        fits = listing.borrower in self._since_us or len(self._since_us) < _MAX_ACCOUNTS
        loans = self._since_us.setdefault(listing.borrower, {}) if fits else {}
        if listing in loans:
            return
        if not fits or len(loans) >= _MAX_LISTINGS:
            self.refused += 1
            return
        loans[listing] = since_us

    def of(self, account: int) -> tuple[Listing, ...]:
        return tuple(self._since_us.get(account, ()))

    def next_us(self, account: int, now_us: int, window_us: int) -> int | None:
        """When the account is to be looked at next; None once the windows of its loans are over: then
        they are forgotten."""
        loans = self._since_us.get(account, {})
        due = [look for since_us in loans.values() for look in _looks(since_us, window_us) if look > now_us]
        if not due:
            self._since_us.pop(account, None)
        return min(due, default=None)


def _looks(since_us: int, window_us: int) -> Iterator[int]:
    yield from (since_us + days * DAY for days in LOOKS_DAYS if days * DAY < window_us)
    yield since_us + window_us
