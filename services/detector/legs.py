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


def some_of(edges: Edges, chosen: Bools) -> Edges:
    """Those `chosen`, in the same order."""
    return Edges(
        edges.seq[chosen],
        edges.src[chosen],
        edges.dst[chosen],
        edges.ts_us[chosen],
        edges.amount_minor[chosen],
        edges.purpose[chosen],
        edges.product[chosen],
        edges.currency[chosen],
        edges.truncated,
    )


def merged(some: Edges, others: Edges) -> Edges:
    """Both, which have none in common, in the order of (ts_us, seq)."""
    seq, ts_us = np.concatenate((some.seq, others.seq)), np.concatenate((some.ts_us, others.ts_us))
    order = np.lexsort((seq, ts_us))
    return Edges(
        seq[order],
        np.concatenate((some.src, others.src))[order],
        np.concatenate((some.dst, others.dst))[order],
        ts_us[order],
        np.concatenate((some.amount_minor, others.amount_minor))[order],
        np.concatenate((some.purpose, others.purpose))[order],
        np.concatenate((some.product, others.product))[order],
        np.concatenate((some.currency, others.currency))[order],
        some.truncated or others.truncated,
    )


def in_order(legs: Iterable[Leg]) -> list[Leg]:
    """Distinct legs by (ts_us, seq)."""
    return sorted(set(legs))
