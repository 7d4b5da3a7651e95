"""Searches on every transfer: only where a typology wants it, and their limits on its findings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.alert import Alert, Limit, Subject, SubjectKind
from schemas.law import load_law
from schemas.record import Bilingual
from services.detector.engine import Engine
from services.detector.graph import Hit
from services.detector.searching import SETTING
from services.detector.typology import Candidates, Context, Finding, Outcome, Step, Transfer, Typology

RING = [[0, "a", "b", 100], [1, "b", "c", 95], [2, "c", "a", 90]]


class Rings(Typology):
    """Fires on each cycle."""

    id = "rings"
    name = Bilingual(zh="环", en="Rings")
    law = ()
    needs = ()
    look_alikes = ()
    cycles = True

    def __init__(self) -> None:
        self.hits: list[Hit | None] = []

    def candidates(self, step: Step) -> Candidates:
        assert step.found.cut.size == step.batch.rows
        rows = step.found.row.astype(np.intp)
        return Candidates(rows, step.applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        self.hits.append(transfer.cycle)
        subject = Subject(kind=SubjectKind.account, id=context.token(transfer.dst))
        attributed = {transfer.seq: transfer.amount_minor}
        text = Bilingual(zh="", en="")
        return Finding(
            subject,
            None,
            (transfer.dst,),
            attributed,
            1,
            "CNY",
            (),
            (),
            (),
            {},
            text,
            (),
            (Limit(name="x", bound=1),),
        )


class Quiet(Rings):
    id = "quiet"
    cycles = False

    def candidates(self, step: Step) -> Candidates:
        assert len(step.found) == 0
        return super().candidates(step)


def alerts(
    world: Any, batches: Any, typology: type[Typology], flows: list[list[Any]], size: int
) -> list[Alert]:
    engine = Engine(load_law(), max_transfers=1000, max_accounts=1000, typologies=(typology,))
    rows = world(flows=flows).rows()
    cut = (rows[start : start + size] for start in range(0, len(rows), size))
    return [one for n, part in enumerate(cut) for one in engine.apply_transfers(batches(part, str(n))).alerts]


@pytest.mark.parametrize("size", [1, 2, 10])
def test_a_typology_is_given_the_cycles_it_wants(world: Any, batches: Any, size: int) -> None:
    (alert,) = alerts(world, batches, Rings, RING, size)
    assert [limit.name for limit in alert.limits] == ["x"]


def test_what_nobody_wants_is_not_searched(world: Any, batches: Any) -> None:
    assert alerts(world, batches, Quiet, RING, 10) == []


class Cut(Rings):
    """Fires where the search was cut short."""

    def candidates(self, step: Step) -> Candidates:
        rows = np.flatnonzero(step.found.cut)
        return Candidates(rows, step.applied.dst[rows])


def test_a_search_cut_short_is_on_the_finding(world: Any, batches: Any) -> None:
    """Between two hubs nothing is read, so the ring that leads over both is not found."""
    ring = [[0, "a", "b", 100], [1, "b", "c", 95], [2, "c", "d", 90], [3, "d", "a", 85]]
    others = [
        [0, *ends, 100] for one in range(SETTING.hub_degree) for ends in (("b", f"p{one}"), (f"q{one}", "c"))
    ]
    assert alerts(world, batches, Rings, [*others, *ring], 100) == []
    (alert,) = alerts(world, batches, Cut, [*others, *ring], 100)
    assert [(limit.name, limit.bound) for limit in alert.limits] == [
        ("x", 1),
        ("search_hub_degree", SETTING.hub_degree),
    ]
