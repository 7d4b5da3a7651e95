"""Lists of transfers as the graph answers with, made of legs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from services.detector.graph import Edges
from services.detector.graph.lists import EDGE
from services.detector.legs import Leg


def edges_of(legs: Iterable[Leg]) -> Edges:
    """In the order of (ts_us, seq)."""
    ordered = sorted(legs, key=lambda leg: (leg.ts_us, leg.seq))
    rows = [
        (leg.seq, leg.ts_us, leg.amount_minor, leg.src, leg.dst, leg.product, leg.currency, int(leg.purpose))
        for leg in ordered
    ]
    return Edges(np.array(rows, EDGE))
