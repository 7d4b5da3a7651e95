"""Accounts that may be of one party, as the registry has them whatever the day."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from registry import Registry
from services.detector.graph import RollingGraph
from services.detector.parties.marks import Marks
from services.detector.parties.siblings import Siblings
from tests.detector.conftest import token


def test_of_any_party_that_ever_held_the_account_until_the_registry_changes(world: Any) -> None:
    graph = RollingGraph(window_us=1, lateness_us=1, max_transfers=10, max_accounts=10)
    registry, siblings = Registry(), Siblings()
    marks = Marks(graph, registry)
    step: Any = SimpleNamespace(graph=graph, registry=registry)
    asked = np.array([graph.intern(token(name)) for name in ("a1", "a2", "b1", "c1", "?")], np.int32)

    def know(*accounts: list[Any]) -> None:
        for record in world(accounts=list(accounts)).records():
            registry.apply(record)
            marks.follow(record)

    def found() -> list[set[str]]:
        step.marks = marks.all()
        groups, tokens, ends = siblings.groups(step, asked)
        named = {token(name): name for name in ("a1", "a2", "b1", "c1")}
        each = [named[halves.tobytes()] for halves in tokens]
        return [set(each[ends[group] : ends[group + 1]]) for group in groups.tolist()]

    assert found() == [set()] * 5
    know(["a1", "anna", "external"], ["a2", "anna", "external"], ["c1", "carl", "external"])
    assert found() == [{"a1", "a2"}, {"a1", "a2"}, set(), set(), set()]
    later = {"valid_from": "2021-06-01T00:00:00+08:00"}
    know(["b1", "bob", "external"], ["a2", "bob", "external", "", later])
    assert found() == [{"a1", "a2"}, {"a1", "a2", "b1"}, {"a2", "b1"}, set(), set()]
