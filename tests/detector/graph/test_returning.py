"""What may bring money home, held to a plain search of all legs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.account import TOKEN_BYTES
from schemas.alert import Limit
from services.detector.graph import Coming, Departing, RollingGraph, Status, Way
from tests.detector.graph.logs import LATENESS, WINDOW, Event, Mark, batches, cuts, events
from tests.detector.graph.stream import Transfer, batch, token

WHOLE = 1000
"""A bound that none of these logs comes near."""
PURPOSES = 19


@dataclass(frozen=True)
class Asked:
    """Party `party` holds accounts `party` and `party` + 3."""

    departing: Departing
    way: Way
    max_edges: int = WHOLE
    hub_degree: int = WHOLE

    def party(self, graph: RollingGraph, account: int) -> int:
        return (int.from_bytes(graph.token(account)[8:], "big") - 1) % 3 + 1

    def coming(self, graph: RollingGraph, applied: Any, rows: Any) -> Coming:
        tokens = np.frombuffer(
            b"".join(token(one) for party in (1, 2, 3) for one in (party, party + 3)), "<u8"
        )
        groups = [self.party(graph, int(dst)) for dst in applied.dst[rows]]
        homes, ends = tokens.reshape(-1, TOKEN_BYTES // 8), np.array([0, 0, 2, 4, 6])
        return Coming(applied.seq[rows], np.array(groups, np.int32), homes, ends)

    def found(self, graph: RollingGraph, coming: Coming) -> tuple[list[int], tuple[Limit, ...]]:
        legs, limits = graph.departures(coming, self.departing, self.way, self.max_edges, self.hub_degree)
        return sorted(legs.seq.tolist()), limits

    def is_any(self, graph: RollingGraph, coming: Coming) -> list[bool]:
        chosen = graph.returning(coming, self.departing, self.way, self.max_edges, self.hub_degree)
        return list(chosen.tolist())

    def plainly(self, graph: RollingGraph, applied: Any, row: int) -> list[int]:
        """The same of one transfer: from which legs out of home can its payer be reached over others?"""
        src, dst, at_us, minor = (
            int(column[row]) for column in (applied.src, applied.dst, applied.ts_us, applied.amount_minor)
        )
        party = self.party(graph, dst)
        home = {graph.index(token(one)) for one in (party, party + 3)}
        seq = int(applied.seq[row])
        every = graph.edges(range(graph.oldest(seq), seq + 1))
        legs = [leg for leg in _legs(every) if at_us - self.departing.window_us <= leg.ts_us <= at_us]
        if self.way.most_permille:
            least, most = minor * self.way.least_permille, minor * self.way.most_permille
            same = int(applied.currency[row])
            legs = [leg for leg in legs if least <= leg.minor * 1000 <= most and leg.currency == same]
        leave_by: dict[int, tuple[int, int]] = {src: (at_us + 1, 0)}
        for _ in range(self.way.max_legs - 1):
            before = dict(leave_by)
            for leg in legs:
                if (leg.ts_us, leg.seq) < before.get(leg.dst, (0, 0)):
                    leave_by[leg.src] = max(leave_by.get(leg.src, (0, 0)), (leg.ts_us, leg.seq))
        return [
            leg.seq
            for leg in legs
            if leg.src in home
            and leg.dst != src
            and leg.minor >= self.departing.least_minor
            and self.departing.purposes[leg.purpose]
            and leg.currency == applied.currency[row]
            and (leg.ts_us, leg.seq) < leave_by.get(leg.dst, (0, 0))
        ]


@dataclass(frozen=True)
class Leg:
    seq: int
    ts_us: int
    src: int
    dst: int
    minor: int
    purpose: int
    currency: int


def _legs(edges: Any) -> Iterator[Leg]:
    """Those between two accounts."""
    columns = (
        edges.seq,
        edges.ts_us,
        edges.src,
        edges.dst,
        edges.amount_minor,
        edges.purpose,
        edges.currency,
    )
    for values in zip(*(column.tolist() for column in columns), strict=True):
        leg = Leg(*values)
        if leg.src != leg.dst and leg.src and leg.dst:
            yield leg


@st.composite
def departing(draw: st.DrawFn) -> Departing:
    purposes = np.array(
        draw(st.lists(st.sampled_from([True, True, False]), min_size=PURPOSES, max_size=PURPOSES))
    )
    return Departing(draw(st.sampled_from([0, 300, 700])), purposes, draw(st.integers(0, 40)))


ways = st.builds(Way, st.integers(2, 6), st.just(0), st.just(0)) | st.builds(
    Way, st.integers(2, 9), st.sampled_from([1, 250, 900]), st.sampled_from([1000, 4000])
)


@dataclass(frozen=True)
class Answered:
    is_any: bool
    found: list[int]
    limits: tuple[Limit, ...]
    plainly: list[int]


def answers(log: Sequence[Event], ends: set[int], asked: Asked) -> Iterator[Answered]:
    """Of each transfer between two accounts."""
    graph = RollingGraph(window_us=WINDOW, lateness_us=LATENESS, max_transfers=1000, max_accounts=100)
    for number, step in enumerate(batches(log, ends)):
        if isinstance(step, Mark):
            continue
        applied = graph.apply(batch(step, number=number))
        rows = np.flatnonzero((applied.status == Status.inserted) & (applied.src > 0) & (applied.dst > 0))
        chosen = asked.is_any(graph, asked.coming(graph, applied, rows))
        for is_any, row in zip(chosen, rows.tolist(), strict=True):
            found = asked.found(graph, asked.coming(graph, applied, np.array([row])))
            yield Answered(is_any, *found, asked.plainly(graph, applied, row))


@settings(max_examples=300)
@given(events(), cuts(), st.builds(Asked, departing(), ways))
def test_what_may_have_left_home_is_what_a_plain_search_finds(
    log: list[Event], ends: set[int], asked: Asked
) -> None:
    for one in answers(log, ends, asked):
        assert one.found == one.plainly
        assert one.is_any == bool(one.found)
        assert one.limits == ()


@settings(max_examples=300)
@given(
    events(),
    cuts(),
    st.builds(Asked, departing(), ways, st.integers(1, 6), st.sampled_from([1, 2, 4, WHOLE])),
)
def test_a_bounded_search_finds_nothing_else_and_says_when_it_was_cut_short(
    log: list[Event], ends: set[int], asked: Asked
) -> None:
    for one in answers(log, ends, asked):
        assert set(one.found) <= set(one.plainly)
        assert one.is_any == bool(one.found)
        if asked.hub_degree == WHOLE and one.found != one.plainly:
            assert [limit.name for limit in one.limits] == ["edges"]


@pytest.mark.parametrize("others", [0, 10, 200])
def test_a_way_is_found_behind_however_many_others(others: int) -> None:
    """Home pays 2, who pays 3, who pays home; and 2 pays many more."""
    ends = [(1, 2), (2, 3), *((2, 10 + each) for each in range(others)), (3, 1)]
    log = [Transfer(str(at), src, dst, at) for at, (src, dst) in enumerate(ends)]
    graph = RollingGraph(window_us=1000, lateness_us=1, max_transfers=1000, max_accounts=300)
    applied = graph.apply(batch(log))
    asked = Asked(Departing(0, np.ones(PURPOSES, np.bool_), 1000), Way(4))
    last = asked.coming(graph, applied, np.array([len(log) - 1]))
    assert asked.is_any(graph, last) == [True]
    assert asked.found(graph, last) == ([0], ())
