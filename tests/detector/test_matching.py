"""Payments out that answer to one payment in."""

from __future__ import annotations

from bisect import bisect_left, insort

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.transaction import Purpose
from services.detector.flows.matching import NO_PRODUCT, unmatched_minor
from services.detector.legs import Leg
from tests.detector.transfers import edges_of


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
        pytest.param(legs(2**62), legs(2**62 - 2**55, first=9), 0, id="amounts as large as may be"),
    ],
)
def test_unmatched(came: list[Leg], went: list[Leg], unmatched: int) -> None:
    paid, left = np.ones(len(came), np.bool_), np.ones(len(went), np.bool_)
    assert unmatched_minor(edges_of(came), paid, edges_of(went), left, 100) == unmatched


def plain(came: list[Leg], went: list[Leg], tolerance_bp: int) -> int:
    """With Python's own lists and dicts."""
    by_product: dict[int, int] = {}
    amounts: list[int] = []
    unmatched, waiting = 0, sorted(came)
    for leg in sorted(went):
        while waiting and waiting[0][:2] < leg[:2]:
            paid = waiting.pop(0)
            if paid.product != NO_PRODUCT:
                by_product[paid.product] = by_product.get(paid.product, 0) + paid.amount_minor
            else:
                insort(amounts, paid.amount_minor)
        if leg.product != NO_PRODUCT:
            matched = min(leg.amount_minor, by_product.get(leg.product, 0))
            by_product[leg.product] = by_product.get(leg.product, 0) - matched
            unmatched += leg.amount_minor - matched
            continue
        place = bisect_left(amounts, leg.amount_minor)
        closest = amounts[place] if place < len(amounts) else None
        if closest is not None and (closest - leg.amount_minor) * 10_000 <= closest * tolerance_bp:
            del amounts[place]
        else:
            unmatched += leg.amount_minor
    return unmatched


payments = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 60), st.integers(0, 3), st.booleans(), st.booleans()),
    max_size=40,
)


@given(payments, st.sampled_from([0, 100, 3_000, 10_000]))
def test_as_with_plain_lists(rows: list[tuple[int, int, int, bool, bool]], tolerance_bp: int) -> None:
    every = [
        Leg(ts_us, seq, 1, 2, amount, Purpose.unknown, product, 0)
        for seq, (ts_us, amount, product, _, _) in enumerate(rows)
    ]
    came = sorted(leg for leg, row in zip(every, rows, strict=True) if row[3])
    counts = [rows[leg.seq][4] for leg in came]
    went = sorted(leg for leg, row in zip(every, rows, strict=True) if not row[3])
    chosen = [rows[leg.seq][4] for leg in went]
    found = unmatched_minor(
        edges_of(came), np.array(counts, np.bool_), edges_of(went), np.array(chosen, np.bool_), tolerance_bp
    )
    came = [leg for leg, is_one in zip(came, counts, strict=True) if is_one]
    assert found == plain(
        came, [leg for leg, is_one in zip(went, chosen, strict=True) if is_one], tolerance_bp
    )
