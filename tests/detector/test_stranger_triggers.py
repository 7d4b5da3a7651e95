"""The triggers of the shapes among strangers leave nothing out, bytes and all: the engine against one that
confirms at every row between strangers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.alert import Alert
from schemas.instant import DAY
from schemas.law import load_law
from services.detector.books.strangers import paid_between, passed_between
from services.detector.engine import Engine
from services.detector.typologies.bipartite import Bipartite
from services.detector.typologies.cycle import Cycle
from services.detector.typologies.fan_in import FanIn
from services.detector.typologies.fan_out import FanOut
from services.detector.typologies.gather_scatter import GatherScatter
from services.detector.typologies.scatter_gather import ScatterGather
from services.detector.typologies.stack import Stack
from services.detector.typology import Candidates, Step, Typology, in_force
from tests.detector.test_engine import FILES, FIRING, merged

LAW = load_law()
thorough = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
sizes = st.sampled_from([1, 7, 10_000])


def undone(kind: type[Typology], rows: Callable[[Any, Step], Candidates]) -> type[Typology]:
    """The typology with what its trigger leaves out put back."""
    return type(f"Every{kind.__name__}", (kind,), {"candidates": rows, "on_named": lambda *_: None})


def paid(self: Any, step: Step) -> Candidates:
    rows = paid_between(step, in_force(self.parameters, self.id, step.rules[0]).window_days * DAY)
    return Candidates(rows, step.applied.src[rows])


def fed(self: Any, step: Step) -> Candidates:
    rows = passed_between(step, in_force(self.parameters, self.id, step.rules[0]).window_days * DAY)
    return Candidates(rows, step.applied.dst[rows])


NARROWED = dict.fromkeys((FanIn, FanOut, Bipartite, ScatterGather), paid)
NARROWED |= dict.fromkeys((Stack, GatherScatter, Cycle), fed)
SHAPES = (Bipartite, Stack, FanIn, FanOut, GatherScatter, ScatterGather, Cycle)
PLAIN = tuple(undone(one, NARROWED[one]) if one in NARROWED else one for one in SHAPES)


def alerts_of(typologies: Any, world: Any, batches: Any, size: int) -> list[str]:
    engine = Engine(LAW, max_transfers=10_000, max_accounts=10_000, typologies=typologies)
    engine.apply_registry(world.records())
    rows, alerts = world.rows(), list[Alert]()
    for start in range(0, len(rows), size):
        alerts += engine.apply_transfers(batches(rows[start : start + size], str(start))).alerts
    return [alert.model_dump_json() for alert in alerts]


SHAPED = [place for place in FIRING if FILES[place] in {one.id for one in SHAPES}]
crews = st.lists(st.tuples(st.sampled_from(SHAPED), st.integers(0, 20)), min_size=1, max_size=5)
private = st.sampled_from(["a1", "a2", "a3", "b1", "b2", "s1", "t1", "t2", "hub", "shop1", "zhou1", "zhou2"])
amounts = st.sampled_from([100, 900, 1000, 2000, 1333.37, 1200.03, 1080.03, 21011.01, 18909.91])
private_flows = st.lists(
    st.tuples(st.integers(0, 30), private, private, amounts).map(lambda row: [*row, "transfer"]), max_size=60
)


@thorough
@given(crews, private_flows, sizes, st.booleans())
def test_triggers_among_strangers_leave_nothing_out(
    world: Any, batches: Any, chosen: Any, noise: Any, size: int, registered: bool
) -> None:
    one = merged(world, chosen, noise)
    if not registered:
        one = world(flows=one.flows)
    assert alerts_of(SHAPES, one, batches, size) == alerts_of(PLAIN, one, batches, size)
