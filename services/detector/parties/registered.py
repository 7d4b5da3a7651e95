"""What the registry has on the accounts of the graph, kept by index until it changes."""

from __future__ import annotations

from typing import Final, NamedTuple

from registry import Registry
from schemas.instant import FOREVER, MIN_INSTANT
from schemas.registry import Account, AccountRole
from services.detector.graph import RollingGraph
from services.detector.graph.accounts import OUTSIDE_INDEX

_MAX_KEPT: Final = 500_000
"""Answers kept; past it all are forgotten and looked up again."""


class Held(NamedTuple):
    """What an account is over a stretch of time [from, to)."""

    accounts: tuple[Account, ...]
    """One record for each institution it serves."""
    roles: frozenset[AccountRole]
    """Empty: nobody has registered it."""
    party: str | None
    """Who holds it; None where the registry does not know it."""
    own: tuple[str, ...]
    """The institutions in whose own business it is, by id."""
    near: tuple[str, ...]
    """Those of which its holder was ever a related party."""
    from_us: int
    to_us: int


_NOBODY: Final = Held((), frozenset(), None, (), (), MIN_INSTANT, FOREVER)
_OF_OTHERS: Final = frozenset({AccountRole.client, AccountRole.merchant_settlement})
"""Roles in which an account is in an institution's business but not its own."""


class Registered:
    def __init__(self, graph: RollingGraph, registry: Registry) -> None:
        self._graph = graph
        self._registry = registry
        self._held: list[Held | None] = []
        """By index: a list is read in one step, a dict in three."""
        self._kept = 0
        self._revision = registry.revision

    def held(self, index: int, now_us: int) -> Held:
        """What the account is at `now_us`."""
        if self._revision != self._registry.revision:
            self._forget()
        known = self._held[index] if index < len(self._held) else None
        if known is not None and known.from_us <= now_us < known.to_us:
            return known
        return _NOBODY if index == OUTSIDE_INDEX else self._ask(index, now_us)

    def accounts(self, index: int, now_us: int) -> tuple[Account, ...]:
        """What the account is at `now_us`, one record for each institution it serves."""
        return self.held(index, now_us).accounts

    def _ask(self, index: int, now_us: int) -> Held:
        accounts, from_us, to_us = self._registry.accounts_span(self._graph.token(index).hex(), now_us)
        roles = frozenset(one.role for one in accounts)
        party = accounts[0].party_id if accounts else None
        own = {one.institution_id for one in accounts if one.institution_id and one.role not in _OF_OTHERS}
        near = self._registry.institutions_tied(party) if party else ()
        held = Held(accounts, roles, party, tuple(sorted(own)), near, from_us, to_us)
        if self._kept >= _MAX_KEPT:
            self._forget()
        if index >= len(self._held):
            self._held += [None] * (index + 1 - len(self._held))
        self._kept += self._held[index] is None
        self._held[index] = held
        return held

    def _forget(self) -> None:
        self._held.clear()
        self._kept = 0
        self._revision = self._registry.revision
