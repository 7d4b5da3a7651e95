"""What each reserve account has settled and what fee was taken from it, since the log began."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from compiled import Int64s
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

    def open(self, step: Step, rows: Int64s) -> None:
        """`rows`: those out of an account that was ever a reserve account, ascending."""
        applied = step.applied
        payers = applied.src[rows]
        for account in set(payers.tolist()) - self._since_us.keys():
            self._since_us[account] = int(applied.clock_us[rows[payers == account]][0])
        to_merchant = (step.dst_marks[rows] & MERCHANT) != 0
        settled = rows[to_merchant | (applied.purpose[rows] == int(Purpose.merchant_settlement))]
        columns = (applied.src, applied.currency, applied.amount_minor)
        self._waiting = _Settled(settled.tolist(), *(column[settled].tolist() for column in columns))
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
