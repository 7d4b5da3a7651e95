"""Triggers and gates leave nothing out: the engine against one that checks every account of every
transfer in full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.alert import Alert
from schemas.instant import DAY
from schemas.law import load_law
from schemas.transaction import Purpose
from services.detector.engine import Engine
from services.detector.typologies.pooling import Pooling
from services.detector.typologies.reserve_misuse import ReserveMisuse
from services.detector.typologies.self_lending import SelfLending
from services.detector.typology import Candidates, Context, Outcome, Step, Transfer
from tests.detector.test_engine import FILES, FIRING, cases, merged, noise

LAW = load_law()


def every_account(step: Step) -> Candidates:
    """Both ends of every transfer, OUTSIDE left out."""
    rows = np.repeat(np.flatnonzero(step.inserted), 2)
    accounts = np.stack((step.applied.dst, step.applied.src), axis=1)[rows[::2]].ravel()
    return Candidates(rows[accounts > 0], accounts[accounts > 0])


class EveryPooling(Pooling):
    def candidates(self, step: Step) -> Candidates:
        return every_account(step)

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        return self.recheck(context, transfer.account)


class EverySelfLending(SelfLending):
    def candidates(self, step: Step) -> Candidates:
        applied = step.applied
        small_fee = (applied.purpose == Purpose.fee) & (applied.amount_minor <= 10_000)
        rows = np.flatnonzero(step.inserted & (applied.src > 0) & (applied.dst > 0) & ~small_fee)
        return Candidates(rows, applied.dst[rows])


class EveryReserveMisuse(ReserveMisuse):
    def candidates(self, step: Step) -> Candidates:
        super().candidates(step)
        rows = np.flatnonzero(step.inserted & (step.applied.src > 0) & (step.applied.src != step.applied.dst))
        return Candidates(rows, step.applied.src[rows])


def first_found(world: Any, batches: Any, typology: Any, size: int) -> dict[tuple[str, str], int]:
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


thorough = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
sizes = st.sampled_from([1, 7, 10_000])


@thorough
@pytest.mark.parametrize(
    ("typology", "every"), [(SelfLending, EverySelfLending), (ReserveMisuse, EveryReserveMisuse)]
)
@given(cases, noise, sizes)
def test_all_that_a_full_check_finds_is_found_at_the_same_time(
    world: Any, batches: Any, typology: Any, every: Any, chosen: Any, noise: Any, size: int
) -> None:
    one = merged(world, chosen, noise)
    assert first_found(one, batches, typology, size) == first_found(one, batches, every, size)


@thorough
@given(cases, noise, sizes)
def test_a_pool_is_found_within_a_day_of_a_full_check(
    world: Any, batches: Any, chosen: Any, noise: Any, size: int
) -> None:
    """Busy accounts are looked at on growth by a quarter or once a day: services.detector.gate."""
    one = merged(world, chosen, [*noise, [90, "tick", "tock", 1]])
    found, full = (first_found(one, batches, each, size) for each in (Pooling, EveryPooling))
    assert found.keys() == full.keys()
    assert all(0 <= found[subject] - at_us <= DAY for subject, at_us in full.items())


def test_the_full_check_finds_something(world: Any, batches: Any) -> None:
    for every in (EveryPooling, EverySelfLending, EveryReserveMisuse):
        own = [place for place in FIRING if FILES[place] == every.id]
        one = merged(world, [(place, 40 * number) for number, place in enumerate(own[:3])], [])
        assert first_found(one, batches, every, 10_000)
