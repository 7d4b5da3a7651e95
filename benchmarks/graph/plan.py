"""Who is measured beside whom: equal work on one stream in each group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from benchmarks.graph.stream import Regime
from benchmarks.graph.subject import Shapes

OURS: Final = "ours"
SNAPML: Final = "snapml_peer"
NETWORKX: Final = "networkx_peer"
PLAIN: Final = "dict_peer"

MANY: Final = 1_000_000
"""Live transfers from which on snapml's cycles, which have no limit of length, get a shorter window."""
UPDATE_ONLY: Final = 10_000_000


class Row(NamedTuple):
    subject: str
    shapes: Shapes


def rows(live: int) -> Iterator[Row]:
    """Ours and its peers at `live` transfers: what ours is asked in service, then equal work."""
    peers = [(PLAIN, Shapes.update)]
    if MANY <= live < UPDATE_ONLY:
        peers += [(SNAPML, Shapes.scatter_gather), (SNAPML, Shapes.short_cycles)]
    elif live < MANY:
        peers += [(SNAPML, Shapes.both)]
    if live < UPDATE_ONLY:
        peers += [(NETWORKX, Shapes.cycles), (PLAIN, Shapes.both)]
    service = [] if live >= UPDATE_ONLY else [Shapes.catalogue]
    for shapes in dict.fromkeys([*(shapes for _, shapes in peers), *service]):
        yield Row(OURS, shapes)
    for subject, shapes in peers:
        yield Row(subject, shapes)


def streams(lives: list[int], regimes: list[Regime]) -> Iterator[tuple[int, Regime]]:
    for live in lives:
        for regime in regimes:
            yield live, regime
