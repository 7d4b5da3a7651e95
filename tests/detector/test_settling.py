"""What an account pays out against what came in, against plainer words of the same."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from schemas.instant import DAY
from schemas.transaction import Purpose
from services.detector.beijing import day_of
from services.detector.books.settling import (
    LAGS,
    Pair,
    Rates,
    by_day,
    by_payment,
    days_of,
    with_others,
)
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


@given(payments, payments, payments, st.sampled_from(LAGS))
def test_each_day_settles_what_was_collected_since_the_last(
    came: list[tuple[int, int, int, Purpose, int]],
    left: list[tuple[int, int, int, Purpose, int]],
    refunded: list[tuple[int, int, int, Purpose, int]],
    lag: int,
) -> None:
    collected, settled = by_days(legs(came)), by_days(legs(left))
    collected.subtract(by_days(legs(refunded)))
    days = sorted(settled)
    before = [days[0] - 1, *days] if days else []
    pairs = [
        (sum(collected[on] for on in range(since - lag + 1, day - lag + 1)), settled[day])
        for since, day in zip(before, days, strict=False)
    ]
    assert by_day(days_of(*(edges_of(legs(one)) for one in (came, left, refunded))), lag) == pairs


def fitting(came: list[Leg], leg: Leg, rates: Rates) -> set[int]:
    """At which rates, in steps of the spread, it may answer to one payment in."""
    found = set()
    for one in came:
        if leg.ts_us - 4 * DAY <= one.ts_us <= leg.ts_us and one.amount_minor >= leg.amount_minor:
            rate = (one.amount_minor - leg.amount_minor) * TENTHS // one.amount_minor
            if rates.least <= rate <= rates.most:
                found.add(rate // rates.spread)
    return found


def plain_by_payment(came: list[Leg], left: list[Leg], rates: Rates) -> list[Pair]:
    each = [fitting(came, leg, rates) for leg in left]
    common = Counter(step for steps in each for step in sorted(steps))
    if not common:
        return []
    commonest = min(common, key=lambda one: (-common[one], one))
    if any(2 * count > common[commonest] for step, count in common.items() if abs(step - commonest) > 1):
        return []
    rate = commonest * rates.spread + rates.spread // 2
    near = {commonest - 1, commonest, commonest + 1}
    return [
        Pair(leg.amount_minor * TENTHS // (TENTHS - rate) if steps & near else 0, leg.amount_minor)
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
    assert by_payment(edges_of(ins), edges_of(outs), rates) == plain_by_payment(ins, outs, rates)


def test_a_fee_of_two_per_cent_on_each_payment() -> None:
    ins = [Leg(START_US + at, at, 1, 9, 10_000 + 977 * at, Purpose.unknown, 0, 0) for at in range(8)]
    outs = [
        Leg(leg.ts_us + 100, leg.seq + 100, 9, 2, leg.amount_minor * 98 // 100, Purpose.unknown, 0, 0)
        for leg in ins
    ]
    pairs = by_payment(edges_of(ins), edges_of(outs), Rates(10, 5_000, 20))
    assert len(pairs) == 8
    assert all(0 <= (came - left) * TENTHS // came - 1_990 <= 30 for came, left in pairs)


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
