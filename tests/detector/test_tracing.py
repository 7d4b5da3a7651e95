"""What is followed, and what is asked before anything is: against the plain way of saying it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution import Method
from schemas.alert import Limit
from schemas.instant import DAY
from schemas.transaction import Purpose
from services.detector.flows.arriving import most_carried
from services.detector.flows.fed_payments import could_be_fed, fed_by
from services.detector.flows.loans import _can_arrive, _is_enough, arrival, can_have_left
from services.detector.flows.tracing import Trace, follow, homeward, nearest, passed
from services.detector.graph import Edges, Reached, RollingGraph
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.lists import EDGE
from services.detector.legs import Leg, legs_of
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


@given(found, st.sets(ACCOUNTS), st.sets(ACCOUNTS), st.sets(ACCOUNTS, max_size=2), st.integers(1, 6))
def test_the_nearest_are_followed_first(
    rows: list[tuple[int, int, int, int]], ways: set[int], may_pass: set[int], hubs: set[int], most: int
) -> None:
    """By the fewest legs, then by sequence number; no hub, nothing at the last leg, up to the bound."""
    reached, borrower = reached_by(rows, sorted(hubs)), 1
    bounds: Any = SimpleNamespace(max_legs=4, max_accounts=most)
    order = sorted(
        (hops, seq, dst)
        for (_, dst, _, hops), seq in zip(rows, reached.edges.seq.tolist(), strict=True)
        if hops < 3 and dst in ways - hubs - {borrower}
    )
    branches = nearest(borrower, reached, bounds, np.array(sorted(ways), np.int32))
    assert branches.accounts.tolist() == list(dict.fromkeys(dst for _, _, dst in order))
    followed = passed(borrower, branches, bounds, may_pass.__contains__)
    others = [way for way in branches.accounts.tolist() if way in may_pass]
    assert followed.tolist() == sorted([borrower, *others][:most])


@given(found, st.sets(st.integers(0, 24), max_size=6), st.integers(1, 5))
def test_what_can_come_home_by_way_of_an_account(
    rows: list[tuple[int, int, int, int]], homeward_rows: set[int], legs: int
) -> None:
    """What it brings itself, and for each payee no more than it paid there nor than comes home from there."""
    reached = reached_by(rows, [])
    chosen = [leg for place, leg in enumerate(legs_of(reached.edges)) if place in homeward_rows]
    home = {leg.seq: leg.amount_minor // 2 for leg in chosen}
    paid = Counter[tuple[int, int]]()
    for src, dst, minor, _ in rows:
        paid[src, dst] += minor

    def most(account: int, left: int) -> int:
        straight = sum(home[leg.seq] for leg in chosen if leg.src == account)
        onward = ((dst, minor) for (src, dst), minor in paid.items() if src == account and left > 1)
        return straight + sum(min(minor, most(dst, left - 1)) for dst, minor in onward)

    bound = homeward(reached, home, legs)
    accounts = sorted({end for row in rows for end in row[:2]})
    assert bound.minor.tolist() == [most(account, legs) for account in accounts]
    assert bound.ways().tolist() == [account for account in accounts if most(account, legs) > 0]
    assert [bound.of(account) for account in accounts] == bound.minor.tolist()


def test_on_the_way_is_who_carried_to_the_payers_of_the_ends() -> None:
    """1 pays 2, 2 pays 3 and 9, 3 pays 4 and 1: of what came to 4, nothing went by 9."""
    records = np.zeros(6, EDGE)
    records["seq"] = records["ts_us"] = np.arange(6)
    records["src"], records["dst"] = (8, 1, 2, 2, 3, 3), (1, 2, 3, 9, 1, 4)
    columns = (records[name] for name in ("seq", "src", "dst"))
    trace = Trace(lambda seqs: Edges(records[seqs]), *columns, np.arange(10, 16), ())
    ends = [leg for leg in legs_of(trace.edges) if leg.dst == 4]
    assert trace.carriers_to({4}) == {ends[0]: 15}
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
@given(
    st.lists(st.tuples(*[st.integers(0, 6)] * 3, st.integers(0, 90)), min_size=1, max_size=25),
    st.integers(0, 120),
    st.integers(0, 3),
    st.integers(1, 25),
    st.integers(1, 4),
)
def test_branches_are_what_much_went_through_on_the_paths_found(
    rows: list[tuple[int, int, int, int]], least: int, hops: int, edges: int, hub: int
) -> None:
    """Also where the search is cut short; a second question finds no sums of the first."""
    graph, as_of = graph_of(rows, [Purpose.transfer])
    for start in range(1, graph.accounts + 1):
        query = (start, 0, 9 * DAY, as_of, hops, edges, hub)
        reached = graph.forward(*query)
        legs = legs_of(reached.edges)
        came, went, near = Counter[int](), Counter[int](), dict[int, tuple[int, int]]()
        for leg, legs_to in zip(legs, reached.hops.tolist(), strict=True):
            went[leg.src] += leg.amount_minor
            came[leg.dst] += leg.amount_minor
            if legs_to < hops:
                near[leg.dst] = min(near.get(leg.dst, (legs_to, leg.seq)), (legs_to, leg.seq))
        expected = [
            account
            for account in sorted(near, key=near.__getitem__)
            if min(came[account], went[account]) >= least and account not in (start, *reached.hubs.tolist())
        ]
        branches = graph.branches(*query, least)
        assert (branches.accounts.tolist(), branches.limits) == (expected, reached.limits)


class Into:
    """Ends that are accounts, and all that comes to them counts."""

    def __init__(self, accounts: set[int]) -> None:
        self._accounts = accounts

    def legs(self, edges: Edges) -> list[Leg]:
        return [leg for leg in legs_of(edges) if leg.dst in self._accounts]

    def counted(self, legs: Sequence[Leg], carried_by: Callable[[Leg], int]) -> dict[int, int]:
        return {leg.seq: carried_by(leg) for leg in legs}

    def is_passed(self, account: int) -> bool:
        return account not in self._accounts


@settings(max_examples=300)
@given(
    st.lists(st.tuples(*[st.integers(0, 6)] * 3, st.integers(1, 90)), min_size=1, max_size=20),
    st.sets(ACCOUNTS),
    st.sets(ACCOUNTS),
    st.sampled_from([1, 2, 99]),
    st.integers(0, 19),
    st.sampled_from(Method),
)
def test_no_loan_arrives_that_cannot_by_what_those_followed_paid(
    rows: list[tuple[int, int, int, int]],
    followed: set[int],
    there: set[int],
    edges: int,
    first: int,
    method: Method,
) -> None:
    """However few transfers of an account are listed, and whether or not the loan was paid there."""
    graph, as_of = graph_of(rows, [Purpose.transfer])
    loan = legs_of(graph.edges([min(first, as_of)]))
    context: Any = SimpleNamespace(graph=graph, as_of=as_of, now_us=9 * DAY)
    bounds: Any = SimpleNamespace(
        window_days=5, max_legs=4, max_edges=edges, max_accounts=9, attribution=method.value, share_bp=5_000
    )
    known = {loan[0].dst, *(account for account in followed if account <= graph.accounts)}
    through, ends = np.array(sorted(known - {OUTSIDE_INDEX}), np.int32), Into(there)
    if through.size and loan[0].dst != OUTSIDE_INDEX:
        trace = follow(context, loan, bounds, through, ())
        carried = trace.carriers()
        ended = sum(ends.counted(ends.legs(trace.edges), carried.__getitem__).values())
        is_enough = _is_enough(bounds, ended, loan[0].amount_minor)
        assert _can_arrive(context, bounds, loan, ends, through) or not is_enough


@settings(max_examples=300)
@given(
    st.lists(st.tuples(*[st.integers(0, 6)] * 3, st.integers(1, 90)), min_size=1, max_size=20),
    st.sets(ACCOUNTS),
    st.sampled_from([1, 2, 99]),
    st.lists(st.integers(0, 19), min_size=1, max_size=3),
    st.sampled_from(Method),
)
def test_no_loan_arrives_of_which_less_left_the_borrower(
    rows: list[tuple[int, int, int, int]], there: set[int], edges: int, chosen: list[int], method: Method
) -> None:
    """However few transfers of an account are listed."""
    graph, as_of = graph_of(rows, [Purpose.transfer])
    loan = legs_of(graph.edges(min(one, as_of) for one in chosen))
    loan = [leg for leg in loan if leg.dst == loan[0].dst]
    context: Any = SimpleNamespace(graph=graph, as_of=as_of, now_us=9 * DAY)
    bounds: Any = SimpleNamespace(
        window_days=5,
        max_legs=4,
        max_edges=edges,
        hub_degree=9,
        max_accounts=9,
        attribution=method.value,
        share_bp=5_000,
    )
    ends = Into(there - {loan[0].dst})
    if loan[0].dst != OUTSIDE_INDEX and arrival(context, bounds, loan, ends):
        assert can_have_left(context, bounds, loan)


def test_a_loan_has_left_once_its_borrower_paid_out_enough_of_it() -> None:
    """1 lends 2 a hundred, who had ninety paid out before; since then it pays fifty, or one less."""
    for paid, is_enough in ((50, True), (49, False)):
        graph, as_of = graph_of([(0, 2, 3, 90), (1, 1, 2, 100), (2, 2, 3, paid)], [Purpose.transfer])
        context: Any = SimpleNamespace(graph=graph, as_of=as_of, now_us=9 * DAY)
        loan = [leg for leg in legs_of(graph.edges(range(3))) if leg.amount_minor == 100]
        assert can_have_left(context, FEW_DAYS, loan) == is_enough


@settings(max_examples=300)
@given(
    st.lists(st.tuples(*[st.integers(0, 6)] * 3, st.integers(1, 90)), min_size=1, max_size=20),
    st.sets(ACCOUNTS),
    st.lists(st.integers(0, 19), min_size=1, max_size=3),
    st.sampled_from(Method),
)
def test_no_transfer_carries_more_than_it_can(
    rows: list[tuple[int, int, int, int]], followed: set[int], chosen: list[int], method: Method
) -> None:
    """Of a loan of one payment or several into one account, by any method of attribution."""
    graph, as_of = graph_of(rows, [Purpose.transfer])
    loan = legs_of(graph.edges(min(one, as_of) for one in chosen))
    loan = [leg for leg in loan if leg.dst == loan[0].dst]
    context: Any = SimpleNamespace(graph=graph, as_of=as_of, now_us=9 * DAY)
    bounds: Any = SimpleNamespace(window_days=9, max_legs=9, max_edges=99, max_accounts=9, attribution=method)
    known = {loan[0].dst, *(account for account in followed if account <= graph.accounts)}
    through = np.array(sorted(known - {OUTSIDE_INDEX}), np.int32)
    if loan[0].dst != OUTSIDE_INDEX:
        paid = graph.edges_out_of(through, loan[0].ts_us, 9 * DAY, as_of, 99)
        most = dict(zip(paid.seq.tolist(), most_carried(paid, through, loan).tolist(), strict=True))
        carriers = follow(context, loan, bounds, through, ()).carriers()
        onward = {leg.seq: minor for leg, minor in carriers.items() if leg not in loan}
        assert all(minor <= most[seq] for seq, minor in onward.items())


FEW_DAYS: Any = SimpleNamespace(window_days=5, max_legs=4, max_edges=9, share_bp=5_000)


def asked_of(graph: RollingGraph, as_of: int) -> tuple[Any, list[int]]:
    """A context nine days on, and accounts 1 to 4."""
    found = []
    for account in range(1, 5):
        index = graph.index(token(account))
        assert index is not None
        found.append(index)
    return SimpleNamespace(graph=graph, as_of=as_of, now_us=9 * DAY), found


def test_a_loan_does_not_arrive_by_what_was_paid_before_it_came() -> None:
    """1 lends 2 a hundred, who pays 3; 3 pays 4 as much before that, or after."""
    for day, is_enough in ((3, True), (1, False)):
        graph, as_of = graph_of([(1, 1, 2, 100), (2, 2, 3, 100), (day, 3, 4, 100)], [Purpose.transfer])
        context, (lender, borrower, other, end) = asked_of(graph, as_of)
        loan = [leg for leg in legs_of(graph.edges(range(3))) if leg.src == lender]
        followed = np.array(sorted((borrower, other)), np.int32)
        assert _can_arrive(context, FEW_DAYS, loan, Into({end}), followed) == is_enough


def test_a_loan_cannot_arrive_where_those_followed_pay_less_than_enough() -> None:
    """1 lends 2 a hundred; 2 pays 3 seventy, and 3 pays 4 fifty, or one less."""
    for last, is_enough in ((50, True), (49, False)):
        graph, as_of = graph_of([(1, 1, 2, 100), (2, 2, 3, 70), (3, 3, 4, last)], [Purpose.transfer])
        context, (_, borrower, other, end) = asked_of(graph, as_of)
        loan, ends = legs_of(graph.edges([0])), Into({end})
        followed = np.array([borrower, other], np.int32)
        assert _can_arrive(context, FEW_DAYS, loan, ends, followed) == is_enough
        assert not _can_arrive(context, FEW_DAYS, loan, ends, followed[:1])


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
