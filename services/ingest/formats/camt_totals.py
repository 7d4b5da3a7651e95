"""What a camt message declares about its entries, against the entries and records that were read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from services.ingest.formats.iso20022_leaves import Leaves, count, total
from services.ingest.formats.parsed import Declared, readable_amount

T = TypeVar("T", int, Decimal)


class Totals:
    """Counts and sums of one message.

    TxsSummry speaks of its report's entries, and an entry may be several records. What it declares
    beyond the entries that were read is missing; so in records it declares those read and the missing.
    """

    def __init__(self) -> None:
        self._records, self._record_sum = 0, Decimal(0)
        self._entries, self._entry_sum = 0, Decimal(0)
        self._said: Declared | None = None
        self._missing: int | None = None
        self._missing_sum: Decimal | None = None

    def add_entry(self, amount: str) -> None:
        self._entries += 1
        self._entry_sum += readable_amount(amount) or 0

    def add_record(self, amount: str) -> None:
        self._records += 1
        self._record_sum += readable_amount(amount) or 0

    def declare(self, summary: Leaves) -> None:
        """Take the TxsSummry of the current report. Raises MalformedBatch where it has no numbers."""
        self._said = Declared(_of_all(count, summary, "NbOfNtries"), _of_all(total, summary, "Sum"))

    def end_report(self) -> None:
        if self._said and self._said.count is not None:
            self._missing = (self._missing or 0) + self._said.count - self._entries
        if self._said and self._said.sum is not None:
            self._missing_sum = (self._missing_sum or 0) + self._said.sum - self._entry_sum
        self._entries, self._entry_sum, self._said = 0, Decimal(0), None

    def declared(self) -> Declared | None:
        """What the message declares, in records; None: nothing."""
        if self._missing is None and self._missing_sum is None:
            return None
        return Declared(
            None if self._missing is None else self._records + self._missing,
            None if self._missing_sum is None else self._record_sum + self._missing_sum,
        )


def _of_all(read: Callable[[Leaves, str], T | None], summary: Leaves, leaf: str) -> T | None:
    """The figure of all entries, else of the credits and the debits together."""
    if (of_all := read(summary, f"TtlNtries/{leaf}")) is not None:
        return of_all
    credit, debit = read(summary, f"TtlCdtNtries/{leaf}"), read(summary, f"TtlDbtNtries/{leaf}")
    return None if credit is None or debit is None else credit + debit
