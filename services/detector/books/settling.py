"""Do an account's payments out answer to its payments in, less a fee at a steady rate?

Three ways in which somebody who collects for others settles: day by day, with a lag; by the order or shop
that both payments name as their product; payment by payment. Each way gives pairs of what came in and
what went out for it; the fee's rate is steady where most pairs have nearly the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int64s
from schemas.instant import DAY
from services.detector.beijing import day_of
from services.detector.graph import Edges

_TENTHS: Final = 100_000
"""Rates here are in tenths of a basis point."""
LAGS: Final = (0, 1, 2, 3)
"""Days from collecting to settling; three over a weekend."""
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


def by_day(came: Edges, left: Edges, refunded: Edges, lag: int) -> list[Pair]:
    """Each day of settling with what was collected up to `lag` days before it and not settled before,
    less what was given back."""
    collected = _sums(day_of(came.ts_us), came.amount_minor)
    for day, minor in _sums(day_of(refunded.ts_us), refunded.amount_minor).items():
        collected[day] = collected.get(day, 0) - minor
    settled = _sums(day_of(left.ts_us), left.amount_minor)
    days = sorted(settled)
    found = []
    for before, day in pairwise([days[0] - 1 if days else 0, *days]):
        minor = sum(collected.get(on, 0) for on in range(before - lag + 1, day - lag + 1))
        found.append(Pair(minor, settled[day]))
    return found


def by_product(came: Edges, left: Edges) -> list[Pair]:
    collected, settled = _sums(came.product, came.amount_minor), _sums(left.product, left.amount_minor)
    return [Pair(collected.get(product, 0), minor) for product, minor in settled.items() if product]


def by_payment(came: Edges, left: Edges, rates: Rates) -> list[Pair]:
    """Each payment out with an earlier one in that it answers to at the commonest rate; (0, out) where
    there is none. Empty where no rate is twice as common as the next: then it is chance."""
    order = np.argsort(came.amount_minor, kind="stable")
    amounts, times = came.amount_minor[order], came.ts_us[order]
    fitting = [
        _steps(amounts, times, minor, ts_us, rates)
        for minor, ts_us in zip(left.amount_minor.tolist(), left.ts_us.tolist(), strict=True)
    ]
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
        Pair(minor * _TENTHS // (_TENTHS - rate) if each & either else 0, minor)
        for minor, each in zip(left.amount_minor.tolist(), fitting, strict=True)
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


def _steps(amounts: Int64s, times: Int64s, minor: int, ts_us: int, rates: Rates) -> set[int]:
    """At which rates, in steps of the spread, `minor` paid at `ts_us` may answer to one payment in;
    `amounts` ascend."""
    most = minor * _TENTHS // (_TENTHS - rates.most) + 1
    first, last = np.searchsorted(amounts, (minor, most)).tolist()
    near = slice(first, last)
    in_time = (times[near] <= ts_us) & (times[near] >= ts_us - _WITHIN_US)
    came = amounts[near][in_time]
    fees = (came - minor) * _TENTHS // np.maximum(came, 1)
    steps: list[int] = (fees[(fees >= rates.least) & (fees <= rates.most)] // rates.spread).tolist()
    return set(steps)


def _sums(keys: Array, minor: Int64s) -> dict[int, int]:
    """By key, ascending."""
    found, places = np.unique(keys, return_inverse=True)
    sums = np.zeros(found.size, np.int64)
    np.add.at(sums, places, minor)
    return dict(zip(found.tolist(), sums.tolist(), strict=True))
