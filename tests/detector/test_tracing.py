"""What is followed, and what is asked before anything is: against the plain way of saying it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alert import Limit
from schemas.instant import DAY
from schemas.transaction import Purpose
from services.detector.flows.fed_payments import could_be_fed, fed_by
from services.detector.flows.tracing import Trace, _followed, branches
from services.detector.graph import Edges, Reached, RollingGraph
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.lists import EDGE
from services.detector.legs import legs_of
from services.detector.parties.marks import KEEPER
from services.detector.typologies import straw_borrowers
from services.detector.typologies.self_guarantee import Parameters as FedParameters
from tests.detector.graph.stream import Transfer, batch, token

ACCOUNTS = st.integers(1, 7)
found = st.lists(st.tuples(ACCOUNTS, ACCOUNTS, st.integers(0, 90), st.integers(1, 4)), max_size=25)


def reached_by(rows: list[tuple[int, int, int, int]], hubs: list[int]) -> Reached:
    records = np.zeros(len(rows), EDGE)
    records["seq"], records["ts_us"] = np.arange(len(rows))[::-1], np.arange(len(rows)) // 2
    for place, (src, dst, minor, _) in enumerate(rows):
        records[["src", "dst", "amount_minor"]][place] = src, dst, minor
    hops = np.array([row[3] for row in rows], np.int32)
    return Reached(Edges(records), hops, np.array(hubs, np.int32), ())


@given(found, st.integers(0, 100))
def test_branches_got_enough_and_paid_enough(rows: list[tuple[int, int, int, int]], least: int) -> None:
    turnover = {account: [0, 0] for row in rows for account in row[:2]}
    for src, dst, minor, _ in rows:
        turnover[src][1] += minor
        turnover[dst][0] += minor
    expected = sorted(account for account, sums in turnover.items() if min(sums) >= least)
    assert branches(reached_by(rows, []), least).tolist() == expected


@given(found, st.sets(ACCOUNTS), st.sets(ACCOUNTS), st.sets(ACCOUNTS, max_size=2), st.integers(1, 6))
def test_the_nearest_are_followed_first(
    rows: list[tuple[int, int, int, int]], ways: set[int], passed: set[int], hubs: set[int], most: int
) -> None:
    """By the fewest legs, then by sequence number; no hub, nothing at the last leg, up to the bound."""
    reached, borrower = reached_by(rows, sorted(hubs)), 1
    bounds: Any = SimpleNamespace(max_legs=4, max_accounts=most)
    order = sorted(
        (hops, seq, dst)
        for (_, dst, _, hops), seq in zip(rows, reached.edges.seq.tolist(), strict=True)
        if hops < 3 and dst in ways & passed - hubs
    )
    nearest = dict.fromkeys((borrower, *(dst for _, _, dst in order)))
    followed = _followed(borrower, reached, bounds, np.array(sorted(ways), np.int32), passed.__contains__)
    assert followed.tolist() == sorted(list(nearest)[:most])


def test_on_the_way_is_who_carried_to_the_payers_of_the_ends() -> None:
    """1 pays 2, 2 pays 3 and 9, 3 pays 4 and 1: of what came to 4, nothing went by 9."""
    records = np.zeros(6, EDGE)
    records["seq"] = records["ts_us"] = np.arange(6)
    records["src"], records["dst"] = (8, 1, 2, 2, 3, 3), (1, 2, 3, 9, 1, 4)
    trace = Trace(Edges(records), np.arange(10, 16), ())
    ends = [leg for leg in legs_of(trace.edges) if leg.dst == 4]
    assert trace.towards(ends) == {0: 10, 1: 11, 2: 12, 4: 14}


payments = st.lists(
    st.tuples(
        st.integers(0, 20), st.integers(0, 5), st.integers(1, 5), st.sampled_from([1, 40, 50, 99, 100, 201])
    ),
    min_size=1,
    max_size=14,
)


def graph_of(rows: list[tuple[int, int, int, int]], purposes: list[Purpose]) -> tuple[RollingGraph, int]:
    """A row is (day, payer, payee, amount); purposes are dealt out in turn."""
    graph = RollingGraph(window_us=31 * DAY, lateness_us=DAY, max_transfers=100, max_accounts=20)
    transfers = [
        Transfer(f"t{n}", src, dst, day * DAY + n, minor, purpose=int(purposes[n % len(purposes)]))
        for n, (day, src, dst, minor) in enumerate(sorted(rows))
    ]
    return graph, int(graph.apply(batch(transfers)).as_of[-1])


@settings(max_examples=200)
@given(payments, st.lists(st.sampled_from(Purpose), min_size=1, max_size=3), st.sets(st.integers(1, 20)))
def test_nothing_was_fed_that_could_not_be(
    rows: list[tuple[int, int, int, int]], purposes: list[Purpose], givers: set[int]
) -> None:
    graph, as_of = graph_of(rows, [*purposes, Purpose.transfer])
    marks = np.zeros(graph.accounts + 1, np.uint32)
    marks[graph.accounts :] = KEEPER
    context: Any = SimpleNamespace(graph=graph, as_of=as_of, marks=marks)
    for payment in legs_of(graph.edges(range(as_of + 1))):
        way = fed_by(context, payment, FedParameters(), givers.__contains__)
        assert could_be_fed(context, payment, FedParameters()) or not way


@settings(max_examples=200)
@given(payments, st.sets(st.integers(0, 13)), st.integers(1, 4))
def test_a_shop_is_told_by_its_latest_payers_as_by_all(
    rows: list[tuple[int, int, int, int]], carried: set[int], enough: int
) -> None:
    graph, as_of = graph_of(rows, [Purpose.purchase])
    search = object.__new__(straw_borrowers._Search)
    search.parameters = straw_borrowers.Parameters(shop_payers=enough)
    search.context = SimpleNamespace(graph=graph, as_of=as_of, now_us=20 * DAY)  # type: ignore[assignment]
    search.entities = SimpleNamespace(roles=lambda _: frozenset())  # type: ignore[assignment]
    shop = graph.index(token(sorted(rows)[0][2]))
    assert shop is not None
    paid = legs_of(graph.edges_in(shop, 0, 20 * DAY + 99, as_of, 100))
    theirs = [leg for leg in paid if leg.seq in carried]
    share = straw_borrowers._Share(
        account=1,
        disbursed_us=0,
        disbursed_minor=1,
        minor=1,
        attributed={leg.seq: leg.amount_minor for leg in theirs},
        accounts=(shop,),
        payers=frozenset(leg.src for leg in theirs),
        bought=True,
        missing=(),
        limits=(Limit(name="edges", bound=1),),
    )
    seen = [leg for leg in paid if leg.ts_us <= 20 * DAY]
    others = {leg.src for leg in seen} - {leg.src for leg in seen if leg in theirs} - {OUTSIDE_INDEX}
    assert search.is_shop({"b": share}) == (len(others) >= enough)


def test_a_shop_with_many_payments_needs_no_full_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve others paid it last, so no more than the last fifty payments to it are listed."""
    graph, as_of = graph_of(
        [(day, 2 + day % 12, 1, 100) for day in range(20) for _ in range(4)], [Purpose.purchase]
    )
    asked: list[int] = []
    edges_in = graph.edges_in
    monkeypatch.setattr(graph, "edges_in", lambda *query: asked.append(query[-1]) or edges_in(*query))
    search = object.__new__(straw_borrowers._Search)
    search.parameters = straw_borrowers.Parameters()
    search.context = SimpleNamespace(graph=graph, as_of=as_of, now_us=20 * DAY)  # type: ignore[assignment]
    search.entities = SimpleNamespace(roles=lambda _: frozenset())  # type: ignore[assignment]
    shop = graph.index(token(1))
    assert shop is not None
    share = straw_borrowers._Share(1, 0, 1, 1, {}, (shop,), frozenset(), True, (), ())
    assert search.is_shop({"b": share})
    assert asked == [50]
