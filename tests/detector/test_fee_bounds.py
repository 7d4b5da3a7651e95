"""Where a fee is steady, what was paid out may answer to what came in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instant import DAY
from schemas.transaction import Purpose
from services.detector.books.fee_bounds import Asked, may_answer
from services.detector.books.settling import Fee, Rates, fee_by_payment, fees_by_day, with_others
from services.detector.graph import Edges
from services.detector.legs import Leg, some_of
from services.detector.purposes import bits_of
from tests.detector.transfers import edges_of

START_US = 1_600_000_000_000_000
ME, OTHER_OF_MINE = 9, 1
COLLECTED = bits_of({Purpose.unknown, Purpose.purchase})
SETTLED = bits_of({Purpose.unknown, Purpose.transfer})
GIVEN_BACK = bits_of({Purpose.refund})
OWN = np.array([OTHER_OF_MINE, ME], np.int32)

purposes = st.sampled_from([*[Purpose.unknown] * 8, Purpose.refund, Purpose.salary])
takings = st.lists(
    st.tuples(
        st.integers(0, 8 * DAY),
        st.sampled_from([100, 1_000, 1_037, 5_000]),
        st.integers(0, 6),
        purposes,
        st.sampled_from([0, 0, 0, 0, 0, 1]),
    ),
    max_size=25,
)
kept = st.sampled_from([0, 3, 30, 31, 40, 700])
"""Of 1,000, as a fee; more is none."""


def taken(rows: list[tuple[int, int, int, Purpose, int]]) -> list[Leg]:
    return sorted(
        Leg(START_US + at_us, seq, payer, ME, minor, purpose, 0, currency)
        for seq, (at_us, minor, payer, purpose, currency) in enumerate(rows)
    )


def passed_on(came: list[Leg], lags: list[int], fees: list[int]) -> list[Leg]:
    """Each payment less a fee, some days later."""
    paid = zip(came, lags, fees, strict=False)
    return sorted(
        Leg(
            one.ts_us + lag * DAY,
            1_000 + seq,
            ME,
            one.src,
            one.amount_minor * (1_000 - fee) // 1_000,
            one.purpose,
            0,
            one.currency,
        )
        for seq, (one, lag, fee) in enumerate(paid)
    )


def is_steady(fee: Fee, min_pairs: int, share_bp: int) -> bool:
    return fee.left_minor * 10_000 >= fee.of_minor * share_bp and fee.pairs >= max(1, min_pairs)


def any_steady(into: Edges, out: Edges, asked: Asked) -> bool:
    own = OWN.tolist()
    came = with_others(into, False, asked.currency, asked.collected, own)
    left = with_others(out, True, asked.currency, asked.settled, own)
    back = with_others(out, True, asked.currency, asked.given_back, own)
    if any(
        is_steady(fee, asked.min_days, asked.share_bp) for fee in fees_by_day(came, left, back, asked.rates)
    ):
        return True
    paid = left.edges
    newest = some_of(paid, np.arange(len(paid)) >= len(paid) - asked.max_single)
    fee = fee_by_payment(came.edges, newest, asked.rates)
    return is_steady(fee, asked.min_payments, asked.share_bp)


@settings(max_examples=500)
@given(
    takings,
    st.one_of(st.integers(0, 4).map(lambda lag: [lag] * 25), st.lists(st.integers(0, 4), min_size=25)),
    st.one_of(kept.map(lambda fee: [fee] * 25), st.lists(kept, min_size=25)),
    st.sampled_from([Rates(10, 5_000, 20), Rates(0, 5_000, 1), Rates(0, 100_000, 100)]),
    st.sampled_from([0, 5_000, 8_000, 10_000]),
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(1, 30)),
)
def test_what_is_ruled_out_has_no_steady_fee(
    rows: list[tuple[int, int, int, Purpose, int]],
    lags: list[int],
    fees: list[int],
    rates: Rates,
    share_bp: int,
    bounds: tuple[int, int, int],
) -> None:
    came = taken(rows)
    into, out = edges_of(came), edges_of(passed_on(came, lags, fees))
    asked = Asked(0, COLLECTED, SETTLED, GIVEN_BACK, rates, share_bp, *bounds)
    assert may_answer(into, out, OWN, asked) or not any_steady(into, out, asked)


def settled_daily(fee: int) -> tuple[Edges, Edges]:
    """Six payments a day, and in the evening one payment out of what they came to, less the fee."""
    came = [
        Leg(START_US + day * DAY + at, 10 * day + at, 10 + at, ME, 1_000 + 7 * at, Purpose.unknown, 0, 0)
        for day in range(6)
        for at in range(6)
    ]
    left = [
        Leg(
            START_US + day * DAY + 3_600,
            10 * day + 9,
            ME,
            20,
            6_105 * (1_000 - fee) // 1_000,
            Purpose.unknown,
            0,
            0,
        )
        for day in range(6)
    ]
    return edges_of(came), edges_of(left)


@pytest.mark.parametrize(("fee", "may"), [(0, False), (6, True), (49, True), (51, False)])
def test_a_fee_within_bounds_is_wanted(fee: int, may: bool) -> None:
    asked = Asked(0, COLLECTED, SETTLED, GIVEN_BACK, Rates(10, 5_000, 1), 8_000, 3, 20, 100)
    assert may_answer(*settled_daily(fee), OWN, asked) == may


@pytest.mark.parametrize(("fee", "may"), [(0, False), (6, True), (49, True), (51, False)])
def test_each_payment_by_itself(fee: int, may: bool) -> None:
    """Settled on too few days to tell by these."""
    came = [Leg(START_US + at, at, at, ME, 1_000 * 2**at, Purpose.unknown, 0, 0) for at in range(10, 31)]
    asked = Asked(0, COLLECTED, SETTLED, GIVEN_BACK, Rates(10, 5_000, 1), 8_000, 3, 20, 100)
    left = passed_on(came, [0] * 21, [fee] * 21)
    assert may_answer(edges_of(came), edges_of(left), OWN, asked) == may
    assert not may_answer(edges_of(came), edges_of(left[2:]), OWN, asked)


def test_orders_are_not_told_here() -> None:
    came, left = settled_daily(0)
    left.records["product"][:] = 3
    asked = Asked(0, COLLECTED, SETTLED, GIVEN_BACK, Rates(10, 5_000, 1), 8_000, 3, 20, 100)
    assert may_answer(came, left, OWN, asked)
