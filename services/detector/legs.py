"""Transfers as plain tuples: what a confirmation walks over once the search has bounded it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from schemas.transaction import Purpose
from services.detector.graph import Edges
from services.detector.graph.kernel import Bools

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
    if chosen.all():
        return edges
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


def merged(*lists: Edges) -> Edges:
    """Their distinct transfers in the order of (ts_us, seq)."""
    seq, first = np.unique(np.concatenate([each.seq for each in lists]), return_index=True)
    ts_us = np.concatenate([each.ts_us for each in lists])[first]
    order = np.argsort(ts_us, kind="stable")
    chosen = first[order]
    return Edges(
        seq[order],
        np.concatenate([each.src for each in lists])[chosen],
        np.concatenate([each.dst for each in lists])[chosen],
        ts_us[order],
        np.concatenate([each.amount_minor for each in lists])[chosen],
        np.concatenate([each.purpose for each in lists])[chosen],
        np.concatenate([each.product for each in lists])[chosen],
        np.concatenate([each.currency for each in lists])[chosen],
        any(each.truncated for each in lists),
    )
