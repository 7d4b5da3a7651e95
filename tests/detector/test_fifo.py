"""First in, first out: conserved to the cent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.transaction import Purpose
from services.detector.legs import Leg
from tests.detector.fifo import UNKNOWN, Lot, fifo

ACCOUNTS = range(1, 6)


def leg(seq: int, src: int, dst: int, amount: int, ts_us: int | None = None) -> Leg:
    return Leg(seq if ts_us is None else ts_us, seq, src, dst, amount, Purpose.unknown, 0, 0)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Leg]:
    count = draw(st.integers(0, 40))
    accounts, amounts = st.integers(0, 5), st.integers(1, 1_000)
    return [leg(seq, draw(accounts), draw(accounts), draw(amounts)) for seq in range(count)]


@given(ledgers(), st.sets(st.integers(0, 40)), st.sets(st.sampled_from(ACCOUNTS)))
def test_what_came_in_is_what_was_drawn_plus_what_is_held(
    legs: list[Leg], origins: set[int], followed: set[int]
) -> None:
    result = fifo(legs, origins, followed)
    for account in followed:
        came = sum(each.amount_minor for each in legs if each.dst == account)
        went = sum(each.amount_minor for each in legs if each.src == account)
        held = sum(lot.amount_minor for lot in result.held.get(account, ()))
        assert came + result.uncovered.get(account, 0) == went + held


@given(ledgers(), st.sets(st.integers(0, 40)), st.sets(st.sampled_from(ACCOUNTS)))
def test_every_origin_is_held_or_has_left_or_was_spent_as_an_origin(
    legs: list[Leg], origins: set[int], followed: set[int]
) -> None:
    """An origin's transfer carries itself, whatever its payer's lots: those end there."""
    result = fifo(legs, origins, followed)
    arrived: dict[int, int] = {}
    for each in legs:
        for lot in result.moved.get(each.seq, ()):
            assert lot.amount_minor > 0
            assert lot.origin != UNKNOWN
            if each.dst not in followed:
                arrived[lot.origin] = arrived.get(lot.origin, 0) + lot.amount_minor
    held: dict[int, int] = {}
    for account in followed:
        for origin, amount in result.held_of(account).items():
            held[origin] = held.get(origin, 0) + amount
    for each in legs:
        if each.seq in origins:
            accounted = arrived.get(each.seq, 0) + held.get(each.seq, 0)
            assert accounted <= each.amount_minor
            if not any(other.seq in origins for other in legs if other.src in followed):
                assert accounted == each.amount_minor


@given(ledgers(), st.sets(st.integers(0, 40)), st.sets(st.sampled_from(ACCOUNTS)))
def test_no_transfer_carries_more_than_its_amount(
    legs: list[Leg], origins: set[int], followed: set[int]
) -> None:
    result = fifo(legs, origins, followed)
    for each in legs:
        assert 0 <= result.carried(each.seq) <= each.amount_minor


def test_the_first_money_in_is_the_first_out() -> None:
    legs = [leg(0, 9, 1, 100), leg(1, 8, 1, 50), leg(2, 1, 2, 120), leg(3, 1, 3, 30)]
    result = fifo(legs, {0, 1}, {1})
    assert result.moved[2] == [Lot(0, 2, 100), Lot(1, 2, 20)]
    assert result.moved[3] == [Lot(1, 2, 30)]
    assert not result.held_of(1)


def test_legs_are_counted_along_the_way() -> None:
    legs = [leg(0, 9, 1, 100), leg(1, 1, 2, 100), leg(2, 2, 3, 100)]
    result = fifo(legs, {0}, {1, 2})
    assert [result.carried(2, most) for most in (2, 3)] == [0, 100]


def test_a_payment_from_an_empty_account_is_paid_from_what_was_there_before() -> None:
    result = fifo([leg(0, 1, 2, 70), leg(1, 9, 1, 100)], {1}, {1})
    assert result.uncovered == {1: 70}
    assert result.held_of(1) == {1: 100}
