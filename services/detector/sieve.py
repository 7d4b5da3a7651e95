"""Rows of a batch by what is seen of each at once: who pays and is paid, why, how much.

A trigger begins with a Sieve, in one compiled pass over the batch without a branch: a nanosecond a row,
whatever it asks. What passes is few, and may be looked at more closely.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag
from functools import reduce
from operator import or_
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from compiled import Array, Bools, Int64s, kernel
from schemas.transaction import Purpose
from services.detector.graph import Applied, Status
from services.detector.graph.accounts import OUTSIDE_INDEX


class Fact(IntFlag):
    """What holds of a row."""

    inserted = 1
    known_payer = 2
    """It is an account, and not the world outside."""
    known_payee = 4
    between_two = 8
    """Payer and payee differ."""
    reversal = 16
    out_of_order = 32
    """Its time is before the clock."""
    names_product = 64
    yuan = 128
    """It is in the currency that the graph sums."""


NOTHING: Final = Fact(0)
BETWEEN_ACCOUNTS: Final = Fact.known_payer | Fact.known_payee | Fact.between_two

Sieve: TypeAlias = Array
"""Of _MESH: a row passes it if it passes any of its elements."""

_MESH: Final = np.dtype(
    [(name, "<u4") for name in ("payer", "not_payer", "payee", "not_payee", "purposes", "facts", "not_facts")]
)
_ANY: Final = 0
ANY_MINOR: Final = -(2**63)
_EVERY_PURPOSE: Final = tuple(Purpose)
_INSERTED_STATUS: Final = int(Status.inserted)
_INSERTED, _PAYER, _PAYEE, _BETWEEN, _REVERSAL, _LATE, _PRODUCT, _YUAN = (int(fact) for fact in Fact)


def sieve(
    *,
    payer: int = _ANY,
    not_payer: int = 0,
    payee: int = _ANY,
    not_payee: int = 0,
    purposes: Iterable[int] = _EVERY_PURPOSE,
    facts: Fact = NOTHING,
    not_facts: Fact = NOTHING,
) -> Sieve:
    """What was inserted, whose payer has one of the marks `payer` and none of `not_payer`, and so its payee,
    for one of the purposes, with all of the facts and none of `not_facts`."""
    chosen = reduce(or_, (1 << purpose for purpose in purposes))
    mesh = (payer, not_payer, payee, not_payee, chosen, facts | Fact.inserted, not_facts)
    return np.array([mesh], _MESH)


def either(*sieves: Sieve) -> Sieve:
    """What passes any of them."""
    return np.concatenate(sieves)


class Sights(NamedTuple):
    """Of a batch, row by row."""

    seen: Array
    """Four rows of bits: the marks of the payers, those of the payees, the purpose's one bit, the facts."""
    minor: Int64s

    def passing(self, wanted: Sieve, least_minor: int = ANY_MINOR) -> Int64s:
        """The rows that pass and are of at least so much, ascending."""
        rows = np.empty(self.minor.size, np.int64)
        fits = np.empty(self.minor.size, np.bool_)
        return rows[: sift(self.seen, self.minor, wanted, least_minor, fits, rows)]


def sighted(applied: Applied, src_marks: Array, dst_marks: Array, reversals: Bools) -> Sights:
    seen = np.empty((4, applied.ts_us.size), np.uint32)
    seen[0] = src_marks
    seen[1] = dst_marks
    see(
        applied.status,
        applied.src,
        applied.dst,
        applied.ts_us,
        applied.clock_us,
        applied.purpose,
        applied.currency,
        applied.product,
        reversals,
        seen,
    )
    return Sights(seen, applied.amount_minor)


@kernel
def see(
    status: Array,
    src: Array,
    dst: Array,
    ts_us: Int64s,
    clock_us: Int64s,
    purpose: Array,
    currency: Array,
    product: Array,
    reversals: Bools,
    seen: Array,
) -> None:
    for row in range(src.size):
        seen[2, row] = 1 << purpose[row]
        seen[3, row] = (
            _INSERTED * (status[row] == _INSERTED_STATUS)
            + _PAYER * (src[row] > OUTSIDE_INDEX)
            + _PAYEE * (dst[row] > OUTSIDE_INDEX)
            + _BETWEEN * (src[row] != dst[row])
            + _REVERSAL * reversals[row]
            + _LATE * (ts_us[row] < clock_us[row])
            + _PRODUCT * (product[row] > 0)
            + _YUAN * (currency[row] == 0)
        )


@kernel
def sift(seen: Array, minor: Int64s, wanted: Sieve, least_minor: int, fits: Bools, rows: Int64s) -> int:
    """The number of rows that pass; they are the first of `rows`. Every test is made of every row, which
    the machine does for several at once: a wrong guess at a branch would cost more than all of them."""
    for place in range(wanted.size):
        mesh = wanted[place]
        payer, not_payer, any_payer = mesh.payer, mesh.not_payer, mesh.payer == _ANY
        payee, not_payee, any_payee = mesh.payee, mesh.not_payee, mesh.payee == _ANY
        purposes, facts, not_facts = mesh.purposes, mesh.facts, mesh.not_facts
        for row in range(minor.size):
            fits[row] = ((place > 0) & fits[row]) | ((seen[3, row] & facts) == facts) & (
                (seen[3, row] & not_facts) == 0
            ) & ((seen[2, row] & purposes) != 0) & (any_payer | ((seen[0, row] & payer) != 0)) & (
                any_payee | ((seen[1, row] & payee) != 0)
            ) & ((seen[0, row] & not_payer) == 0) & ((seen[1, row] & not_payee) == 0)
    count = 0
    for row in range(minor.size):
        rows[count] = row
        count += fits[row] & (minor[row] >= least_minor)
    return count
