"""Do an account's payments out answer to its payments in, less a fee at a steady rate?

Three ways in which somebody who collects for others settles: day by day, with a lag; by the order or shop
that both payments name as their product; payment by payment. Each way gives pairs of what came in and
what went out for it; the fee's rate is steady where most pairs have nearly the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from schemas.instant import DAY
from services.detector.beijing import day_of
from services.detector.legs import Leg

_TENTHS: Final = 100_000
"""Rates here are in tenths of a basis point."""
LAGS: Final = (0, 1, 2)
"""Days from collecting to settling."""
_WITHIN_US: Final = 4 * DAY
"""A payment is settled by itself within T+1, a weekend between."""


class Pair(NamedTuple):
    came_minor: int
    left_minor: int


class Fee(NamedTuple):
    """How many of `pairs` are settled at nearly the same rate, and how much of what was paid out."""

    rate_tenths: int
    pairs: int
    left_minor: int


class Rates(NamedTuple):
    """Bounds of the fee, and how far a pair's may be from the steady one; tenths of a basis point."""

    least: int
    most: int
    spread: int


def by_day(came: Sequence[Leg], left: Sequence[Leg], lag: int) -> list[Pair]:
    """Each day of settling with what was collected up to `lag` days before it and not settled before."""
    collected, settled = _by_day(came), _by_day(left)
    days = sorted(settled)
    found = []
    for before, day in pairwise([days[0] - 1 if days else 0, *days]):
        minor = sum(minor for on, minor in collected.items() if before - lag < on <= day - lag)
        found.append(Pair(minor, settled[day]))
    return found


def by_product(came: Sequence[Leg], left: Sequence[Leg]) -> list[Pair]:
    collected, settled = _by_product(came), _by_product(left)
    return [Pair(collected.get(product, 0), minor) for product, minor in sorted(settled.items()) if product]


def by_payment(came: Sequence[Leg], left: Sequence[Leg], rates: Rates) -> list[Pair]:
    """Each payment out with an earlier one in that it answers to at the commonest rate; (0, out) where
    there is none. Empty where no rate is twice as common as the next: then it is chance."""
    amounts = np.array([leg.amount_minor for leg in came], np.int64)
    times = np.array([leg.ts_us for leg in came], np.int64)
    fitting = [set((_rates(amounts, times, leg, rates) // rates.spread).tolist()) for leg in left]
    common = Counter(step for each in fitting for step in sorted(each))
    if not common:
        return []
    commonest = min(common, key=lambda one: (-common[one], one))
    others = (count for step, count in common.items() if abs(step - commonest) > 1)
    if 2 * max(others, default=0) > common[commonest]:
        return []
    rate = commonest * rates.spread + rates.spread // 2
    either = {commonest - 1, commonest, commonest + 1}
    return [
        Pair(leg.amount_minor * _TENTHS // (_TENTHS - rate) if each & either else 0, leg.amount_minor)
        for leg, each in zip(left, fitting, strict=True)
    ]


def steady_fee(pairs: Iterable[Pair], rates: Rates) -> Fee | None:
    """The fee at the median rate of the pairs that have one within bounds. None: no pair has."""
    with_fee = []
    for pair in pairs:
        if pair.came_minor > 0:
            rate = (pair.came_minor - pair.left_minor) * _TENTHS // pair.came_minor
            if rates.least <= rate <= rates.most:
                with_fee.append((rate, pair.left_minor))
    if not with_fee:
        return None
    with_fee.sort()
    median = with_fee[len(with_fee) // 2][0]
    near = [minor for rate, minor in with_fee if abs(rate - median) <= rates.spread]
    return Fee(median, len(near), sum(near))


def _rates(amounts: np.ndarray, times: np.ndarray, leg: Leg, rates: Rates) -> np.ndarray:
    """At which rates `leg` may answer to one of the payments in."""
    earlier = (times <= leg.ts_us) & (times >= leg.ts_us - _WITHIN_US)
    came = amounts[earlier & (amounts >= leg.amount_minor)]
    fee = (came - leg.amount_minor) * _TENTHS // np.maximum(came, 1)
    within: np.ndarray = fee[(fee >= rates.least) & (fee <= rates.most)]
    return within


def _by_day(legs: Iterable[Leg]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for leg in legs:
        day = day_of(leg.ts_us)
        sums[day] = sums.get(day, 0) + leg.amount_minor
    return sums


def _by_product(legs: Iterable[Leg]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for leg in legs:
        sums[leg.product] = sums.get(leg.product, 0) + leg.amount_minor
    return sums
