"""How much of a loan each transfer can have carried at most: told before any method of attribution is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiled import Array, Int32s, Int64s, kernel
from services.detector.ascending import place_of
from services.detector.graph import Edges
from services.detector.legs import Leg


def most_carried(paid: Edges, followed: Int32s, loan: Sequence[Leg]) -> Int64s:
    """`paid`: all that the accounts `followed` (ascending) paid from the loan's first payment on, in order.
    Of each no more of the loan than this can it have carried, the loan's own payments left aside.

    Whatever the method of attribution, money is conserved: an account pays no more of the loan than had come
    to it before, by payments that carried no more than they could, and the borrower no more than the loan.
    """
    came, most = np.zeros(followed.size, np.int64), np.zeros(len(paid), np.int64)
    disbursed = sum(leg.amount_minor for leg in loan)
    came[np.searchsorted(followed, loan[0].dst)] = disbursed
    bound_carried(paid.records, followed, loan[0].currency, disbursed, came, most)
    return most


@kernel
def bound_carried(
    paid: Array, followed: Int32s, currency: int, disbursed: int, came: Int64s, most: Int64s
) -> None:
    """Fill `most`. `came`: how much of the loan can have come to each account so far."""
    for row in range(paid.size):
        edge = paid[row]
        payer = place_of(followed, edge.src) if edge.currency == currency else -1
        if payer < 0 or came[payer] == 0:
            continue
        most[row] = min(edge.amount_minor, came[payer])
        payee = place_of(followed, edge.dst)
        if payee >= 0 and payee != payer:
            came[payee] = min(came[payee] + most[row], disbursed)
