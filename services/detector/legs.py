"""Transfers as plain tuples: what a confirmation walks over once the search has bounded it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, kernel
from schemas.transaction import Purpose
from services.detector.graph import Edges
from services.detector.graph.lists import EDGE
from services.detector.graph.ordering import comes_first

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
    records = edges.records if chosen is None else edges.records.compress(chosen)
    return [
        Leg(ts_us, seq, src, dst, amount_minor, PURPOSES[purpose], product, currency)
        for seq, ts_us, amount_minor, src, dst, product, currency, purpose in records.tolist()
    ]


def some_of(edges: Edges, chosen: Bools) -> Edges:
    """Those `chosen`, in the same order."""
    return Edges(edges.records.compress(chosen), edges.truncated)


def merged(*lists: Edges) -> Edges:
    """Their distinct transfers in the order of (ts_us, seq)."""
    records = lists[0].records
    for each in lists[1:]:
        room = np.empty(records.size + each.records.size, EDGE)
        records = room[: merge(records, each.records, room)]
    return Edges(records, any(each.truncated for each in lists))


@kernel
def merge(one: Array, other: Array, room: Array) -> int:
    """The number of distinct records, which are the first of `room`, in the order that both are in."""
    count, here, there = 0, 0, 0
    while here < one.size or there < other.size:
        if there == other.size or (here < one.size and comes_first(one[here], other[there])):
            room[count] = one[here]
            here += 1
        else:
            here += here < one.size and one[here].seq == other[there].seq
            room[count] = other[there]
            there += 1
        count += 1
    return count
