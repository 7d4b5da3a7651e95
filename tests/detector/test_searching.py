"""Searches on every transfer: only what a typology wants, and their limits on its findings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from schemas.alert import Alert, Limit, Subject, SubjectKind
from schemas.law import load_law
from schemas.record import Bilingual
from services.detector import searching
from services.detector.engine import Engine
from services.detector.graph import Hit, Shape
from services.detector.searching import SETTING, searched_for
from services.detector.typology import Candidates, Context, Finding, Outcome, Step, Transfer, Typology

RING = [[0, "a", "b", 100], [1, "b", "c", 95], [2, "c", "a", 90]]


class Rings(Typology):
    """Fires on each cycle."""

    id = "rings"
    name = Bilingual(zh="环", en="Rings")
    law = ()
    needs = ()
    look_alikes = ()
    shapes = frozenset({Shape.cycle})

    def __init__(self) -> None:
        self.hits: list[Hit | None] = []

    def candidates(self, step: Step) -> Candidates:
        assert step.found.cut.size == step.batch.rows
        rows = step.found.row[step.completed(Shape.cycle)].astype(np.intp)
        return Candidates(rows, step.applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        self.hits.append(transfer.completed(Shape.cycle))
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
    shapes = frozenset()

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
def test_a_typology_is_given_the_shapes_it_wants(world: Any, batches: Any, size: int) -> None:
    (alert,) = alerts(world, batches, Rings, RING, size)
    assert [limit.name for limit in alert.limits] == ["x"]


def test_what_nobody_wants_is_not_searched(world: Any, batches: Any) -> None:
    assert alerts(world, batches, Quiet, RING, 10) == []
    assert searched_for(()) is None
    assert searched_for(Shape) == SETTING
    wanted = searched_for({Shape.fan_in})
    assert wanted is not None
    assert (wanted.fan_in, wanted.fan_out, wanted.cycle_legs) == (SETTING.fan_in, 0, 0)


class RingsAndMore(Rings):
    shapes = frozenset({Shape.cycle, Shape.scatter_gather})


def test_a_search_cut_short_is_on_the_finding(
    world: Any, batches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ring is found; whether several middles pay its end is not looked at, for that is a hub."""
    monkeypatch.setattr(searching, "SETTING", replace(SETTING, hub_degree=4))
    payers = [[0.1 * number, f"p{number}", "a", 100] for number in range(4)]
    (alert,) = alerts(world, batches, RingsAndMore, [*RING[:2], *payers, RING[2]], 10)
    assert [(limit.name, limit.bound) for limit in alert.limits] == [("x", 1), ("search_hub_degree", 4)]
