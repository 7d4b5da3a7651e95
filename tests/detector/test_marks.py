"""What the registry ever said of accounts, whenever it says it."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from registry import Registry
from schemas.instant import DAY
from services.detector.graph import RollingGraph
from services.detector.parties.marks import INSTITUTIONAL, Marks

ROLES = ["own", "custody", "reserve", "product_vehicle", "client", "merchant_settlement", "external"]
said = st.tuples(st.sampled_from("abcd"), st.sampled_from(ROLES), st.sampled_from(["", "p2p-1", "pay-1"]))
quick = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@example([("a", "own", ""), ("a", "client", ""), ("a", "client", "p2p-1")], 0)
@given(st.lists(said, max_size=8), st.integers(0, 8))
def test_accounts_in_business_are_found_by_it(
    world: Any, batches: Any, accounts: list[tuple[str, str, str]], known: int
) -> None:
    """Of every account with an institutional role, whether it was known before the registry spoke or not."""
    one = world(
        accounts=[[name, "=", role, institution] for name, role, institution in accounts],
        flows=[[1, "a", "b", 1], [1, "c", "d", 1]],
    )
    graph = RollingGraph(window_us=31 * DAY, lateness_us=DAY, max_transfers=100, max_accounts=100)
    registry = Registry()
    marks, records = Marks(graph, registry), one.records()
    for place, record in enumerate(records):
        if place == known:
            graph.apply(batches(one.rows(), "first"))
            marks.all()
        if registry.apply(record):
            marks.follow(record)
    graph.apply(batches(one.rows(), "last"))
    everybody = marks.all()
    for institution_id in ("p2p-1", "pay-1"):
        served = {
            index
            for index in np.flatnonzero(everybody & INSTITUTIONAL).tolist()
            if institution_id in registry.institutions_served(graph.token(index).hex())
        }
        assert marks.in_business.get(institution_id, set()) == served
