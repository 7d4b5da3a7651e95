"""What is weighed in the triggers of a layer, a collector and a group, held to the confirmation's own choice
row by row: nothing that it finds is left out, and little else is let through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.instant import DAY
from schemas.law import load_law
from services.detector.books.stranger_legs import MAX_LEGS
from services.detector.books.strangers import Strangers, paid_between, passed_between
from services.detector.engine import Engine
from services.detector.flows.gathering_triggers import gathering
from services.detector.flows.group_triggers import grouped
from services.detector.flows.layer_triggers import Layer, in_layer
from services.detector.flows.shape_triggers import Rows
from services.detector.typologies import bipartite, scatter_gather, stack
from services.detector.typology import Candidates, Context, Outcome, Step, Transfer, Typology

LAW = load_law()
thorough = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
sizes = st.sampled_from([1, 7, 10_000])
WINDOW_US = 30 * DAY


@dataclass
class Told:
    """Of each row looked at: whether the trigger lets it through, and what the confirmation finds."""

    rows: list[tuple[bool, bool]] = field(default_factory=list)

    def probe(
        self,
        kind: type[Typology],
        looked_at: Callable[[Step], Rows],
        trigger: Callable[[Step, Rows], Rows],
        finds: Callable[[Context, Transfer], bool],
    ) -> type[Typology]:
        told = self

        class Probe(kind):  # type: ignore[misc, valid-type]
            def candidates(self, step: Step) -> Candidates:
                rows = looked_at(step)
                self.chosen = set(trigger(step, rows).tolist())
                return Candidates(rows, step.applied.src[rows])

            def confirm(self, context: Context, transfer: Transfer) -> Outcome:
                told.rows.append((transfer.row in self.chosen, finds(context, transfer)))
                return None

        return Probe


def layers() -> tuple[Told, type[Typology]]:
    p, told = stack.Parameters(), Told()

    def finds(context: Context, transfer: Transfer) -> bool:
        strangers = Strangers(context, transfer.currency, WINDOW_US)
        return bool(strangers.into(transfer.src) and stack._layer(strangers, transfer, p))

    def trigger(step: Step, rows: Rows) -> Rows:
        return in_layer(step, rows, WINDOW_US, Layer(p.min_shared, p.min_minor))

    return told, told.probe(stack.Stack, lambda step: passed_between(step, WINDOW_US), trigger, finds)


def collectors() -> tuple[Told, type[Typology]]:
    p, told, plain = scatter_gather.Parameters(), Told(), scatter_gather.ScatterGather()

    def trigger(step: Step, rows: Rows) -> Rows:
        return gathering(step, rows, WINDOW_US, p.rule(step.registry.knows_accounts), plain._room)

    def finds(context: Context, transfer: Transfer) -> bool:
        return plain.confirm(context, transfer) is not None

    return told, told.probe(
        scatter_gather.ScatterGather, lambda step: paid_between(step, WINDOW_US), trigger, finds
    )


def groups() -> tuple[Told, type[Typology]]:
    p, told, plain = bipartite.Parameters(), Told(), bipartite.Bipartite()
    window_us = p.window_days * DAY

    def finds(context: Context, transfer: Transfer) -> bool:
        return plain.confirm(context, transfer) is not None

    trigger = partial(grouped, window_us=window_us, rule=p.rule)
    return told, told.probe(bipartite.Bipartite, lambda step: paid_between(step, window_us), trigger, finds)


def looked_at(
    probe: tuple[Told, type[Typology]], world: Any, batches: Any, size: int
) -> list[tuple[bool, bool]]:
    told, typology = probe
    engine = Engine(LAW, max_transfers=10_000, max_accounts=10_000, typologies=(typology,))
    engine.apply_registry(world.records())
    rows = world.rows()
    for start in range(0, len(rows), size):
        engine.apply_transfers(batches(rows[start : start + size], str(start)))
    return told.rows


def known(world: Any, flows: list[list[Any]], registered: bool) -> Any:
    """Everybody has an account of his own; two of the middles are one person."""
    accounts = [["p1..3", "=", "external"], ["q1..3", "=", "external"], ["m1..4", "=", "external"]]
    accounts += [["m5..6", "of-both", "external"]]
    return world(flows=flows, accounts=accounts if registered else [])


parts = st.sampled_from([100, 95, 95, 90, 110, 60])


@st.composite
def passed_on(draw: st.DrawFn, payees: int) -> list[list[Any]]:
    """Middles who get as much from each of some payers, and pay some payees a part of it; and some more."""
    flows: list[list[Any]] = []
    for middle in (f"m{number}" for number in range(1, draw(st.integers(2, 6)) + 1)):
        payers = draw(st.sampled_from([["p1", "p2"], ["p1", "p2"], ["p1", "p2", "p3"], ["p1"], ["p3"]]))
        paid = draw(st.sampled_from([["q1", "q2"][:payees], ["q1", "q2", "q3"][:payees], ["q1"]]))
        minor, part = draw(st.sampled_from([30_000, 30_000, 4_000, 1333.37])), draw(parts)
        day = draw(st.integers(0, 9))
        flows += [[day / 10, payer, middle, minor, "transfer"] for payer in payers]
        each = round(minor * len(payers) * part / 100 / len(paid), 2)
        flows += [[2 + day / 10, middle, payee, each, "transfer"] for payee in paid]
    ends = st.sampled_from(["p1", "p2", "m1", "m2", "m5", "q1", "q2", "o1"])
    more = st.tuples(st.integers(0, 40), ends, ends, st.sampled_from([100, 4_000])).map(
        lambda row: [row[0] / 10, *row[1:], "transfer"]
    )
    return flows + draw(st.lists(more, max_size=12))


@thorough
@given(passed_on(3), sizes, st.booleans())
def test_no_layer_is_left_out(world: Any, batches: Any, flows: Any, size: int, registered: bool) -> None:
    rows = looked_at(layers(), known(world, flows, registered), batches, size)
    assert all(chosen or not found for chosen, found in rows)


@thorough
@given(passed_on(1), sizes, st.booleans())
def test_no_collector_is_left_out(world: Any, batches: Any, flows: Any, size: int, registered: bool) -> None:
    rows = looked_at(collectors(), known(world, flows, registered), batches, size)
    assert all(chosen or not found for chosen, found in rows)


@thorough
@given(passed_on(3), sizes, st.booleans())
def test_a_group_is_told_as_it_is_found(
    world: Any, batches: Any, flows: Any, size: int, registered: bool
) -> None:
    """Where nobody is registered all is known."""
    rows = looked_at(groups(), known(world, flows, registered), batches, size)
    assert all(chosen or not found for chosen, found in rows)
    assert registered or all(found or not chosen for chosen, found in rows)


def pyramid(middles: int, payees: int, part: int) -> list[list[Any]]:
    upper = [[place / 100, "p1..2", f"m{place}", 20_011.37, "transfer"] for place in range(1, middles + 1)]
    each = round(400.2274 * part / payees, 2)
    return upper + [[1 + row[0], row[2], f"q1..{payees}", each, "transfer"] for row in upper]


@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize(("middles", "part", "found"), [(2, 95, 1), (3, 85, 2), (1, 95, 0), (3, 60, 0)])
def test_a_layer_is_let_through_from_where_it_is_one(
    world: Any, batches: Any, registered: bool, middles: int, part: int, found: int
) -> None:
    rows = looked_at(layers(), known(world, pyramid(middles, 2, part), registered), batches, 10_000)
    assert sum(chosen for chosen, _ in rows) == sum(each for _, each in rows) == found


@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize(("middles", "part", "found"), [(2, 95, 1), (3, 100, 1), (4, 95.13, 2), (4, 60, 0)])
def test_a_collector_is_let_through_from_where_it_is_one(
    world: Any, batches: Any, registered: bool, middles: int, part: int, found: int
) -> None:
    rows = looked_at(collectors(), known(world, pyramid(middles, 1, part), registered), batches, 10_000)
    assert sum(chosen for chosen, _ in rows) == sum(each for _, each in rows) == found


def test_a_source_of_more_payments_than_are_looked_at_may_be_in_common(world: Any, batches: Any) -> None:
    """It has paid two of the middles first, and then many others."""
    upper: list[list[Any]] = [[place / 100, "p1", f"m{place}", 20_011.37, "transfer"] for place in (1, 2)]
    many = [[0.1, "p1", f"o{place}", 50, "transfer"] for place in range(MAX_LEGS + 1)]
    lower = [[1 + row[0], row[2], "q1", round(200.1137 * 95, 2), "transfer"] for row in upper]
    rows = looked_at(collectors(), world(flows=upper + many + lower), batches, 10_000)
    assert [chosen for chosen, _ in rows if chosen] == [True]
    assert sum(found for _, found in rows) == 1


@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize(
    ("middles", "minor", "found"), [(3, 2_000, 1), (2, 2_000, 0), (3, 300, 0), (3, 300.5, 1)]
)
def test_a_group_is_let_through_from_where_it_is_one(
    world: Any, batches: Any, registered: bool, middles: int, minor: float, found: int
) -> None:
    """Six legs that are no presents."""
    flows = [[place / 100, f"m{place}", "q1..2", minor, "transfer"] for place in range(1, middles + 1)]
    rows = looked_at(groups(), known(world, flows, registered), batches, 10_000)
    assert sum(chosen for chosen, _ in rows) == sum(each for _, each in rows) == found
