"""What may bring money home, held to the questions that a look at one transfer asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compiled import Bools
from schemas.account import TOKEN_BYTES
from services.detector.graph import Coming, Departing, RollingGraph, Shape, Shapes, Status
from tests.detector.graph.logs import LATENESS, WINDOW, Event, Mark, batches, cuts, events
from tests.detector.graph.stream import batch, token

WHOLE = 1000
"""A bound that none of these logs comes near."""
PURPOSES = 19


@dataclass(frozen=True)
class Asked:
    """Party `party` holds accounts `party` and `party` + 3."""

    departing: Departing
    max_hops: int
    max_edges: int = WHOLE
    hub_degree: int = WHOLE

    def homes(self, graph: RollingGraph, account: int) -> list[int]:
        number = int.from_bytes(graph.token(account)[8:], "big")
        return [number + 3 if number <= 3 else number - 3]

    def coming(self, graph: RollingGraph, applied: Any, found: Any, rows: Any) -> Coming:
        first, length = np.zeros((2, applied.seq.size), np.int32)
        closing = np.flatnonzero(found.shape == Shape.cycle)
        first[found.row[closing]], length[found.row[closing]] = (
            found.first_leg[closing],
            found.count[closing],
        )
        homes = [[token(one) for one in self.homes(graph, int(dst))] for dst in applied.dst[rows]]
        tokens = b"".join(each for one in homes for each in one)
        return Coming(
            applied.seq[rows],
            np.frombuffer(tokens, "<u8").reshape(-1, TOKEN_BYTES // 8),
            np.cumsum([0, *map(len, homes)]),
            found.legs,
            first[rows],
            length[rows],
        )

    def answer(self, graph: RollingGraph, coming: Coming) -> Bools:
        return graph.returning(coming, self.departing, self.max_hops, self.max_edges, self.hub_degree)

    def looked_at(self, graph: RollingGraph, applied: Any, found: Any, row: int) -> bool:
        """The same of one transfer, by the graph's other questions."""
        src, dst, at_us, as_of = (
            int(column[row]) for column in (applied.src, applied.dst, applied.ts_us, applied.as_of)
        )
        since_us = at_us - self.departing.window_us
        back = graph.backward(src, at_us, since_us, as_of, self.max_hops, self.max_edges, self.hub_degree)
        places = np.flatnonzero((found.row == row) & (found.shape == Shape.cycle))
        cycle = graph.edges(seq for place in places for seq in found.hit(int(place)).legs)
        home = [dst, *(graph.index(token(one)) for one in self.homes(graph, dst))]
        return any(
            edges.src[each] in home
            and edges.amount_minor[each] >= self.departing.least_minor
            and self.departing.purposes[edges.purpose[each]]
            and edges.currency[each] == applied.currency[row]
            for edges in (back.edges, cycle)
            for each in range(len(edges))
        )


@st.composite
def departing(draw: st.DrawFn) -> Departing:
    purposes = np.array(
        draw(st.lists(st.sampled_from([True, True, False]), min_size=PURPOSES, max_size=PURPOSES))
    )
    return Departing(draw(st.sampled_from([0, 300, 700])), purposes, draw(st.integers(0, 40)))


def answers(log: Sequence[Event], ends: set[int], asked: Asked) -> list[tuple[bool, bool]]:
    """Of each transfer between two accounts: what is answered of all at once, and of it alone."""
    graph = RollingGraph(window_us=WINDOW, lateness_us=LATENESS, max_transfers=1000, max_accounts=100)
    shapes = Shapes(cycle_legs=6, cycle_window_us=WINDOW)
    both: list[tuple[bool, bool]] = []
    for number, step in enumerate(batches(log, ends)):
        if isinstance(step, Mark):
            continue
        applied, found = graph.apply_and_search(batch(step, number=number), shapes)
        rows = np.flatnonzero((applied.status == Status.inserted) & (applied.src > 0) & (applied.dst > 0))
        answered = asked.answer(graph, asked.coming(graph, applied, found, rows)).tolist()
        alone = [asked.looked_at(graph, applied, found, row) for row in rows.tolist()]
        both += zip(answered, alone, strict=True)
    return both


@settings(max_examples=300)
@given(events(), cuts(), st.builds(Asked, departing(), st.integers(1, 5)))
def test_of_whole_searches_the_answer_is_that_of_each_alone(
    log: list[Event], ends: set[int], asked: Asked
) -> None:
    assert all(answered == alone for answered, alone in answers(log, ends, asked))


@settings(max_examples=300)
@given(
    events(),
    cuts(),
    st.builds(Asked, departing(), st.integers(1, 5), st.integers(1, 6), st.integers(1, 4)),
)
def test_what_a_bounded_search_finds_is_never_missed(log: list[Event], ends: set[int], asked: Asked) -> None:
    assert all(answered or not alone for answered, alone in answers(log, ends, asked))
