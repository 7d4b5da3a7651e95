"""Triggers and gates leave nothing out: each typology against one that checks every row in full."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.alert import Alert
from schemas.instant import DAY
from schemas.law import load_law
from services.detector.engine import Engine
from services.detector.typologies import TYPOLOGIES
from tests.detector.full_checks import CHECKED, CHECKS, NO_CHECK, full
from tests.detector.test_engine import FILES, FIRING, cases, merged, noise

LAW = load_law()
TICK = [90, "tick", "tock", 1]
"""Time passes."""


def first_found(world: Any, batches: Any, typology: Any, size: int = 10_000) -> dict[tuple[str, str], int]:
    """When each subject was found first."""
    engine = Engine(LAW, max_transfers=10_000, max_accounts=10_000, typologies=(typology,))
    engine.apply_registry(world.records())
    rows, alerts = world.rows(), list[Alert]()
    for start in range(0, len(rows), size):
        alerts += engine.apply_transfers(batches(rows[start : start + size], str(start))).alerts
    found: dict[tuple[str, str], int] = {}
    for alert in alerts:
        found.setdefault((alert.subject.kind.value, alert.subject.id), alert.detected_at)
    return found


def finds_no_more(one: Any, batches: Any, typology: Any, size: int) -> bool:
    """Whether the full check finds anything."""
    found, most = first_found(one, batches, typology, size), first_found(one, batches, full(typology), size)
    assert found.keys() == most.keys()
    within_us = DAY if CHECKS[typology.id].gated else 0
    assert all(abs(found[subject] - at_us) <= within_us for subject, at_us in most.items())
    return bool(most)


def test_every_typology_is_checked_or_says_why_not() -> None:
    assert sorted([*CHECKS, *NO_CHECK]) == sorted(one.id for one in TYPOLOGIES)


@pytest.mark.parametrize("typology", CHECKED, ids=lambda one: one.id)
def test_of_its_own_cases_a_full_check_finds_no_more(typology: Any, world: Any, batches: Any) -> None:
    own = [place for place, file in enumerate(FILES) if file == typology.id]
    found = [finds_no_more(merged(world, [(place, 0)], [TICK]), batches, typology, 10_000) for place in own]
    assert any(found)


@pytest.mark.parametrize("typology", CHECKED, ids=lambda one: one.id)
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data(), noise, st.sampled_from([30, 10_000]))
def test_among_others_cases_a_full_check_finds_no_more(
    world: Any, batches: Any, typology: Any, data: Any, noise: Any, size: int
) -> None:
    own = st.sampled_from([place for place in FIRING if FILES[place] == typology.id])
    chosen = [(data.draw(own), data.draw(st.integers(0, 40))), *data.draw(cases)]
    finds_no_more(merged(world, chosen, [*noise, TICK]), batches, typology, size)
