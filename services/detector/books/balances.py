"""What statements of balances said, by account: the recent ones, to be asked by time.

At most MAX_SERIES series are kept, of one account, kind and currency each, and of each the
MAX_STATEMENTS newest; a statement that has no room is counted in `refused`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.balance import Balance, BalanceKind

MAX_SERIES: Final = 50_000
MAX_STATEMENTS: Final = 35
"""A month of daily ones, as long as the graph knows the flows between them, and a little more."""


class Statement(NamedTuple):
    """`minor` was in the account just after everything up to and including `as_of_us`."""

    as_of_us: int
    minor: int


class _Series(NamedTuple):
    account: int
    kind: BalanceKind
    currency: str


class History:
    """Accounts are the graph's indexes, currencies codes as text."""

    def __init__(self) -> None:
        self._series: dict[_Series, list[Statement]] = {}
        self.refused = 0

    def put(self, account: int, balance: Balance) -> bool:
        """Take a statement in, or a correction of one. False when it says nothing new."""
        key = _Series(account, balance.balance_kind, balance.currency)
        known = self._series.get(key, [])
        stated = Statement(balance.as_of, balance.balance_minor)
        place = bisect_left(known, (balance.as_of,))
        if place < len(known) and known[place].as_of_us == balance.as_of:
            if known[place] == stated:
                return False
            known[place] = stated
            return True
        if (not known and len(self._series) >= MAX_SERIES) or (place == 0 and len(known) == MAX_STATEMENTS):
            self.refused += 1
            return False
        known.insert(place, stated)
        self._series[key] = known[-MAX_STATEMENTS:]
        return True

    def until(self, account: int, kind: BalanceKind, currency: str, at_us: int) -> Statement | None:
        """The newest as of `at_us` (inclusive) or before."""
        known = self._series.get(_Series(account, kind, currency), [])
        place = bisect_right(known, at_us, key=_as_of)
        return known[place - 1] if place else None

    def stated(self, accounts: Iterable[int], kind: BalanceKind, currency: str) -> list[int]:
        """Those of `accounts` that have a statement, in their order."""
        return [one for one in accounts if _Series(one, kind, currency) in self._series]


def _as_of(statement: Statement) -> int:
    return statement.as_of_us
