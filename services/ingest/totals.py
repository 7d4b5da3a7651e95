"""Control totals: what was declared, outside the message and inside it, against what was read."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from schemas.feed import BatchHeader, ControlTotals
from services.ingest.formats.parsed import Declared

SILENT: Final = Declared(None, None)

_LARGEST: Final = Decimal(10) ** 22
_FINEST: Final = Decimal("0.00001")


@dataclass(frozen=True, slots=True)
class Totals:
    """What was read: the number of records, and the sum of the amounts that can be read."""

    count: int = 0
    sum: Decimal = Decimal(0)

    def shown(self) -> ControlTotals:
        """For the receipt. An absurd sum, which only bad records make, is cut to what fits there."""
        total = min(self.sum, _LARGEST)
        rounded = total.quantize(_FINEST)
        return ControlTotals(count=self.count, sum=total if total == rounded else rounded)


def together(before: Declared | None, claim: Declared) -> Declared:
    """One claim about the whole message from those about its statements; None where one is silent."""
    if before is None:
        return claim
    return Declared(
        count=None if before.count is None or claim.count is None else before.count + claim.count,
        sum=None if before.sum is None or claim.sum is None else before.sum + claim.sum,
    )


def mismatch(header: BatchHeader, inside: Declared, actual: Totals) -> str:
    """What is declared and what is there, where they differ; "" when all that is declared holds."""
    outside = Declared(header.control_count, header.control_sum)
    for who, claim in (("the caller declared", outside), ("the message declares", inside)):
        if claim.count is not None and claim.count != actual.count:
            return f"control count: {who} {claim.count} records, there are {actual.count}"
        if claim.sum is not None and claim.sum != actual.sum:
            return f"control sum: {who} {claim.sum}, the amounts add up to {actual.sum}"
    return ""


def declared(header: BatchHeader, inside: Declared, actual: Totals) -> ControlTotals | None:
    """For the receipt: the caller's figures before the message's; one that neither gave, as read.

    None: nothing was declared, or what no control total can be (then it does not match either).
    """
    count = inside.count if header.control_count is None else header.control_count
    total = inside.sum if header.control_sum is None else header.control_sum
    if count is None and total is None:
        return None
    shown = actual.shown()
    try:
        return ControlTotals(
            count=shown.count if count is None else count, sum=shown.sum if total is None else total
        )
    except ValidationError:
        return None
