"""Which legs may carry the money of a transfer, by how much they carry and in which currency."""

from __future__ import annotations

from typing import Final, NamedTuple

from compiled import kernel, signed
from services.detector.graph.ring import Ring

_ANY_CURRENCY: Final = -1
_MOST_MINOR: Final = 2**63 - 1
_FAR_MINOR: Final = 2**62


class Carried(NamedTuple):
    """Amounts, both bounds inclusive."""

    least_minor: int
    most_minor: int
    currency: int


ANY: Final = Carried(0, _MOST_MINOR, _ANY_CURRENCY)


@kernel
def part_of(amount_minor: int, least_permille: int, most_permille: int) -> tuple[int, int]:
    """The amounts from the one share of an amount to the other, rounded inward; a most of 0: no bound."""
    whole, rest = amount_minor // 1000, amount_minor % 1000
    least = whole * least_permille + (rest * least_permille + 999) // 1000
    is_bounded = most_permille > 0 and whole < _FAR_MINOR // most_permille
    return least, whole * most_permille + rest * most_permille // 1000 if is_bounded else _MOST_MINOR


@kernel
def carries(ring: Ring, slot: int, carried: Carried) -> bool:
    if not carried.least_minor <= ring.legs[slot].amount_minor <= carried.most_minor:
        return False
    return bool(carried.currency == _ANY_CURRENCY or signed(ring.currencies[slot]) == carried.currency)
