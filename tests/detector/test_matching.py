"""Payments out that answer to one payment in."""

from __future__ import annotations

import pytest

from schemas.transaction import Purpose
from services.detector.flows.matching import unmatched_minor
from services.detector.legs import Leg


def legs(*amounts: int, first: int = 0, product: int = 0) -> list[Leg]:
    return [
        Leg(first + place, first + place, 1, 2, amount, Purpose.unknown, product, 0)
        for place, amount in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("came", "went", "unmatched"),
    [
        pytest.param(legs(100, 200), legs(200, 100, first=9), 0, id="equal amounts"),
        pytest.param(legs(1000), legs(990, first=9), 0, id="less one per cent"),
        pytest.param(legs(10_000), legs(9_899, first=9), 9_899, id="less a little more"),
        pytest.param(legs(1000), legs(1001, first=9), 1001, id="more than came"),
        pytest.param(legs(100), legs(100, 100, first=9), 100, id="each pairs once"),
        pytest.param(legs(100, first=9), legs(100), 100, id="not with a later one"),
        pytest.param(legs(100, 101), legs(101, 100, first=9), 0, id="the closest first"),
        pytest.param(legs(100, 100, product=7), legs(150, first=9, product=7), 0, id="by listing, as a sum"),
        pytest.param(legs(100, product=7), legs(150, first=9, product=7), 50, id="beyond the listing's sum"),
        pytest.param(legs(100, product=7), legs(100, first=9, product=8), 100, id="another listing"),
        pytest.param(legs(100, product=7), legs(100, first=9), 100, id="a listing's money without its name"),
    ],
)
def test_unmatched(came: list[Leg], went: list[Leg], unmatched: int) -> None:
    assert unmatched_minor(came, went, 100) == unmatched
