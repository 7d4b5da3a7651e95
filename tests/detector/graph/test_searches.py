from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InvalidSetting
from services.detector.graph import Found, Hit, RollingGraph, Shape, Shapes
from services.detector.graph.shapes import BUDGET_SPENT, HUB_MET
from services.detector.graph.window import LONGEST_SEARCHED_US
from tests.detector.graph.logs import LATENESS, WINDOW, Event, Mark, batches, cuts, events
from tests.detector.graph.oracle import Live, Oracle
from tests.detector.graph.shapes_oracle import ShapesOracle
from tests.detector.graph.stream import Transfer, batch

ALL = Shapes(
    cycle_legs=6,
    cycle_window_us=WINDOW,
    window_us=WINDOW,
    middles=2,
    fan_in=2,
    fan_out=2,
    gather_scatter=2,
    bipartite=2,
)


@st.composite
def shapes(draw: st.DrawFn, hub_degrees: Sequence[int] = (1000,), budgets: Sequence[int] = (1000,)) -> Shapes:
    return Shapes(
        cycle_legs=draw(st.integers(2, 6)),
        cycle_window_us=draw(st.integers(1, 30)),
        least_permille=draw(st.sampled_from([0, 0, 500, 1000])),
        most_permille=draw(st.sampled_from([0, 0, 1000, 1500])),
        window_us=draw(st.integers(1, 30)),
        middles=draw(st.integers(1, 3)),
        fan_in=draw(st.integers(1, 4)),
        fan_out=draw(st.integers(1, 4)),
        gather_scatter=draw(st.integers(1, 3)),
        bipartite=draw(st.integers(2, 3)),
        hub_degree=draw(st.sampled_from(hub_degrees)),
        budget=draw(st.sampled_from(budgets)),
    )


units = st.sampled_from([1, 1 << 24, 1 << 26])
"""Microseconds between moments of a log: they share a tick of the lists, or two do, or none."""


def stretched(log: Sequence[Event], sought: Shapes, unit: int) -> tuple[list[Event], Shapes]:
    """The same with so many microseconds for one."""
    longer = [step if isinstance(step, Mark) else replace(step, ts_us=step.ts_us * unit) for step in log]
    cycle_window_us, window_us = sought.cycle_window_us * unit, sought.window_us * unit
    return longer, replace(sought, cycle_window_us=cycle_window_us, window_us=window_us)


def new_graph(unit: int = 1) -> RollingGraph:
    return RollingGraph(
        window_us=WINDOW * unit, lateness_us=LATENESS * unit, max_transfers=1000, max_accounts=100, debug=True
    )


def hits_by_row(found: Found) -> dict[int, dict[Shape, Hit]]:
    rows: dict[int, dict[Shape, Hit]] = {}
    for place in range(len(found)):
        hit = found.hit(place)
        assert hit.shape not in rows.setdefault(hit.row, {})
        rows[hit.row][hit.shape] = hit
    assert list(rows) == sorted(rows)
    return rows


@dataclass
class Judge:
    """Holds one row's hits to the oracle. What was cut short may be missed; what is found is true."""

    graph: RollingGraph
    expected: ShapesOracle
    hits: dict[Shape, Hit]
    cut: int

    def account(self, shape: Shape) -> int:
        return int.from_bytes(self.graph.token(self.hits[shape].account)[8:], "big")

    def judge(self) -> None:
        self.cycle()
        self.scatter_gather()
        new, sought = self.expected.new.transfer, self.expected.shapes
        has_ends = new.src != new.dst and 0 not in (new.src, new.dst)
        payers, payees = self.expected.payers, self.expected.payees
        gathers = min(len(payers(new.src)), len(payees(new.src))) >= sought.gather_scatter
        self.threshold(Shape.fan_in, has_ends and len(payers(new.dst)) >= sought.fan_in, new.dst)
        self.threshold(Shape.fan_out, has_ends and len(payees(new.src)) >= sought.fan_out, new.src)
        self.threshold(Shape.gather_scatter, has_ends and gathers, new.src)
        many = self.expected.bipartite() if has_ends else 0
        self.threshold(Shape.bipartite, many >= sought.bipartite, new.src, None if self.cut else many)

    def threshold(self, shape: Shape, is_reached: bool, account: int, count: int | None = None) -> None:
        if shape in self.hits:
            assert is_reached
            assert self.account(shape) == account
            assert count is None or self.hits[shape].count == count
        else:
            assert not is_reached or self.cut

    def cycle(self) -> None:
        hit = self.hits.get(Shape.cycle)
        cycles = {tuple(leg.seq for leg in cycle) for cycle in self.expected.cycles()}
        if hit:
            assert hit.legs in cycles
            assert hit.count == len(hit.legs)
            assert self.account(Shape.cycle) == self.expected.new.transfer.dst
            if self.expected.shapes.hub_degree == 1000:
                assert hit.count == min(map(len, cycles))
        else:
            assert not cycles or self.cut

    def scatter_gather(self) -> None:
        hit = self.hits.get(Shape.scatter_gather)
        counts = self.expected.scatter_gathers()
        most = max(counts.values(), default=0)
        if hit:
            count = counts[self.account(Shape.scatter_gather)]
            assert hit.count == count == most or (self.cut and hit.count <= count)
        else:
            assert most < self.expected.shapes.middles or self.cut


def run(log: Sequence[Event], ends: set[int], sought: Shapes, unit: int) -> list[Any]:
    """Every row judged; what was found, by row of the log."""
    log, sought = stretched(log, sought, unit)
    graph, oracle = new_graph(unit), Oracle(WINDOW * unit, LATENESS * unit, 1000, 100)
    seen: list[Any] = []
    for number, step in enumerate(batches(log, ends)):
        if isinstance(step, Mark):
            continue
        applied, found = graph.apply_and_search(batch(step, number=number), sought)
        by_row = hits_by_row(found)
        assert found.budget_spent == np.count_nonzero(found.cut & BUDGET_SPENT)
        assert found.hub_met == np.count_nonzero(found.cut & HUB_MET)
        for row, transfer in enumerate(step):
            hits = by_row.get(row, {})
            if oracle.apply(transfer).status == "inserted":
                expected = ShapesOracle.of(sought, oracle)
                assert expected.new == Live(int(applied.seq[row]), transfer)
                Judge(graph, expected, hits, int(found.cut[row])).judge()
            else:
                assert not hits
            seen.append(([replace(hit, row=0) for hit in hits.values()], int(found.cut[row])))
    return seen


@settings(max_examples=150, deadline=None)
@given(events(), cuts(), shapes(), units)
def test_every_row_completes_what_the_oracle_says(
    log: list[Event], ends: set[int], sought: Shapes, unit: int
) -> None:
    assert run(log, ends, sought, unit) == run(log, set(range(100)), sought, unit)


@settings(max_examples=100, deadline=None)
@given(events(), cuts(), shapes(hub_degrees=(0, 1, 2, 3), budgets=(1, 2, 5, 1000)), units)
def test_cut_short_it_may_miss_but_says_so(
    log: list[Event], ends: set[int], sought: Shapes, unit: int
) -> None:
    assert run(log, ends, sought, unit) == run(log, set(range(100)), sought, unit)


def chain(*accounts: int) -> list[Transfer]:
    return [
        Transfer(f"t{place}", src, dst, 1000 + place) for place, (src, dst) in enumerate(pairwise(accounts))
    ]


def search(log: Sequence[Transfer], sought: Shapes) -> tuple[list[Hit], Found]:
    _, found = new_graph().apply_and_search(batch(log), sought)
    return [found.hit(place) for place in range(len(found))], found


@pytest.mark.parametrize(("legs", "is_found"), [(5, False), (6, True), (7, True)])
def test_the_longest_cycle(legs: int, is_found: bool) -> None:
    hits, found = search(chain(1, 2, 3, 4, 5, 6, 1), Shapes(cycle_legs=legs, cycle_window_us=WINDOW))
    assert [hit.legs for hit in hits] == [tuple(range(6))] * is_found
    assert found.cut.tolist() == [0] * 6


@pytest.mark.parametrize("apart_us", [0, 1 << 24, 1 << 26])
@pytest.mark.parametrize(("more_us", "is_found"), [(0, True), (-1, False)])
def test_the_window_of_a_cycle_holds_its_first_leg(more_us: int, is_found: bool, apart_us: int) -> None:
    """To the last microsecond, whether its legs share a tick of the lists or not."""
    log = [replace(leg, ts_us=leg.ts_us + apart_us * place) for place, leg in enumerate(chain(1, 2, 3, 4, 1))]
    sought = Shapes(cycle_legs=6, cycle_window_us=log[-1].ts_us - log[0].ts_us + more_us)
    graph = new_graph(1 << 26)
    _, found = graph.apply_and_search(batch(log), sought)
    assert bool(len(found)) is is_found


@pytest.mark.parametrize("currency", ["CNY", "USD"])
@pytest.mark.parametrize("whole", [1000, 10**12])
@pytest.mark.parametrize(
    ("permille", "more", "is_found"), [(500, -1, False), (500, 0, True), (1500, 0, True), (1500, 1, False)]
)
def test_what_a_leg_must_carry(currency: str, whole: int, permille: int, more: int, is_found: bool) -> None:
    """To the last fen, also where amounts are too large for a code of their own."""
    log = [replace(leg, amount_minor=whole, currency=currency) for leg in chain(1, 2, 3, 1)]
    log[1] = replace(log[1], amount_minor=whole * permille // 1000 + more)
    sought = Shapes(cycle_legs=6, cycle_window_us=WINDOW, least_permille=500, most_permille=1500)
    hits, _ = search(log, sought)
    assert bool(hits) is is_found


def test_the_largest_amounts_do_not_overflow() -> None:
    log = [replace(leg, amount_minor=2**63 - 1) for leg in chain(1, 2, 3, 1)]
    sought = Shapes(cycle_legs=6, cycle_window_us=WINDOW, least_permille=999, most_permille=1_000_000)
    hits, _ = search(log, sought)
    assert [hit.count for hit in hits] == [3]


def test_a_hub_may_be_where_the_sides_meet() -> None:
    """A cycle through one busy account is found; through two in a row it is not, and is marked."""
    busy = [Transfer(f"{end}{place}", end, 20 + place, 990) for end in (2, 3) for place in range(5)]
    busy += [Transfer(f"i{end}{place}", 20 + place, end, 991) for end in (2, 3) for place in range(5)]
    sought = Shapes(cycle_legs=6, cycle_window_us=9, hub_degree=4)
    assert [hit.legs for hit in search([*busy, *chain(1, 2, 4, 1)], sought)[0]][-1:] == [(20, 21, 22)]
    hits, found = search([*busy, *chain(1, 2, 3, 1)], sought)
    assert [hit.row for hit in hits if hit.row >= 20] == []
    assert found.cut[-1] == HUB_MET


def test_nothing_sought_nothing_found() -> None:
    hits, found = search(chain(1, 2, 1), Shapes())
    assert (hits, found.legs.size) == ([], 0)


@pytest.mark.parametrize("setting", list(asdict(ALL)))
def test_settings_out_of_range(setting: str) -> None:
    with pytest.raises(InvalidSetting, match=setting):
        replace(ALL, **{setting: -1})


def test_a_window_too_long_to_be_searched() -> None:
    graph = RollingGraph(window_us=LONGEST_SEARCHED_US, lateness_us=1, max_transfers=10, max_accounts=10)
    with pytest.raises(InvalidSetting, match=f"{LONGEST_SEARCHED_US} at most"):
        graph.apply_and_search(batch(chain(1, 2)), ALL)


def test_a_cycle_has_two_legs() -> None:
    with pytest.raises(InvalidSetting, match="at least 2"):
        Shapes(cycle_legs=1)
