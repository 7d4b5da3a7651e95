"""Rounds of collecting: an account's clients pay in, then nobody does for a while, then others do."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from compiled import Int64s
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

    def current(self, account: int, paid_us: Int64s, quiet_us: int) -> Round:
        """The round that goes on, by the times of the payments since the latest began, ascending and not
        none: a new one where nobody paid for longer than `quiet_us` after what was reported."""
        latest = self.latest(account)
        if latest is FIRST:
            return FIRST._replace(start_us=int(paid_us[0]))
        later = paid_us[paid_us > latest.last_us]
        if not later.size or later[0] - latest.last_us <= quiet_us:
            return latest
        start_us = int(later[0])
        return Round(start_us, start_us, day(start_us))

    def report(self, account: int, until_us: int, current: Round) -> None:
        self._latest[account] = current._replace(last_us=until_us)
        self._latest.move_to_end(account)
        if len(self._latest) > self._max:
            self._latest.popitem(last=False)
