"""What an account pays out against what came in, against plainer words of the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.instant import DAY
from schemas.transaction import Purpose
from services.detector.beijing import day_of
from services.detector.books.settling import (
    LAGS,
    Fee,
    Part,
    Rates,
    answered,
    fee_by_payment,
    fee_by_product,
    fees_by_day,
    rate_of,
    with_others,
)
from services.detector.graph import Edges
from services.detector.legs import Leg
from services.detector.purposes import bits_of
from tests.detector.transfers import edges_of

START_US = 1_600_000_000_000_000
TENTHS = 100_000

payments = st.lists(
    st.tuples(
        st.integers(0, 12 * DAY),
        st.integers(1, 300),
        st.integers(0, 5),
        st.sampled_from([Purpose.unknown, Purpose.refund, Purpose.salary]),
        st.integers(0, 1),
    ),
    max_size=40,
)


def legs(rows: list[tuple[int, int, int, Purpose, int]], first: int = 0) -> list[Leg]:
    return sorted(
        Leg(START_US + at_us, first + seq, 9, dst, amount, purpose, 0, currency)
        for seq, (at_us, amount, dst, purpose, currency) in enumerate(rows)
    )


def by_days(some: list[Leg]) -> Counter[int]:
    sums: Counter[int] = Counter()
    for leg in some:
        sums[day_of(leg.ts_us)] += leg.amount_minor
    return sums


def plain_fee(pairs: list[tuple[int, int]], rates: Rates) -> Fee:
    fitting = sorted(
        ((came - left) * TENTHS // came, left)
        for came, left in pairs
        if came > 0 and rates.least <= (came - left) * TENTHS // came <= rates.most
    )
    median = fitting[len(fitting) // 2][0] if fitting else 0
    near = [left for rate, left in fitting if abs(rate - median) <= rates.spread]
    return Fee(median, len(near), sum(near), sum(left for _, left in pairs))


some_rates = st.sampled_from([Rates(10, 5_000, 20), Rates(0, 50_000, 1_000), Rates(0, 100_000, 20_000)])


@given(payments, payments, some_rates)
def test_each_day_settles_what_was_collected_since_the_last(
    came: list[tuple[int, int, int, Purpose, int]],
    out: list[tuple[int, int, int, Purpose, int]],
    rates: Rates,
) -> None:
    ins, outs = legs(came), legs(out, 1_000)
    left = [leg for leg in outs if leg.purpose is not Purpose.refund]
    collected, settled = by_days(ins), by_days(left)
    collected.subtract(by_days([leg for leg in outs if leg.purpose is Purpose.refund]))
    days = sorted(settled)
    before = [days[0] - 1, *days] if days else []
    expected = []
    for lag in LAGS:
        pairs = [
            (sum(minor for on, minor in collected.items() if since < on + lag <= day), settled[day])
            for since, day in zip(before, days, strict=False)
        ]
        expected += [plain_fee(pairs, rates), plain_fee(pairs[1:], rates)]

    def part(edges: Edges, *purposes: Purpose) -> Part:
        return Part(edges, np.isin(edges.purpose, purposes), 0, 0)

    every = edges_of(outs)
    parts = part(every, Purpose.unknown, Purpose.salary), part(every, Purpose.refund)
    assert fees_by_day(part(edges_of(ins), *Purpose), *parts, rates) == (expected if ins or outs else [])


@given(
    st.lists(st.tuples(st.integers(0, 2**59), st.integers(1, 2**59)), min_size=1, max_size=5),
    st.integers(0, 100_000),
)
def test_rates_are_told_to_the_tenth_of_a_basis_point(pairs: list[tuple[int, int]], kept: int) -> None:
    for came, paid in pairs:
        left = max(1, came - came * kept // 100_000) if came > paid else paid
        rate = (came - left) * TENTHS // came if came >= left else -1
        assert rate_of(came, left) == rate


def fitting(came: list[Leg], leg: Leg, rates: Rates) -> set[int]:
    """At which rates, in steps of the spread, it may answer to one payment in."""
    found = set()
    for one in came:
        if leg.ts_us - 4 * DAY <= one.ts_us <= leg.ts_us and one.amount_minor >= leg.amount_minor:
            rate = (one.amount_minor - leg.amount_minor) * TENTHS // one.amount_minor
            if rates.least <= rate <= rates.most:
                found.add(rate // rates.spread)
    return found


def plain_answered(came: list[Leg], left: list[Leg], rates: Rates) -> list[int]:
    each = [fitting(came, leg, rates) for leg in left]
    common = Counter(step for steps in each for step in sorted(steps))
    if not common:
        return [0] * len(left)
    commonest = min(common, key=lambda one: (-common[one], one))
    if any(2 * count > common[commonest] for step, count in common.items() if abs(step - commonest) > 1):
        return [0] * len(left)
    rate = commonest * rates.spread + rates.spread // 2
    near = {commonest - 1, commonest, commonest + 1}
    return [
        leg.amount_minor * TENTHS // (TENTHS - rate) if steps & near else 0
        for leg, steps in zip(left, each, strict=True)
    ]


@given(
    payments,
    payments,
    st.sampled_from([Rates(10, 5_000, 20), Rates(0, 50_000, 1_000), Rates(10, 5_000, 100)]),
)
def test_payments_answer_to_one_another_at_the_commonest_rate(
    came: list[tuple[int, int, int, Purpose, int]],
    left: list[tuple[int, int, int, Purpose, int]],
    rates: Rates,
) -> None:
    ins, outs = legs(came), legs(left, 1_000)
    answers = answered(edges_of(ins), edges_of(outs), rates).tolist()
    assert answers == plain_answered(ins, outs, rates)
    pairs = [(came_minor, leg.amount_minor) for came_minor, leg in zip(answers, outs, strict=True)]
    assert fee_by_payment(edges_of(ins), edges_of(outs), rates) == plain_fee(pairs, rates)


def test_a_fee_of_two_per_cent_on_each_payment() -> None:
    ins = [Leg(START_US + at, at, 1, 9, 10_000 + 977 * at, Purpose.unknown, 0, 0) for at in range(8)]
    outs = [
        Leg(leg.ts_us + 100, leg.seq + 100, 9, 2, leg.amount_minor * 98 // 100, Purpose.unknown, 0, 0)
        for leg in ins
    ]
    answers = answered(edges_of(ins), edges_of(outs), Rates(10, 5_000, 20)).tolist()
    pairs = zip(answers, (leg.amount_minor for leg in outs), strict=True)
    assert all(0 <= (came - left) * TENTHS // came - 1_990 <= 30 for came, left in pairs)


def test_a_fee_of_two_per_cent_on_each_order() -> None:
    """An order that was not paid for has no fee, and what names none is no order."""
    ins = [Leg(START_US + at, at, 1, 9, 5_000, Purpose.unknown, 1 + at // 2, 0) for at in range(8)]
    outs = [Leg(START_US + at, at, 9, 2, 9_800, Purpose.unknown, at, 0) for at in range(6)]
    fee = fee_by_product(edges_of(ins), edges_of(outs), Rates(10, 5_000, 20))
    assert fee == Fee(2_000, 4, 4 * 9_800, 5 * 9_800)
    nameless = edges_of(leg._replace(product=0) for leg in outs)
    assert fee_by_product(edges_of(ins), nameless, Rates(10, 5_000, 20)).pairs == 0


@given(payments, st.lists(st.integers(0, 5), max_size=3), st.booleans())
def test_what_others_got_in_one_currency(
    rows: list[tuple[int, int, int, Purpose, int]], own: list[int], outward: bool
) -> None:
    some = legs(rows)
    if not outward:
        some = [leg._replace(src=leg.dst, dst=leg.src) for leg in some]
    part = with_others(edges_of(some), outward, 1, bits_of({Purpose.unknown, Purpose.refund}), own)
    chosen = [
        leg
        for leg in some
        if (leg.dst if outward else leg.src) not in own
        and leg.currency == 1
        and leg.purpose in (Purpose.unknown, Purpose.refund)
    ]
    assert part.edges.seq.tolist() == [leg.seq for leg in chosen]
    assert part.others == len({leg.dst if outward else leg.src for leg in chosen})
    assert part.minor == sum(leg.amount_minor for leg in chosen)
