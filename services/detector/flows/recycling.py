"""What borrowers repay with what the same account has just lent them."""

from __future__ import annotations

import numpy as np

from compiled import Array, Int64s, kernel


def recycled(loans: Array, instalments: Array, within_us: int) -> int:
    """How much of the instalments is money of loans to their payers, made within `within_us` before. Each
    part of a loan counts once, for the first instalment. Both are EDGE records by (ts_us, seq)."""
    by_borrower = loans[np.argsort(loans["dst"], kind="stable")]
    left = by_borrower["amount_minor"].copy()
    return int(repaid_with(by_borrower, left, instalments, within_us))


@kernel
def repaid_with(loans: Array, left: Int64s, instalments: Array, within_us: int) -> int:
    """`loans` by borrower, `left` of each what no instalment has used."""
    repaid = 0
    for place in range(instalments.size):
        instalment = instalments[place]
        needed = instalment.amount_minor
        loan = first_of(loans, instalment.src)
        while loan < loans.size and loans[loan].dst == instalment.src:
            if instalment.ts_us - within_us <= loans[loan].ts_us < instalment.ts_us:
                used = min(needed, left[loan])
                left[loan] -= used
                needed -= used
                repaid += used
            loan += 1
    return repaid


@kernel
def first_of(loans: Array, borrower: int) -> int:
    """Place of the borrower's first loan, if there is one."""
    low, high = 0, loans.size
    while low < high:
        middle = (low + high) // 2
        if loans[middle].dst < borrower:
            low = middle + 1
        else:
            high = middle
    return low
