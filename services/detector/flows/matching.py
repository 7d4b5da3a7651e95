"""Do payments out match payments in one to one, by listing or amount? An agent's do, a pool's do not."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from services.detector.legs import Leg

NO_PRODUCT = 0
_WHOLE = 10_000


def unmatched_minor(legs_in: Sequence[Leg], legs_out: Sequence[Leg], tolerance_bp: int) -> int:
    """How much of `legs_out` no earlier leg in answers for. All legs are of one currency.

    By listing: what went out under a product, up to what came in under it. By amount: a leg out is
    paired with one earlier leg in that is as large, or larger by at most `tolerance_bp` of itself (a
    fee kept); each leg in is paired once, the closest amount first.
    """
    by_product: dict[int, int] = {}
    amounts: list[int] = []
    unmatched = 0
    waiting = list(reversed(legs_in))
    for leg in legs_out:
        while waiting and (waiting[-1].ts_us, waiting[-1].seq) < (leg.ts_us, leg.seq):
            came = waiting.pop()
            if came.product != NO_PRODUCT:
                by_product[came.product] = by_product.get(came.product, 0) + came.amount_minor
            else:
                insort(amounts, came.amount_minor)
        unmatched += leg.amount_minor - _matched(leg, by_product, amounts, tolerance_bp)
    return unmatched


def _matched(leg: Leg, by_product: dict[int, int], amounts: list[int], tolerance_bp: int) -> int:
    if leg.product != NO_PRODUCT:
        matched = min(leg.amount_minor, by_product.get(leg.product, 0))
        by_product[leg.product] = by_product.get(leg.product, 0) - matched
        return matched
    place = bisect_left(amounts, leg.amount_minor)
    if place == len(amounts):
        return 0
    closest = amounts[place]
    if (closest - leg.amount_minor) * _WHOLE > closest * tolerance_bp:
        return 0
    del amounts[place]
    return leg.amount_minor
