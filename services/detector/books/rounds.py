"""Rounds of collecting: an account's clients pay in, then nobody does for a while, then others do."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from services.detector.wording import day


class Round(NamedTuple):
    """Payments from `start_us` on, reported up to `last_us`. `matter` tells it from an account's first."""

    start_us: int
    last_us: int
    matter: str


FIRST = Round(0, 0, "")
"""Of an account of which nothing was reported."""


class Rounds:
    """The latest round reported of each account; of more than `max_accounts` the one reported least lately is
    forgotten."""

    def __init__(self, max_accounts: int = 100_000) -> None:
        self._max = max_accounts
        self._latest: OrderedDict[int, Round] = OrderedDict()

    def latest(self, account: int) -> Round:
        return self._latest.get(account, FIRST)

    def current(self, account: int, first_us: int, later_us: int, quiet_us: int) -> Round:
        """The round that goes on, by the payments since the latest began: the time of the first of them, and
        of the first after what was reported (0: there was none since). A new one where nobody paid for
        longer than `quiet_us` after that."""
        latest = self.latest(account)
        if latest is FIRST:
            return FIRST._replace(start_us=first_us)
        if later_us - latest.last_us <= quiet_us:
            return latest
        return Round(later_us, later_us, day(later_us))

    def report(self, account: int, until_us: int, current: Round) -> None:
        self._latest[account] = Round(current.start_us, until_us, current.matter)
        self._latest.move_to_end(account)
        if len(self._latest) > self._max:
            self._latest.popitem(last=False)
