"""Related parties against a naive enumeration of every path."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import Reach
from registry.ties import Ties
from schemas.instant import FOREVER
from schemas.registry import Relation, RelationKind

PARTIES = [f"p{number}" for number in range(7)]
REACH = Reach(max_links=3, min_share_bp=500)


@st.composite
def relations(draw: st.DrawFn) -> Relation:
    kind = draw(st.sampled_from([RelationKind.shareholder, RelationKind.shareholder, RelationKind.director]))
    start = draw(st.integers(0, 9))
    return Relation(
        from_id=draw(st.sampled_from(PARTIES)),
        to_id=draw(st.sampled_from(PARTIES)),
        relation=kind,
        share_bp=draw(st.sampled_from([100, 499, 500, 2236, 2237, 5000, 10_000]))
        if kind is RelationKind.shareholder
        else None,
        valid_from=start,
        valid_to=draw(st.sampled_from([start + 1, start + 4, FOREVER])),
    )


def ties_of(some: list[Relation]) -> Ties:
    ties = Ties(REACH)
    for relation in some:
        ties.put(relation)
    return ties


def current(some: list[Relation], ts_us: int) -> list[Relation]:
    by_key: dict[tuple[str, str, str], dict[int, Relation]] = {}
    for one in some:
        by_key.setdefault((one.from_id, one.to_id, one.relation), {})[one.valid_from] = one
    held = ([v for v in versions.values() if v.holds_at(ts_us)] for versions in by_key.values())
    return [max(versions, key=lambda v: v.valid_from) for versions in held if versions]


def paths(some: list[Relation], at: str, links: int) -> Iterator[tuple[str, tuple[Relation, ...]]]:
    yield at, ()
    if links == 0:
        return
    for relation in some:
        for here, there in ((relation.from_id, relation.to_id), (relation.to_id, relation.from_id)):
            if here == at:
                for end, rest in paths(some, there, links - 1):
                    yield end, (relation, *rest)


def naive(some: list[Relation], origin: str, ts_us: int) -> dict[str, tuple[int, int]]:
    """Party -> (fewest links, largest share in basis points over as many links)."""
    found: dict[str, tuple[int, Fraction]] = {}
    for end, path in paths(current(some, ts_us), origin, REACH.max_links):
        share = Fraction(1)
        for relation in path:
            share *= Fraction(relation.share_bp, 10_000) if relation.share_bp is not None else 1
        if share < Fraction(REACH.min_share_bp, 10_000):
            continue
        links, best = found.get(end, (99, Fraction(0)))
        if (len(path), -share) < (links, -best):
            found[end] = (len(path), share)
    return {party: (links, int(share * 10_000)) for party, (links, share) in found.items()}


@given(st.lists(relations(), max_size=9), st.integers(0, 14))
def test_closure_is_what_every_path_gives(some: list[Relation], ts_us: int) -> None:
    closure = ties_of(some).closure("p0", ts_us)
    found = {party: (tie.links, tie.share_bp) for party, tie in closure.parties.items()}
    assert found == naive(some, "p0", ts_us)
    assert all(len(tie.path) == tie.links for tie in closure.parties.values())
    assert not closure.truncated


@given(st.lists(relations(), max_size=9), st.integers(0, 14))
def test_closure_is_the_same_over_its_whole_span(some: list[Relation], ts_us: int) -> None:
    ties = ties_of(some)
    closure = ties.closure("p0", ts_us)
    for inside in range(closure.from_us, min(closure.to_us, 15)):
        assert ties.closure("p0", inside) == closure


@given(st.lists(relations(), max_size=9, unique_by=lambda r: (r.from_id, r.to_id, r.relation, r.valid_from)))
def test_order_of_arrival_does_not_matter(some: list[Relation]) -> None:
    shuffled = some.copy()
    Random(7).shuffle(shuffled)
    assert ties_of(some).closure("p0", 5) == ties_of(shuffled).closure("p0", 5)


@given(st.lists(relations(), max_size=9), st.integers(0, 14))
def test_the_timeless_closure_contains_every_other(some: list[Relation], ts_us: int) -> None:
    ties = ties_of(some)
    assert ties.closure("p0", None).parties.keys() >= ties.closure("p0", ts_us).parties.keys()


@pytest.mark.parametrize(
    ("shares", "related"),
    [
        pytest.param([499], False, id="one below"),
        pytest.param([500], True, id="at"),
        pytest.param([501], True, id="one above"),
        pytest.param([2236, 2236], False, id="product below"),
        pytest.param([2237, 2237], True, id="product above"),
        pytest.param([10_000, 10_000, 500], True, id="three links"),
        pytest.param([10_000, 10_000, 10_000, 10_000], False, id="four links"),
        pytest.param([None, None, None], True, id="three links without shares"),
        pytest.param([None, 499], False, id="share below behind a director"),
    ],
)
def test_a_chain_of_shares(shares: list[int | None], related: bool) -> None:
    chain = [
        Relation(
            from_id=f"p{number + 1}",
            to_id=f"p{number}",
            relation=RelationKind.director if share is None else RelationKind.shareholder,
            share_bp=share,
        )
        for number, share in enumerate(shares)
    ]
    assert (f"p{len(shares)}" in ties_of(chain).closure("p0", 0).parties) is related


def test_a_hub_truncates_and_says_so() -> None:
    ties = Ties(Reach(max_parties=10))
    for number in range(50):
        ties.put(Relation(from_id=f"n{number:02}", to_id="p0", relation=RelationKind.director))
    closure = ties.closure("p0", 0)
    assert closure.truncated
    assert list(closure.parties) == ["p0", *(f"n{number:02}" for number in range(10))]
