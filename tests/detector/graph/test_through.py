"""What went through a few accounts, against the same of all that was listed around them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution import Method, Payments, carry
from compiled import Array
from schemas.errors import Unknown
from services.detector.graph import Edges, RollingGraph, Shapes, Status
from services.detector.legs import legs_of, merged
from tests.detector.graph.logs import LATENESS, WINDOW, Event, Mark, batches, cuts, events
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


def columns_of(payments: Array) -> Payments:
    return Payments(*(payments[name] for name in ("payer", "payee", "amount_minor", "is_origin")))


@settings(max_examples=300)
@given(
    events(),
    cuts(),
    st.booleans(),
    st.sets(st.integers(1, 7), min_size=1, max_size=4),
    st.lists(st.integers(0, 40), min_size=1, max_size=3),
    st.integers(1, 6),
    st.sampled_from([3, 12, 2 * WINDOW]),
    st.sampled_from(Method),
)
def test_each_carries_what_it_would_if_all_were_listed(
    log: list[Event],
    ends: set[int],
    searched: bool,
    chosen: set[int],
    some: list[int],
    limit: int,
    since: int,
    method: Method,
) -> None:
    """Late ones, transfers to oneself, from OUTSIDE and in other currencies; with lists kept and without; of
    more than the limit those logged last, either way."""
    graph = RollingGraph(window_us=WINDOW, lateness_us=LATENESS, max_transfers=1000, max_accounts=100)
    for step in batches(log, ends):
        if isinstance(step, Mark):
            continue
        rows = batch(step)
        applied = graph.apply_and_search(rows, Shapes(cycle_legs=3))[0] if searched else graph.apply(rows)
        taken = np.flatnonzero(applied.status == Status.inserted).tolist()
        indexes = sorted(index for one in chosen if (index := graph.index(token(one))) is not None)
        for row in taken[:: max(1, len(taken) // 3)] if indexes else []:
            as_of, until_us = int(applied.as_of[row]), int(applied.clock_us[row])
            view = until_us - since, until_us, as_of, limit
            followed = np.array(indexes, np.int32)
            into = [leg for one in indexes for leg in legs_of(graph.edges_in(one, *view[:3], 1000))]
            loans = sorted({into[each % len(into)].seq for each in some}) if into else []
            currency = legs_of(graph.edges(loans[:1]))[0].currency if loans else 0
            origins = [leg.seq for leg in legs_of(graph.edges(loans)) if leg.currency == currency]
            if not origins:
                continue
            edges = merged(graph.edges(origins), graph.edges_around(followed, *view))
            payments = graph.through(followed, np.array(sorted(origins), np.int64), currency, *view)
            all_listed = plainly(edges, indexes, set(origins), currency)
            expected = carried_by(edges.seq, all_listed, len(indexes), method)
            assert carried_by(payments["seq"], columns_of(payments), len(indexes), method) == expected


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
        (0, 50, -1, place[one], True),
        (-1, 30, -1, place[one], False),
        (4, 40, place[one], place[two], False),
        (7, 30, place[two], -1, False),
    ]
    assert graph.through(*asked).tolist() == expected
    graph._room = type(graph._room)(*(each[:1] for each in graph._room))
    assert graph.through(*asked).tolist() == expected
    with pytest.raises(Unknown):
        graph.through(np.array([one, 99], np.int32), *asked[1:])
