"""Transfers as plain tuples: what a confirmation walks over once the search has bounded it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from schemas.transaction import Purpose
from services.detector.graph import Edges
from services.detector.graph.kernel import Bools

DAY_SHIFT_US: Final = 8 * 3_600_000_000
"""Days are Beijing's: UTC+8, no daylight saving."""


_PURPOSES: Final = tuple(Purpose)


class Leg(NamedTuple):
    """One transfer. `src` and `dst` are account indexes, `product` and `currency` the graph's codes."""

    ts_us: int
    seq: int
    src: int
    dst: int
    amount_minor: int
    purpose: Purpose
    product: int
    currency: int


def legs_of(edges: Edges, chosen: Bools | None = None) -> list[Leg]:
    """All of them or those `chosen`, in the order of (ts_us, seq)."""
    rows = slice(None) if chosen is None else np.flatnonzero(chosen)
    return [
        Leg(ts_us, seq, src, dst, amount, _PURPOSES[purpose], product, currency)
        for ts_us, seq, src, dst, amount, purpose, product, currency in zip(
            edges.ts_us[rows].tolist(),
            edges.seq[rows].tolist(),
            edges.src[rows].tolist(),
            edges.dst[rows].tolist(),
            edges.amount_minor[rows].tolist(),
            edges.purpose[rows].tolist(),
            edges.product[rows].tolist(),
            edges.currency[rows].tolist(),
            strict=True,
        )
    ]


def in_order(legs: Iterable[Leg]) -> list[Leg]:
    """Distinct legs by (ts_us, seq)."""
    return sorted(set(legs))
