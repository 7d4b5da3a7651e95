"""What each reserve account has settled and what fee was taken from it, since the log began."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from schemas.transaction import Purpose
from services.detector.parties.marks import MERCHANT
from services.detector.typology import Step

Key = tuple[int, int]
"""(account, currency code)."""


class _Settled(NamedTuple):
    rows: list[int]
    accounts: list[int]
    currencies: list[int]
    amounts: list[int]


class ReserveLedger:
    """Rows of a batch count one by one, in order: open() a batch, advance() to a row, close() it."""

    def __init__(self) -> None:
        self._settled: dict[Key, int] = {}
        self._fees: dict[Key, int] = {}
        self._since_us: dict[int, int] = {}
        self._waiting = _Settled([], [], [], [])
        self._at = 0

    def open(self, step: Step, from_reserve: np.ndarray) -> None:
        """`from_reserve`: rows out of an account that was ever a reserve account."""
        applied = step.applied
        to_merchant = (step.dst_marks & MERCHANT) != 0
        settled = from_reserve & (to_merchant | (applied.purpose == Purpose.merchant_settlement))
        for account in np.unique(applied.src[from_reserve]).tolist():
            first = applied.clock_us[from_reserve & (applied.src == account)][0]
            self._since_us.setdefault(account, int(first))
        columns = (np.flatnonzero(settled), *(c[settled] for c in (applied.src, applied.currency)))
        self._waiting = _Settled(*(c.tolist() for c in (*columns, applied.amount_minor[settled])))
        self._at = 0

    def advance(self, row: int) -> None:
        """Count what was settled up to and including `row`."""
        waiting = self._waiting
        while self._at < len(waiting.rows) and waiting.rows[self._at] <= row:
            key = (waiting.accounts[self._at], waiting.currencies[self._at])
            self._settled[key] = self._settled.get(key, 0) + waiting.amounts[self._at]
            self._at += 1

    def close(self, rows: int) -> None:
        self.advance(rows)
        self._waiting = _Settled([], [], [], [])
        self._at = 0

    def since_us(self, accounts: Iterable[int]) -> int:
        """When the log first saw any of them pay out."""
        return min((self._since_us[one] for one in accounts if one in self._since_us), default=0)

    def settled(self, accounts: Iterable[int], currency: int) -> int:
        return sum(self._settled.get((account, currency), 0) for account in accounts)

    def fees(self, accounts: Iterable[int], currency: int) -> int:
        return sum(self._fees.get((account, currency), 0) for account in accounts)

    def take_fee(self, account: int, currency: int, amount_minor: int) -> None:
        self._fees[account, currency] = self._fees.get((account, currency), 0) + amount_minor
