"""What the registry has on the accounts of the graph, kept by index until it changes."""

from __future__ import annotations

from typing import Final, NamedTuple

from registry import Registry
from schemas.registry import Account
from services.detector.graph import RollingGraph
from services.detector.graph.accounts import OUTSIDE_INDEX

_MAX_KEPT: Final = 500_000
"""Answers kept; past it all are forgotten and looked up again."""


class _Answer(NamedTuple):
    accounts: tuple[Account, ...]
    from_us: int
    to_us: int


class Registered:
    def __init__(self, graph: RollingGraph, registry: Registry) -> None:
        self._graph = graph
        self._registry = registry
        self._answers: dict[int, _Answer] = {}
        self._revision = registry.revision

    def accounts(self, index: int, now_us: int) -> tuple[Account, ...]:
        """What the account is at `now_us`, one record for each institution it serves."""
        if self._revision != self._registry.revision:
            self._answers.clear()
            self._revision = self._registry.revision
        known = self._answers.get(index)
        if known is not None and known.from_us <= now_us < known.to_us:
            return known.accounts
        if index == OUTSIDE_INDEX:
            return ()
        if len(self._answers) >= _MAX_KEPT:
            self._answers.clear()
        answer = _Answer(*self._registry.accounts_span(self._graph.token(index).hex(), now_us))
        self._answers[index] = answer
        return answer.accounts
