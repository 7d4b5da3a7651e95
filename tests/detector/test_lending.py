"""The typologies that stand on the loan book: batch cuts do not show, and triggers leave nothing out."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.alert import Alert
from schemas.law import load_law
from schemas.transaction import Purpose
from services.detector.books.loan_flows import Flow
from services.detector.engine import Engine
from services.detector.typologies.abnormal_return import AbnormalReturn
from services.detector.typologies.borrower_cap import BorrowerCap
from services.detector.typologies.maturity_mismatch import MaturityMismatch
from services.detector.typologies.platform_lending import PlatformLending
from services.detector.typologies.ponzi import Ponzi
from services.detector.typologies.self_guarantee import SelfGuarantee
from services.detector.typologies.term_splitting import TermSplitting
from services.detector.typology import Candidates, Step
from tests.detector.full_checks import CHECKS
from tests.detector.typologies.test_cases import CASES, world_of

LENDING = (
    BorrowerCap,
    PlatformLending,
    SelfGuarantee,
    Ponzi,
    MaturityMismatch,
    AbnormalReturn,
    TermSplitting,
)
LAW = load_law()
FIRING = [
    (content["base"], case)
    for typology in LENDING
    for content in [tomllib.loads((CASES / f"{typology.id}.toml").read_text(encoding="utf-8"))]
    for case in content["case"]
    if case["fires"]
]

accounts = st.sampled_from(["i1", "i2", "j1", "custody", "own", "b", "e", "n", "holding", "outside"])
noise = st.lists(
    st.tuples(
        st.integers(0, 90),
        accounts,
        accounts,
        st.integers(1, 90_000),
        st.sampled_from(Purpose),
        st.sampled_from(["", "x", "y", "x1", "x2"]),
    ).map(lambda t: [*t[:4], t[4].name, {"product": t[5]}]),
    max_size=20,
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def noisy(world: Any, chosen: tuple[Any, Any], noise: list[Any]) -> Any:
    base, case = chosen
    one = world_of(world, base, case)
    one.flows = sorted([*one.flows, *noise], key=lambda flow: float(flow[0]))
    return one


def found(world: Any, batches: Any, typologies: Any, cuts: list[int]) -> list[Alert]:
    engine = Engine(LAW, max_transfers=10_000, max_accounts=10_000, typologies=typologies)
    engine.apply_registry(world.records())
    rows, alerts = world.rows(), list[Alert]()
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for first, last in pairwise(edges):
        alerts += engine.apply_transfers(batches(rows[first:last], str(first))).alerts
    return alerts


@quick
@given(st.sampled_from(FIRING), noise, st.lists(st.integers(1, 60), max_size=6))
def test_any_cut_into_batches_gives_the_same_alerts(
    world: Any, batches: Any, chosen: Any, noise: Any, cuts: list[int]
) -> None:
    one = noisy(world, chosen, noise)
    whole = found(one, batches, LENDING, [])
    assert found(one, batches, LENDING, cuts) == whole
    assert found(one, batches, LENDING, list(range(len(one.rows())))) == whole


class EveryBorrowerCap(BorrowerCap):
    def candidates(self, step: Step) -> Candidates:
        return _all(step, Flow.disbursed)


class EveryMaturityMismatch(MaturityMismatch):
    def candidates(self, step: Step) -> Candidates:
        """Claims that go from hand to hand besides: they are entries in its own books."""
        return CHECKS[self.id].candidates(step, super().candidates(step))


class EveryTermSplitting(TermSplitting):
    def candidates(self, step: Step) -> Candidates:
        return _all(step, Flow.paid, Flow.repaid, custody=True)


def _all(step: Step, *flows: Flow, custody: bool = False) -> Candidates:
    """Every row booked so, for a named listing at a custody account where the rule says so."""
    batch = step.book.batch
    chosen = batch.of(*flows) & (batch.minor > 0)
    if custody:
        kept = [account for account in np.unique(batch.account).tolist() if _is_custody(step, account)]
        chosen &= np.isin(batch.account, kept) & (batch.product > 0)
    accounts = batch.other if flows == (Flow.disbursed,) else batch.account
    return Candidates(batch.rows[chosen], accounts[chosen])


def _is_custody(step: Step, account: int) -> bool:
    token = step.graph.token(account).hex()
    return any(one.role == "custody" for one in step.registry.accounts(token, 1_600_000_000_000_000))


@quick
@pytest.mark.parametrize(
    ("typology", "every"),
    [
        (BorrowerCap, EveryBorrowerCap),
        (MaturityMismatch, EveryMaturityMismatch),
        (TermSplitting, EveryTermSplitting),
    ],
)
@given(st.sampled_from(FIRING), noise, st.lists(st.integers(1, 60), max_size=4))
def test_all_that_a_full_check_finds_is_found(
    world: Any, batches: Any, typology: Any, every: Any, chosen: Any, noise: Any, cuts: list[int]
) -> None:
    one = noisy(world, chosen, noise)
    assert found(one, batches, (typology,), cuts) == found(one, batches, (every,), cuts)


def test_the_cases_fire(world: Any, batches: Any) -> None:
    names = {
        alert.typology for chosen in FIRING for alert in found(noisy(world, chosen, []), batches, LENDING, [])
    }
    assert names == {typology.id for typology in LENDING}
