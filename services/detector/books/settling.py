"""Do an account's payments out answer to its payments in, less a fee at a steady rate?

Three ways in which somebody who collects for others settles: day by day, with a lag; by the order or shop
that both payments name as their product; payment by payment. Each way gives pairs of what came in and
what went out for it; the fee's rate is steady where most pairs have nearly the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, Int64s, kernel
from schemas.instant import DAY
from services.detector.beijing import DAY_SHIFT_US, day_of
from services.detector.distinct import number_of, numbered, numbers_for
from services.detector.graph import Edges
from services.detector.legs import some_of

_TENTHS: Final = 100_000
"""Rates here are in tenths of a basis point."""
LAGS: Final = (0, 1, 2, 3)
"""Days from collecting to settling; three over a weekend."""
_WITHIN_US: Final = 4 * DAY
"""A payment is settled by itself within T+1, a weekend between."""
_NONE: Final = -1


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


class Days(NamedTuple):
    """By Beijing day. `collected`: from day `first` on, up to the end of each, less what was given back;
    `settled`: on those when any was, ascending."""

    first: int
    collected: list[int]
    settled: dict[int, int]

    def collected_until(self, day: int) -> int:
        """Up to its end."""
        place = min(day - self.first, len(self.collected) - 1)
        return self.collected[place] if place >= 0 else 0


class Part(NamedTuple):
    """Some of the payments in, or out: with how many others, and how much in all."""

    of: Edges
    chosen: Bools
    others: int
    minor: int

    @property
    def edges(self) -> Edges:
        return some_of(self.of, self.chosen)


def with_others(edges: Edges, outward: bool, currency: int, purposes: int, own: Sequence[int]) -> Part:
    """Those out of `own` accounts, or into them, in the currency and for one of `purposes` (as bits), but to
    or from others."""
    chosen = np.zeros(len(edges), np.bool_)
    numbers = numbers_for(len(edges) + len(own))
    wanted = _Wanted(outward, currency, purposes)
    others, minor = choose(edges.records, wanted, np.array(own, np.int32), numbers, chosen)
    return Part(edges, chosen, others, minor)


class _Wanted(NamedTuple):
    outward: bool
    currency: int
    purposes: int


@kernel
def choose(edges: Array, wanted: _Wanted, own: Int32s, numbers: Array, chosen: Bools) -> tuple[int, int]:
    """How many others, and how much."""
    for place in range(own.size):
        number_of(numbers, own[place])
    owned = numbered(numbers)
    minor = 0
    for place in range(edges.size):
        edge = edges[place]
        if edge.currency != wanted.currency or wanted.purposes >> edge.purpose & 1 == 0:
            continue
        if number_of(numbers, edge.dst if wanted.outward else edge.src) >= owned:
            chosen[place] = True
            minor += edge.amount_minor
    return numbered(numbers) - owned, minor


def days_of(came: Edges, left: Edges, refunded: Edges) -> Days:
    collected, given_back = _by_day(came), _by_day(refunded)
    known = collected.keys() | given_back.keys()
    if not known:
        return Days(0, [], _by_day(left))
    days = range(min(known), max(known) + 1)
    minor = (collected.get(day, 0) - given_back.get(day, 0) for day in days)
    return Days(days.start, list(accumulate(minor)), _by_day(left))


def by_day(days: Days, lag: int) -> list[Pair]:
    """Each day of settling with what was collected up to `lag` days before it and not settled before,
    less what was given back."""
    until = [days.collected_until(day - lag) for day in days.settled]
    before = [days.collected_until(next(iter(days.settled), 0) - 1 - lag), *until]
    came = (one - other for one, other in zip(until, before, strict=False))
    return [Pair(minor, left) for minor, left in zip(came, days.settled.values(), strict=True)]


def by_product(came: Edges, left: Edges) -> list[Pair]:
    if not left.product.any():
        return []
    collected, settled = _by_product(came), _by_product(left)
    return [Pair(collected.get(product, 0), minor) for product, minor in settled.items() if product]


def by_payment(came: Edges, left: Edges, rates: Rates) -> list[Pair]:
    """Each payment out with an earlier one in that it answers to at the commonest rate; (0, out) where
    there is none. Empty where no rate is twice as common as the next: then it is chance."""
    rates = rates._replace(spread=max(1, rates.spread))
    order = np.argsort(came.amount_minor, kind="stable")
    amounts, times = came.amount_minor[order], came.ts_us[order]
    steps = np.zeros(rates.most // rates.spread + 1, np.int32)
    fits = np.zeros(len(left), np.bool_)
    commonest = find_commonest(amounts, times, left.records, rates, steps, np.zeros_like(steps), fits)
    if commonest == _NONE:
        return []
    rate = commonest * rates.spread + rates.spread // 2
    return [
        Pair(minor * _TENTHS // (_TENTHS - rate) if is_fit else 0, minor)
        for minor, is_fit in zip(left.amount_minor.tolist(), fits.tolist(), strict=True)
    ]


def steady_fee(pairs: Iterable[Pair], rates: Rates) -> Fee | None:
    """The fee at the median rate of the pairs that have one within bounds. None: no pair has."""
    with_fee = []
    for came_minor, left_minor in pairs:
        if came_minor > 0:
            rate = (came_minor - left_minor) * _TENTHS // came_minor
            if rates.least <= rate <= rates.most:
                with_fee.append((rate, left_minor))
    if not with_fee:
        return None
    with_fee.sort()
    median = with_fee[len(with_fee) // 2][0]
    near = [minor for rate, minor in with_fee if abs(rate - median) <= rates.spread]
    return Fee(median, len(near), sum(near))


@kernel
def find_commonest(
    amounts: Int64s, times: Int64s, left: Array, rates: Rates, steps: Int32s, seen: Int32s, fits: Bools
) -> int:
    """The rate, in steps of the spread, at which most of `left` may answer to one payment in each, whose
    `amounts` ascend; the lowest of several; _NONE: there is none, or another is half as common. `steps`: by
    rate, how many may; `fits`: which may at the commonest or the next to it."""
    for place in range(left.size):
        first, last = span_of(amounts, left[place].amount_minor, rates.most)
        for each in range(first, last):
            step = step_of(amounts[each], times[each], left[place].amount_minor, left[place].ts_us, rates)
            if step != _NONE and seen[step] != place + 1:
                seen[step] = place + 1
                steps[step] += 1
    commonest = 0
    for step in range(steps.size):
        if steps[step] > steps[commonest]:
            commonest = step
    for step in range(steps.size):
        if abs(step - commonest) > 1 and 2 * steps[step] > steps[commonest]:
            return _NONE
    if steps[commonest] == 0:
        return _NONE
    for place in range(left.size):
        first, last = span_of(amounts, left[place].amount_minor, rates.most)
        for each in range(first, last):
            step = step_of(amounts[each], times[each], left[place].amount_minor, left[place].ts_us, rates)
            if step != _NONE and abs(step - commonest) <= 1:
                fits[place] = True
    return commonest


@kernel
def span_of(amounts: Int64s, minor: int, most: int) -> tuple[int, int]:
    """Which of `amounts` less a fee up to `most` may leave `minor`; no product overflows."""
    rest = _TENTHS - most
    beyond = minor + minor // rest * most + minor % rest * most // rest + 1
    return first_from(amounts, amounts.size, minor), first_from(amounts, amounts.size, beyond)


@kernel
def first_from(amounts: Int64s, count: int, minor: int) -> int:
    """Of the first `count`, which ascend, the place of the first that is `minor` or more."""
    low = 0
    high = count
    while low < high:
        middle = (low + high) // 2
        if amounts[middle] < minor:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def step_of(came_minor: int, came_us: int, minor: int, ts_us: int, rates: Rates) -> int:
    """_NONE: not at any rate, or not in time."""
    if came_us > ts_us or came_us < ts_us - _WITHIN_US:
        return _NONE
    rate = (came_minor - minor) * _TENTHS // max(came_minor, 1)
    return rate // rates.spread if rates.least <= rate <= rates.most else _NONE


def _by_day(edges: Edges) -> dict[int, int]:
    """Ascending."""
    if not len(edges):
        return {}
    first = day_of(int(edges.ts_us[0]))
    count = day_of(int(edges.ts_us[-1])) - first + 1
    sums, has_any = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    sum_days(edges.records, first, sums, has_any)
    return dict(zip((np.flatnonzero(has_any) + first).tolist(), sums[has_any].tolist(), strict=True))


@kernel
def sum_days(edges: Array, first: int, sums: Int64s, has_any: Bools) -> None:
    for place in range(edges.size):
        day = (edges[place].ts_us + DAY_SHIFT_US) // DAY - first
        sums[day] += edges[place].amount_minor
        has_any[day] = True


def _by_product(edges: Edges) -> dict[int, int]:
    """Ascending."""
    found, places = np.unique(edges.product, return_inverse=True)
    sums = np.zeros(found.size, np.int64)
    np.add.at(sums, places, edges.amount_minor)
    return dict(zip(found.tolist(), sums.tolist(), strict=True))
