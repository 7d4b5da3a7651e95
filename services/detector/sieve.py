"""Rows of a batch by what is seen of each at once: who pays and is paid, why, how much.

A trigger begins with a Sieve. A batch is sifted through all sieves at once, in one compiled pass: what a row
is (each mark, its purpose, its facts) says of all meshes together, as bits, which it may pass. What passes a
sieve is few, and may be looked at more closely.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntFlag
from functools import reduce
from operator import or_
from typing import Final, NamedTuple, NewType

import numpy as np

from compiled import Array, Bools, Int64s, direct, kernel, lowest_lane
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

Sieve = NewType("Sieve", bytes)
"""Meshes, as _MESH has them, one after the other: a row passes it if it passes any."""

_MESH: Final = np.dtype(
    [(name, "<u4") for name in ("payer", "not_payer", "payee", "not_payee", "purposes", "facts", "not_facts")]
)
_ANY: Final = 0
_WORD: Final = 64
_ONE: Final = np.uint64(1)
_NO_MESH: Final = np.uint64(0)
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
    return Sieve(np.array([mesh], _MESH).tobytes())


def either(*sieves: Sieve) -> Sieve:
    """What passes any of them."""
    return Sieve(b"".join(sieves))


def meshes_of(wanted: Sieve) -> Array:
    """Of _MESH."""
    return np.frombuffer(wanted, _MESH)


class _Meshes(NamedTuple):
    """All meshes of some sieves, each a bit of a word; of each thing that a row may be: the meshes that such
    a row may pass, by word. Of marks, by end first: the meshes that want one, and those that bar it."""

    of_purpose: Array
    of_facts: Array
    wanting: Array
    barring: Array
    wanting_none: Array
    sieve: Int64s
    """Which sieve a mesh is of: they follow one another."""


def _meshes(sieves: Sequence[Sieve]) -> _Meshes:
    mesh = meshes_of(either(*sieves))
    facts, ends = np.arange(1 << len(Fact), dtype=np.uint32), ("payer", "payee")
    meets = (facts & mesh["facts"][:, None]) == mesh["facts"][:, None]
    return _Meshes(
        _words(_bits(mesh["purposes"])),
        _words(meets & ((facts & mesh["not_facts"][:, None]) == 0)),
        np.stack([_words(_bits(mesh[end])) for end in ends]),
        np.stack([_words(_bits(mesh[f"not_{end}"])) for end in ends]),
        np.stack([_words((mesh[end] == _ANY)[:, None])[:, 0] for end in ends]),
        np.repeat(np.arange(len(sieves)), [len(meshes_of(one)) for one in sieves]),
    )


def _bits(numbers: Array) -> Bools:
    """Of each number a row."""
    bits: Bools = (numbers[:, None] >> np.arange(_WORD // 2, dtype=np.uint32) & 1) != 0
    return bits


def _words(holds: Bools) -> Array:
    """Of each column of `holds`, which has a row for each mesh, the words."""
    words = -(-len(holds) // _WORD)
    padded = np.zeros((words * _WORD, holds.shape[1]), np.uint64)
    padded[: len(holds)] = holds
    places = np.arange(_WORD, dtype=np.uint64)[:, None]
    every: Array = np.bitwise_or.reduce(padded.reshape(words, _WORD, -1) << places, axis=1)
    return every


class Sieves:
    """Those that were ever asked for, in that order. What was not yet is sifted alone in its first batch."""

    def __init__(self) -> None:
        self.places: dict[Sieve, int] = {}
        self._meshes: _Meshes | None = None

    def sift(self, seen: Array) -> list[Int64s]:
        """Of each sieve, the rows that pass, ascending."""
        if not self.places:
            return []
        if self._meshes is None:
            self._meshes = _meshes([*self.places])
        rows = np.empty((len(self.places), seen.shape[1]), np.int64)
        counts = np.zeros(len(self.places), np.int64)
        sift_all(seen, self._meshes, rows, counts)
        return [passing[:count] for passing, count in zip(rows, counts.tolist(), strict=True)]

    def add(self, wanted: Sieve) -> None:
        self.places[wanted] = len(self.places)
        self._meshes = None


class Sights:
    """Of a batch, row by row.

    `seen`: four rows of bits, the marks of the payers, those of the payees, the purpose's one bit, the facts.
    """

    def __init__(self, seen: Array, minor: Int64s, sieves: Sieves) -> None:
        self.seen = seen
        self._minor = minor
        self._sieves = sieves
        self._passing = sieves.sift(seen)

    def passing(self, wanted: Sieve, least_minor: int = ANY_MINOR) -> Int64s:
        """The rows that pass and are of at least so much, ascending. Not to be written to."""
        place = self._sieves.places.get(wanted)
        if place is None:
            self._sieves.add(wanted)
            place = len(self._passing)
            self._passing.append(self._sifted(wanted))
        rows = self._passing[place]
        if least_minor == ANY_MINOR:
            return rows
        enough: Int64s = rows[self._minor[rows] >= least_minor]
        return enough

    def _sifted(self, wanted: Sieve) -> Int64s:
        alone = Sieves()
        alone.add(wanted)
        return alone.sift(self.seen)[0]


def sighted(applied: Applied, src_marks: Array, dst_marks: Array, reversals: Bools, sieves: Sieves) -> Sights:
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
    return Sights(seen, applied.amount_minor, sieves)


@direct
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


@direct
@kernel
def sift_all(seen: Array, meshes: _Meshes, rows: Int64s, counts: Int64s) -> None:
    """Put the rows that pass each sieve into its row of `rows`; `counts`: how many these are."""
    for row in range(seen.shape[1]):
        for word in range(meshes.of_purpose.shape[0]):
            passed = (
                meshes.of_purpose[word, lowest_lane(seen[2, row])]
                & meshes.of_facts[word, seen[3, row]]
                & by_marks(meshes, word, 0, seen[0, row])
                & by_marks(meshes, word, 1, seen[1, row])
            )
            while passed:
                place = meshes.sieve[_WORD * word + lowest_lane(passed)]
                passed &= passed - _ONE
                count = counts[place]
                if count == 0 or rows[place, count - 1] != row:
                    rows[place, count] = row
                    counts[place] += 1


@kernel
def by_marks(meshes: _Meshes, word: int, end: int, marks: int) -> np.uint64:
    """The meshes that let the marks of one end pass."""
    wanting, barring = meshes.wanting_none[end, word], _NO_MESH
    while marks:
        mark = lowest_lane(marks)
        marks &= marks - 1
        wanting |= meshes.wanting[end, word, mark]
        barring |= meshes.barring[end, word, mark]
    passed: np.uint64 = wanting & ~barring
    return passed
