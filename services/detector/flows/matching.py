"""Do payments out match payments in one to one, by listing or amount? An agent's do, a pool's do not."""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Array, Bools, Int64s, kernel, signed
from services.detector.ascending import first_from
from services.detector.distinct import number_of, numbers_for
from services.detector.graph import Edges
from services.detector.graph.ordering import comes_first

NO_PRODUCT: Final = 0
_WHOLE: Final = 10_000


def unmatched_minor(came: Edges, counts: Bools, went: Edges, chosen: Bools, tolerance_bp: int) -> int:
    """How much of those `chosen` of `went` no earlier one of `came` that `counts` answers for. All of these
    are of one currency.

    By listing: what went out under a product, up to what came in under it. By amount: a payment out is
    paired with one earlier payment in that is as large, or larger by at most `tolerance_bp` of itself (a
    fee kept); each payment in is paired once, the closest amount first.
    """
    sums, amounts = np.zeros(len(came) + len(went), np.int64), np.empty(len(came), np.int64)
    products = numbers_for(sums.size)
    return sum_unmatched(came.records, counts, went.records, chosen, tolerance_bp, products, sums, amounts)


@kernel
def sum_unmatched(
    came: Array,
    counts: Bools,
    went: Array,
    chosen: Bools,
    tolerance_bp: int,
    products: Array,
    sums: Int64s,
    amounts: Int64s,
) -> int:
    """`sums`: by the product's number, what came and was not matched; `amounts`: of other payments in, those
    that are not matched, ascending."""
    unmatched = 0
    taken = 0
    waiting = 0
    for place in range(went.size):
        if not chosen[place]:
            continue
        left = went[place]
        while taken < came.size and comes_first(came[taken], left):
            paid = came[taken]
            taken += 1
            if not counts[taken - 1]:
                continue
            if paid.product != NO_PRODUCT:
                sums[number_of(products, paid.product)] += paid.amount_minor
            else:
                insert(amounts, waiting, paid.amount_minor)
                waiting += 1
        if left.product != NO_PRODUCT:
            number = number_of(products, left.product)
            matched = min(signed(left.amount_minor), sums[number])
            sums[number] -= matched
            unmatched += left.amount_minor - matched
        else:
            closest = first_from(amounts, waiting, left.amount_minor)
            if closest < waiting and is_near(amounts[closest], left.amount_minor, tolerance_bp):
                waiting -= 1
                for later in range(closest, waiting):
                    amounts[later] = amounts[later + 1]
            else:
                unmatched += left.amount_minor
    return signed(unmatched)


@kernel
def is_near(came_minor: int, left_minor: int, tolerance_bp: int) -> bool:
    """Larger by at most `tolerance_bp` of itself, which is up to the whole; no product overflows."""
    kept = came_minor // _WHOLE * tolerance_bp + came_minor % _WHOLE * tolerance_bp // _WHOLE
    return came_minor - left_minor <= kept


@kernel
def insert(amounts: Int64s, count: int, minor: int) -> None:
    """Into the `count` that ascend."""
    place = count
    while place > 0 and amounts[place - 1] > minor:
        amounts[place] = amounts[place - 1]
        place -= 1
    amounts[place] = minor
