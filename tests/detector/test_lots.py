"""The compiled queues against services.detector.attribution, which states the rule."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.transaction import Purpose
from services.detector.legs import Leg
from services.detector.lots import Payments, carry
from tests.detector.fifo import fifo

accounts = st.integers(0, 4)
payments = st.lists(st.tuples(accounts, accounts, st.integers(1, 50), st.booleans()), max_size=40)


@given(payments, st.frozensets(accounts, min_size=1), st.integers(1, 5))
def test_both_follow_the_same_money(
    rows: list[tuple[int, int, int, bool]], followed: frozenset[int], max_legs: int
) -> None:
    legs = [
        Leg(10 * place, place, src, dst, amount, Purpose.unknown, 0, 0)
        for place, (src, dst, amount, _) in enumerate(rows)
    ]
    money = fifo(legs, {place for place, row in enumerate(rows) if row[3]}, followed)
    places = {account: place for place, account in enumerate(sorted(followed))}
    carried = carry(
        Payments(
            np.array([places.get(row[0], -1) for row in rows], np.int32),
            np.array([places.get(row[1], -1) for row in rows], np.int32),
            np.array([row[2] for row in rows], np.int64),
            np.array([row[3] for row in rows], np.bool_),
        ),
        len(followed),
        max_legs,
    )
    assert carried.by_legs.tolist() == [money.carried(leg.seq, max_legs) for leg in legs]
    held = [sum(money.held_of(account).get(leg.seq, 0) for account in followed) for leg in legs]
    assert carried.held.tolist() == held
