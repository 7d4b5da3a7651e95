"""Attribution: the compiled queues against the plain rule, the mixtures against their definitions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution import Carried, Method, Payments, carry
from attribution.mixed import portion
from schemas.law import Law, Threshold, load_law
from schemas.transaction import Purpose
from services.detector.engine import Engine
from services.detector.legs import Leg
from services.detector.typologies.self_lending import SelfLending
from tests.detector.conftest import batch
from tests.detector.fifo import fifo

accounts = st.integers(0, 4)
payments = st.lists(st.tuples(accounts, accounts, st.integers(1, 50), st.booleans()), max_size=40)


def made(rows: list[tuple[int, int, int, bool]]) -> Payments:
    """Of (payer, payee, amount, is origin); -1 is an account that is not followed."""
    payer, payee, amount, new = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Payments(
        np.array(payer, np.int32),
        np.array(payee, np.int32),
        np.array(amount, np.int64),
        np.array(new, np.bool_),
    )


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
        made([(places.get(src, -1), places.get(dst, -1), amount, new) for src, dst, amount, new in rows]),
        len(followed),
        max_legs,
    )
    assert carried.by_legs.tolist() == [money.carried(leg.seq, max_legs) for leg in legs]
    held = [sum(money.held_of(account).get(leg.seq, 0) for account in followed) for leg in legs]
    assert carried.held.tolist() == held


TRUST, OWN = (-1, 0, 100, True), (-1, 0, 300, False)


@pytest.mark.parametrize(
    ("method", "left", "held"), [("fifo", 100, 0), ("pro_rata", 50, 50), ("lowest_balance", 0, 100)]
)
def test_a_payment_out_of_money_that_lies_together(method: str, left: int, held: int) -> None:
    carried = carry(made([TRUST, OWN, (0, -1, 200, False)]), 1, 5, Method(method))
    assert (carried.by_legs[2], carried.held[0]) == (left, held)


def test_what_is_paid_in_later_does_not_bring_it_back() -> None:
    rows = [TRUST, (0, -1, 60, False), OWN, (0, -1, 320, False)]
    carried = carry(made(rows), 1, 5, Method.lowest_balance)
    assert carried.by_legs.tolist() == [100, 60, 0, 20]
    assert carried.held[0] == 20


flows = st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=30)


def mixed(trust: int, moves: list[tuple[bool, int]], method: Method) -> Carried:
    rows = [(-1, 0, trust, True), *((-1, 0, n, False) if into else (0, -1, n, False) for into, n in moves)]
    return carry(made(rows), 1, 40, method)


@given(st.integers(1, 100), flows)
def test_no_more_remains_than_the_lowest_balance_since(trust: int, moves: list[tuple[bool, int]]) -> None:
    balance = lowest = trust
    for into, amount in moves:
        balance = balance + amount if into else max(0, balance - amount)
        lowest = min(lowest, balance)
    assert mixed(trust, moves, Method.lowest_balance).held[0] == lowest


@given(st.integers(1, 100), flows)
def test_pro_rata_is_the_share_of_the_balance(trust: int, moves: list[tuple[bool, int]]) -> None:
    balance, share = trust, Fraction(trust)
    for into, amount in moves:
        paid = 0 if into else min(amount, balance)
        share -= share * paid / balance if paid else 0
        balance += amount if into else -paid
    held = mixed(trust, moves, Method.pro_rata).held[0]
    assert abs(held - share) <= len(moves)


@given(payments, st.sampled_from(Method), st.integers(1, 3))
def test_money_is_conserved(rows: list[tuple[int, int, int, bool]], method: Method, followed: int) -> None:
    """What went in is what lies there or has left; no payment carries more than its amount."""
    inside = [
        (src if src < followed and not new else -1, dst if dst < followed else -1, amount, new)
        for src, dst, amount, new in rows
    ]
    asked = made(inside)
    carried = carry(asked, followed, len(rows) + 1, method)
    came = int(asked.amount_minor[asked.is_origin].sum())
    assert came == int(carried.held.sum()) + int(carried.by_legs[asked.payee < 0].sum())
    assert (carried.by_legs <= asked.amount_minor).all()
    assert (carried.held >= 0).all()


amounts = st.integers(1, 2**62 - 1)


@given(amounts, amounts, amounts)
def test_portion(first: int, second: int, third: int) -> None:
    part, amount, whole = sorted((first, second, third))
    if amount < whole:
        assert portion(part, amount, whole) == part * amount // whole


@pytest.mark.parametrize(
    ("method", "fires"), [("fifo", True), ("pro_rata", False), ("lowest_balance", False)]
)
def test_the_law_as_data_chooses_the_method(method: str, fires: bool, world: Any) -> None:
    """A borrower of 100,000 earns 50,000 more, then pays the platform 40,000: φ is 30,000."""
    chosen = Threshold(rule="self_lending", name="attribution", value=method, source="test")
    law = load_law()
    given = world(
        institutions=[["p2p-1", "p2p", "firm"]],
        products=[["x", "p2p-1", "maker"]],
        accounts=[
            ["custody", "firm", "custody", "p2p-1"],
            ["own", "firm", "own", "p2p-1"],
            ["b", "maker", "external"],
        ],
        flows=[
            [1, "custody", "b", 100000, "disburse", {"product": "x"}],
            [2, "shop", "b", 50000, "purchase"],
            [3, "b", "own", 40000, "transfer"],
        ],
    )
    engine = Engine(
        Law(tuple(law.documents.values()), [*law.thresholds, chosen]),
        max_transfers=1_000,
        max_accounts=1_000,
        typologies=(SelfLending,),
    )
    engine.apply_registry(given.records())
    assert bool(engine.apply_transfers(batch(given.rows(), "all")).alerts) is fires
