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
    """`subject` searching `shapes`; `against`: what ours searches in the row it is compared with."""

    subject: str
    shapes: Shapes
    against: Shapes

    @property
    def is_ours(self) -> bool:
        return self.subject == OURS


def rows(live: int, ours: frozenset[Shapes]) -> Iterator[Row]:
    """Ours and its peers at `live` transfers. `ours`: the shapes that ours can search apart."""
    plain = [(PLAIN, Shapes.update, Shapes.update)]
    few = [
        (SNAPML, Shapes.all, Shapes.all),
        (NETWORKX, Shapes.cycles, Shapes.cycles),
        (PLAIN, Shapes.all, Shapes.all),
    ]
    many = [
        (SNAPML, Shapes.scatter_gather, Shapes.scatter_gather),
        (SNAPML, Shapes.short_cycles, Shapes.short_cycles),
        *few[1:],
    ]
    peers = plain if live >= UPDATE_ONLY else plain + (many if live >= MANY else few)
    wanted = dict.fromkeys(
        [*(against for _, _, against in peers), *([] if live >= UPDATE_ONLY else [Shapes.all])]
    )
    for shapes in wanted:
        if shapes in ours:
            yield Row(OURS, shapes, shapes)
    for subject, shapes, against in peers:
        yield Row(subject, shapes, against)


def streams(lives: list[int], regimes: list[Regime]) -> Iterator[tuple[int, Regime]]:
    for live in lives:
        for regime in regimes:
            yield live, regime
