"""Rings at the graph's stated maximum."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.law import load_law
from services.detector.engine import Engine
from services.detector.typologies.cycle import Cycle

RING = [
    [1, "c1", "c2", 5000, "transfer"],
    [2, "c2", "c3", 5000, "transfer"],
    [3, "c3", "c4", 5000, "transfer"],
    [4, "c4", "c1", 5000, "transfer"],
]


@pytest.mark.parametrize(("max_transfers", "found"), [(4, 1), (3, 0)])
def test_no_leg_that_gave_way_to_newer_ones_is_of_a_ring(
    world: Any, batches: Any, max_transfers: int, found: int
) -> None:
    engine = Engine(load_law(), max_transfers=max_transfers, max_accounts=100, typologies=(Cycle,))
    assert len(engine.apply_transfers(batches(world(flows=RING).rows(), "1")).alerts) == found
