"""What passes through less a whole percentage, and how likely that is by accident."""

from __future__ import annotations

import pytest

from schemas.transaction import Purpose
from services.detector.flows.commissions import passes, whole_percent
from services.detector.legs import Leg


def leg(seq: int, src: int, dst: int, minor: int) -> Leg:
    return Leg(seq, seq, src, dst, minor, Purpose.transfer, 0, 0)


IN = [leg(1, 1, 9, 9_872_113), leg(2, 2, 9, 11_059_007)]
OUT = [leg(3, 9, 3, 12_003_333)]


@pytest.mark.parametrize(
    ("received", "paid", "legs", "percent"),
    [
        (10_000, 9_000, 1, 90),
        (10_001, 9_001, 1, 90),
        (10_001, 9_003, 1, None),
        (10_000, 7_900, 1, None),
        (10_000, 8_000, 1, 80),
        (10_000, 10_000, 1, 100),
        (10_000, 10_100, 1, None),
        (333, 300, 2, 90),
    ],
)
def test_whole_percent(received: int, paid: int, legs: int, percent: int | None) -> None:
    assert whole_percent(received, paid, legs) == percent


def test_all_in_and_all_out() -> None:
    found = passes(IN, OUT, leg(4, 9, 4, 7_881_231), thorough=False)
    assert [(one.percent, one.ins, one.outs) for one in found] == [
        (95, tuple(IN), (OUT[0], leg(4, 9, 4, 7_881_231)))
    ]


def test_what_came_between_is_left_out_only_where_any_few_are_tried() -> None:
    between = [*IN[:1], leg(2, 5, 9, 555_555), IN[1]._replace(seq=3, ts_us=3)]
    out, last = [OUT[0]._replace(seq=4, ts_us=4)], leg(5, 9, 4, 7_881_231)
    assert passes(between, out, last, thorough=False) == []
    (found,) = passes(between, out, last, thorough=True)
    assert found.ins == (between[0], between[2])


def test_money_must_have_come_before_it_goes() -> None:
    late = [IN[0], IN[1]._replace(seq=4, ts_us=4)]
    assert passes(late, OUT, leg(5, 9, 4, 7_881_231), thorough=True) == []


def test_round_amounts_happen_by_accident() -> None:
    (odd,) = passes([leg(1, 1, 9, 5_101_337)], [], leg(2, 9, 2, 4_591_203), thorough=False)
    (even,) = passes([leg(1, 1, 9, 5_000_000)], [], leg(2, 9, 2, 4_500_000), thorough=False)
    assert odd.chance_ppm < 100 < 1_000_000 < even.chance_ppm
