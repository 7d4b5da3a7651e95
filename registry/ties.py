"""Who is tied to whom: relations between parties, and what is reachable over them.

A related party of an institution is one reachable from it over relations valid on that date, in
either direction, by at most `max_links` links, the shares of shareholder links on the way multiplied
and still at least `min_share_bp` (design/typologies.md, "Words").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from registry.history import History
from schemas.instant import FOREVER, MIN_INSTANT
from schemas.registry import Relation, RelationKind, key_of

_WHOLE: Final = 10_000
_MAX_LINKS: Final = 8


@dataclass(frozen=True, slots=True)
class Reach:
    """How far relatedness goes. `max_parties` bounds one closure, which then says it was truncated."""

    max_links: int = 3
    min_share_bp: int = 500
    max_parties: int = 10_000

    def __post_init__(self) -> None:
        if not 1 <= self.max_links <= _MAX_LINKS:
            raise ValueError(f"max_links must be in 1..{_MAX_LINKS}")


@dataclass(frozen=True, slots=True)
class Relatedness:
    """How one party is tied to where the search began: the shortest way, of those the largest share.

    `share_bp` is the product of the shares along `path`, rounded down; the whole where no link of it
    is a shareholding. The party itself has no links.
    """

    party_id: str
    links: int
    share_bp: int
    path: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class Closure:
    """What is reachable from `origin` at every instant of [from_us, to_us)."""

    origin: str
    parties: Mapping[str, Relatedness]
    from_us: int
    to_us: int
    truncated: bool


class _Tie(NamedTuple):
    other: str
    key: str


class _Way(NamedTuple):
    """A way to a party: its share as a multiple of _WHOLE ** -max_links, exact, and its links."""

    share: int
    path: tuple[Relation, ...]


class Ties:
    """Relations by party. Answers are independent of the order in which relations were put."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._relations: History[Relation] = History()
        self._of_party: dict[str, list[_Tie]] = {}

    def put(self, relation: Relation) -> bool:
        """False when it changes nothing."""
        key = key_of(relation)
        if key not in self._relations:
            self._of_party.setdefault(relation.from_id, []).append(_Tie(relation.to_id, key))
            self._of_party.setdefault(relation.to_id, []).append(_Tie(relation.from_id, key))
        return self._relations.put(key, relation)

    def any(self, party_id: str) -> bool:
        return party_id in self._of_party

    def closure(self, origin: str, ts_us: int | None) -> Closure:
        """Reachable at `ts_us`; None: over every relation that ever held, at its largest share.

        Proceeds link by link. A party is walked on from again when a longer way brings a larger share,
        since more may be reachable from there.
        """
        whole = _WHOLE**self.reach.max_links
        floor = self.reach.min_share_bp * whole // _WHOLE
        search = _Search(self, ts_us, floor, Relatedness(origin, 0, _WHOLE, ()), whole)
        frontier = {origin: _Way(whole, ())}
        for _ in range(self.reach.max_links):
            frontier = search.step(frontier)
        return Closure(origin, search.found, search.from_us, search.to_us, search.truncated)

    def links(self, party_id: str, ts_us: int | None) -> Iterator[tuple[str, Relation | None, int, int]]:
        """(other party, relation, from, to): what ties `party_id` over the stretch around `ts_us`."""
        for other, key in sorted(self._of_party.get(party_id, ())):
            if ts_us is None:
                versions = self._relations.versions(key)
                yield (
                    other,
                    max(versions, key=lambda v: (v.share_bp or 0, -v.valid_from)),
                    MIN_INSTANT,
                    FOREVER,
                )
            else:
                yield other, *self._relations.span(key, ts_us)


class _Search:
    """The state of one closure: what was found, and the stretch of time over which it is true."""

    def __init__(self, ties: Ties, ts_us: int | None, floor: int, origin: Relatedness, whole: int) -> None:
        self._ties = ties
        self._ts_us = ts_us
        self._floor = floor
        self._whole = whole
        self._best = {origin.party_id: whole}
        self.found = {origin.party_id: origin}
        self.from_us = MIN_INSTANT
        self.to_us = FOREVER
        self.truncated = False

    def step(self, frontier: Mapping[str, _Way]) -> dict[str, _Way]:
        """The parties one link further, by their largest share, where that beats every shorter way."""
        reached: dict[str, _Way] = {}
        for party in sorted(frontier):
            way = frontier[party]
            for other, relation, from_us, to_us in self._ties.links(party, self._ts_us):
                self.from_us = max(self.from_us, from_us)
                self.to_us = min(self.to_us, to_us)
                if relation is None:
                    continue
                share = _shared(way.share, relation)
                known = max(self._best.get(other, 0), reached[other].share if other in reached else 0)
                if share >= self._floor and share > known:
                    reached[other] = _Way(share, (*way.path, relation))
        return {party: way for party, way in sorted(reached.items()) if self._admit(party, way)}

    def _admit(self, party: str, way: _Way) -> bool:
        if party not in self.found:
            if len(self.found) > self._ties.reach.max_parties:
                self.truncated = True
                return False
            share_bp = way.share * _WHOLE // self._whole
            self.found[party] = Relatedness(party, len(way.path), share_bp, way.path)
        self._best[party] = way.share
        return True


def _shared(share: int, relation: Relation) -> int:
    if relation.relation is not RelationKind.shareholder:
        return share
    return share * (relation.share_bp or 0) // _WHOLE
