"""What went through a few accounts, against the same of all that was listed around them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution import Method, Payments, carry
from compiled import Array
from schemas.errors import Unknown
from services.detector.graph import Edges, RollingGraph, Shapes
from services.detector.graph.crowded import copied, copy_of, new_crowded, paid_in
from services.detector.graph.through import Passed, new_room
from services.detector.legs import legs_of, merged
from tests.detector.graph.stream import Transfer, batch, token


def plainly(edges: Edges, followed: list[int], origins: set[int], currency: int) -> Payments:
    """Every transfer a payment, those of other currencies nobody's."""

    def place(account: int, code: int) -> int:
        return followed.index(account) if account in followed and code == currency else -1

    legs = legs_of(edges)
    return Payments(
        np.array([place(leg.src, leg.currency) for leg in legs], np.int32),
        np.array([place(leg.dst, leg.currency) for leg in legs], np.int32),
        np.array([leg.amount_minor for leg in legs], np.int64),
        np.array([leg.seq in origins for leg in legs], np.bool_),
    )


def carried_by(seqs: Array, payments: Payments, accounts: int, method: Method) -> dict[int, int]:
    carried = carry(payments, accounts, 4, method).by_legs.tolist()
    return {seq: minor for seq, minor in zip(seqs.tolist(), carried, strict=True) if minor}


def rows_of(passed: Passed) -> list[tuple[int, ...]]:
    """As (seq, amount, payer, payee, src, dst, is origin)."""
    payer, payee, amount_minor, is_origin = passed.payments
    columns = (passed.seq, amount_minor, payer, payee, passed.src, passed.dst, is_origin)
    return list(zip(*(column.tolist() for column in columns), strict=True))


rows = st.tuples(
    st.integers(0, 6),
    st.sampled_from([0, 1, 1, 2, 3, 4]),
    st.sampled_from([0, 1, 1, 2, 3, 4]),
    st.integers(1, 60),
    st.sampled_from(["CNY"] * 5 + ["USD"]),
)


@settings(max_examples=500)
@given(
    st.lists(rows, min_size=6, max_size=40),
    st.booleans(),
    st.sets(st.integers(1, 4), min_size=1, max_size=3),
    st.sets(st.integers(0, 12), min_size=1, max_size=3),
    st.integers(1, 12),
    st.integers(0, 20),
    st.sampled_from(Method),
)
def test_each_carries_what_it_would_if_all_were_listed(
    log: list[tuple[int, int, int, int, str]],
    is_searched: bool,
    chosen: set[int],
    some: set[int],
    limit: int,
    last: int,
    method: Method,
) -> None:
    """Late ones, transfers to oneself, from OUTSIDE and in another currency, some not seen yet; with lists
    kept and without; over the limit those logged last, either way; and again where all are copied."""
    graph = RollingGraph(window_us=10_000, lateness_us=1_000, max_transfers=100, max_accounts=20)
    built = batch(
        [
            Transfer(f"t{n}", src, dst, 1000 + n - behind, minor, currency=currency)
            for n, (behind, src, dst, minor, currency) in enumerate(log)
        ]
    )
    applied = graph.apply_and_search(built, Shapes(cycle_legs=3))[0] if is_searched else graph.apply(built)
    as_of = int(applied.as_of[max(0, len(log) - 1 - last)])
    view = (1003, 1000 + len(log), as_of, limit)
    indexes = [index for index in range(1, graph.accounts + 1) if index in chosen]
    followed = np.array(indexes, np.int32)
    into = [
        leg for one in indexes for leg in legs_of(graph.edges_in(one, *view[:3], 100)) if not leg.currency
    ]
    loans = sorted({into[each % len(into)].seq for each in some}) if into else []
    if loans:
        edges = merged(graph.edges(loans), graph.edges_around(followed, *view))
        expected = carried_by(edges.seq, plainly(edges, indexes, set(loans), 0), len(indexes), method)
        for crowded in (graph._crowded, new_crowded(least=1, copies=2, length=4)):
            graph._crowded = crowded
            passed = graph.through(followed, np.array(loans, np.int64), 0, *view)
            assert carried_by(passed.seq, passed.payments, len(indexes), method) == expected


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3)), max_size=6), min_size=1, max_size=8),
    st.integers(2, 12),
    st.integers(1, 2),
)
def test_a_copy_is_of_the_newest_payments_one_after_the_other(
    batches: list[list[tuple[int, int]]], transfers: int, copies: int
) -> None:
    """Of accounts 1 to 3, looked at after each batch or now and then, as more and more of them expire."""
    graph = RollingGraph(window_us=10_000, lateness_us=10, max_transfers=transfers, max_accounts=20)
    ring, accounts = graph._state.ring, graph._state.accounts.records
    crowded = new_crowded(least=1, copies=copies, length=4)
    logged: list[int] = []
    for number, rows in enumerate(filter(None, batches)):
        first = len(logged)
        logged += [dst for dst, _ in rows]
        log = [Transfer(f"t{seq}", 9, logged[seq], 1000 + seq) for seq in range(first, len(logged))]
        graph.apply(batch(log, number=number))
        for dst in [dst for dst, looks in rows if looks]:
            account = graph.index(token(dst))
            assert account is not None
            copy = copy_of(ring, accounts, crowded, account)
            held = [int(paid_in(crowded, copy, nth)["seq"]) for nth in range(copied(crowded, copy))]
            paid = [seq for seq, payee in enumerate(logged) if payee == dst][::-1]
            live = [seq for seq in paid if seq >= len(logged) - transfers]
            assert held == paid[: len(held)]
            assert len(held) >= min(len(live), 4)


def test_a_copy_is_read_as_far_as_it_goes_and_the_links_from_there() -> None:
    """1 is paid 10 by each of nine, then lent 50, and pays all on: seven of nine count, four are copied."""
    graph = RollingGraph(window_us=10_000, lateness_us=10, max_transfers=100, max_accounts=20)
    graph._crowded = new_crowded(least=1, copies=1, length=4)
    log = [*((payer, 1, 10) for payer in range(2, 11)), (12, 1, 50), (1, 13, 120)]
    built = batch([Transfer(f"t{n}", src, dst, 1000 + n, minor) for n, (src, dst, minor) in enumerate(log)])
    as_of = int(graph.apply(built).as_of[-1])
    one = graph.index(token(1))
    assert one is not None
    for _ in range(2):
        passed = graph.through(np.array([one], np.int32), np.array([9]), 0, 0, 2_000, as_of, 8)
        assert [row[:2] for row in rows_of(passed)] == [(-1, 70), (9, 50), (10, 120)]
    assert graph._crowded.copies["account"].tolist() == [one]


def test_what_others_paid_between_two_payments_is_one_sum() -> None:
    """1 is lent 50; 3, 4 and 5 pay it 10 each before and after; it pays 2 forty, and 2 pays 9 thirty."""
    graph = RollingGraph(window_us=10_000, lateness_us=10, max_transfers=100, max_accounts=20)
    log = [(8, 1, 50), (3, 1, 10), (4, 1, 10), (5, 1, 10), (1, 2, 40), (3, 1, 10), (4, 1, 10), (2, 9, 30)]
    built = batch([Transfer(f"t{n}", src, dst, 1000 + n, minor) for n, (src, dst, minor) in enumerate(log)])
    as_of = int(graph.apply(built).as_of[-1])
    one, two = (graph.index(token(account)) for account in (1, 2))
    assert one is not None
    assert two is not None
    asked = (np.array(sorted((one, two)), np.int32), np.array([0]), 0, 0, 2_000, as_of, 100)
    place = {one: int(one > two), two: int(two > one)}
    expected = [
        (0, 50, -1, place[one], graph.index(token(8)), one, True),
        (-1, 30, -1, place[one], -1, -1, False),
        (4, 40, place[one], place[two], one, two, False),
        (7, 30, place[two], -1, two, graph.index(token(9)), False),
    ]
    assert rows_of(graph.through(*asked)) == expected
    graph._moves = new_room(1)
    assert rows_of(graph.through(*asked)) == expected
    with pytest.raises(Unknown):
        graph.through(np.array([one, 99], np.int32), *asked[1:])


def test_what_comes_late_counts_at_its_time() -> None:
    """1 pays 9 twice after it was lent 50; 3 paid it in between and 4 before, but both are logged last."""
    graph = RollingGraph(window_us=10_000, lateness_us=10, max_transfers=100, max_accounts=20)
    log = [(8, 1, 50, 0), (1, 9, 20, 3), (1, 9, 20, 6), (3, 1, 10, 5), (4, 1, 7, 1)]
    built = batch(
        [Transfer(f"t{n}", src, dst, 1000 + at, minor) for n, (src, dst, minor, at) in enumerate(log)]
    )
    as_of = int(graph.apply(built).as_of[-1])
    one = graph.index(token(1))
    assert one is not None
    passed = graph.through(np.array([one], np.int32), np.array([0]), 0, 0, 2_000, as_of, 100)
    assert [row[:2] for row in rows_of(passed)] == [(0, 50), (-1, 7), (1, 20), (-1, 10), (2, 20)]
