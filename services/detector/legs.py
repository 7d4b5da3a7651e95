"""Transfers as plain tuples: what a confirmation walks over once the search has bounded it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Bools
from schemas.transaction import Purpose
from services.detector.graph import Edges

PURPOSES: Final = tuple(Purpose)


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
    records = edges.records if chosen is None else edges.records.take(np.flatnonzero(chosen))
    return [
        Leg(ts_us, seq, src, dst, amount_minor, PURPOSES[purpose], product, currency)
        for seq, ts_us, amount_minor, src, dst, product, currency, purpose in records.tolist()
    ]


def some_of(edges: Edges, chosen: Bools) -> Edges:
    """Those `chosen`, in the same order."""
    return Edges(edges.records.take(np.flatnonzero(chosen)), edges.truncated)


def merged(*lists: Edges) -> Edges:
    """Their distinct transfers in the order of (ts_us, seq)."""
    records = np.concatenate([each.records for each in lists])
    _, first = np.unique(records["seq"], return_index=True)
    distinct = records.take(first)
    order = np.argsort(distinct["ts_us"], kind="stable")
    return Edges(distinct.take(order), any(each.truncated for each in lists))
