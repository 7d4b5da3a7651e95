"""Do an account's payments out answer to its payments in, less a fee at a steady rate?

Three ways in which somebody who collects for others settles: day by day, with a lag; by the order or shop
that both payments name as their product; payment by payment. Each way gives pairs of what came in and
what went out for it; the fee is steady at the median rate of the pairs that have one within bounds, as far as
theirs are near it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, Int64s, kernel, signed
from schemas.instant import DAY
from services.detector.ascending import first_from
from services.detector.beijing import day_at, day_of
from services.detector.distinct import number_of, numbered, numbers_for
from services.detector.graph import Edges
from services.detector.legs import some_of

_TENTHS: Final = 100_000
"""Rates here are in tenths of a basis point."""
_DIGITS: Final = 5
"""_TENTHS is 10 to their number."""
LAGS: Final = (0, 1, 2, 3)
"""Days from collecting to settling; three over a weekend."""
WITHIN_US: Final = 4 * DAY
"""A payment is settled by itself within T+1, a weekend between."""
_NONE: Final = -1


class Fee(NamedTuple):
    """How many pairs are settled at nearly the same rate, and how much was paid out in these, and in all."""

    rate_tenths: int
    pairs: int
    left_minor: int
    of_minor: int


_NO_FEE: Final = Fee(0, 0, 0, 0)
_FEE: Final = np.dtype([(name, "<i8") for name in Fee._fields])
_FIT: Final = np.dtype([("rate", "<i8"), ("left_minor", "<i8")])


class Rates(NamedTuple):
    """Bounds of the fee, and how far a pair's may be from the steady one; tenths of a basis point."""

    least: int
    most: int
    spread: int


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


def fees_by_day(came: Part, left: Part, refunded: Part, rates: Rates) -> list[Fee]:
    """Of the days of settling, each with what was collected up to a lag before it and not settled before,
    less what was given back: at each of LAGS the fee of them all, and that without the first day, which may
    be for longer than the days up to the next. `left` and `refunded` are some of the same payments out."""
    listed = [one.of.ts_us for one in (came, left) if len(one.of)]
    if not listed:
        return []
    first = day_of(min(int(times[0]) for times in listed))
    count = day_of(max(int(times[-1]) for times in listed)) - first + 1
    days = new_days(count)
    sum_days(came.of.records, came.chosen, first, days)
    sum_days_out(left.of.records, left.chosen, refunded.chosen, first, days)
    pairs, fees = _pairs(count), np.zeros(2 * len(LAGS), _FEE)
    find_fees_by_day(days, rates, pairs, fees)
    return [Fee(*fee) for fee in fees.tolist()]


class Days(NamedTuple):
    """By Beijing day: what was collected, less what was given back; what was settled, and whether any was."""

    collected: Int64s
    settled: Int64s
    is_settled: Bools


def new_days(count: int) -> Days:
    return Days(np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.bool_))


class _Pairs(NamedTuple):
    came: Int64s
    left: Int64s
    fits: Array
    """Room for those with a rate within bounds."""


def _pairs(count: int) -> _Pairs:
    return _Pairs(np.zeros(count, np.int64), np.zeros(count, np.int64), np.empty(count, _FIT))


def fee_by_product(came: Edges, left: Edges, rates: Rates) -> Fee:
    if not left.product.any():
        return _NO_FEE
    collected, settled = _by_product(came), _by_product(left)
    products = [product for product in settled if product]
    collected_minor = np.array([collected.get(one, 0) for one in products], np.int64)
    return _steady_fee(collected_minor, np.array([settled[one] for one in products], np.int64), rates)


def fee_by_payment(came: Edges, left: Edges, rates: Rates) -> Fee:
    return _steady_fee(answered(came, left, rates), left.amount_minor.copy(), rates)


def answered(came: Edges, left: Edges, rates: Rates) -> Int64s:
    """For each payment out what an earlier one in comes to that it answers to at the commonest rate; 0 where
    there is none, and everywhere where no rate is twice as common as the next: then it is chance."""
    rates = rates._replace(spread=max(1, rates.spread))
    order = np.argsort(came.amount_minor, kind="stable")
    amounts, times = came.amount_minor[order], came.ts_us[order]
    steps = np.zeros(rates.most // rates.spread + 1, np.int32)
    fits = np.zeros(len(left), np.bool_)
    commonest = find_commonest(amounts, times, left.records, rates, steps, np.zeros_like(steps), fits)
    if commonest == _NONE:
        return np.zeros(len(left), np.int64)
    rate = commonest * rates.spread + rates.spread // 2
    rest, minor = _TENTHS - rate, left.amount_minor
    # minor * _TENTHS // rest, where no product overflows
    return np.where(fits, minor + minor // rest * rate + minor % rest * rate // rest, 0)


def _steady_fee(came: Int64s, left: Int64s, rates: Rates) -> Fee:
    fees = np.zeros(1, _FEE)
    find_steady_fee(_Pairs(came, left, np.empty(came.size, _FIT)), 0, came.size, rates, fees, 0)
    return Fee(*fees[0].tolist())


@kernel
def find_fees_by_day(days: Days, rates: Rates, pairs: _Pairs, fees: Array) -> None:
    for day in range(1, days.collected.size):
        days.collected[day] += days.collected[day - 1]
    for lag in range(len(LAGS)):
        count = 0
        before = 0
        for day in range(days.settled.size):
            if not days.is_settled[day]:
                continue
            if count == 0:
                before = until(days.collected, day - 1 - LAGS[lag])
            collected = until(days.collected, day - LAGS[lag])
            pairs.came[count] = collected - before
            pairs.left[count] = days.settled[day]
            before = collected
            count += 1
        find_steady_fee(pairs, 0, count, rates, fees, 2 * lag)
        find_steady_fee(pairs, 1, count, rates, fees, 2 * lag + 1)


@kernel
def until(collected: Int64s, day: int) -> int:
    return signed(collected[day]) if day >= 0 else 0


@kernel
def find_steady_fee(pairs: _Pairs, first: int, count: int, rates: Rates, fees: Array, place: int) -> None:
    """The fee of the pairs from `first` to `count`."""
    fits = 0
    of_minor = 0
    for pair in range(first, count):
        of_minor += pairs.left[pair]
        rate = rate_of(pairs.came[pair], pairs.left[pair])
        if rates.least <= rate <= rates.most and pairs.came[pair] > 0:
            at = fits
            while at > 0 and pairs.fits[at - 1].rate > rate:
                pairs.fits[at] = pairs.fits[at - 1]
                at -= 1
            pairs.fits[at].rate = rate
            pairs.fits[at].left_minor = pairs.left[pair]
            fits += 1
    fee = fees[place]
    fee.of_minor = of_minor
    if fits > 0:
        fee.rate_tenths = pairs.fits[fits // 2].rate
        for fit in range(fits):
            if abs(pairs.fits[fit].rate - fee.rate_tenths) <= rates.spread:
                fee.pairs += 1
                fee.left_minor += pairs.fits[fit].left_minor


@kernel
def rate_of(came_minor: int, left_minor: int) -> int:
    """Of the fee, rounded down; _NONE: more left than came. Digit by digit: no product overflows while ten
    times what came does not."""
    if left_minor > came_minor or came_minor <= 0:
        return _NONE
    rest = came_minor - left_minor
    rate = rest // came_minor
    rest %= came_minor
    for _ in range(_DIGITS):
        rate = 10 * rate + 10 * rest // came_minor
        rest = 10 * rest % came_minor
    return rate


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
def step_of(came_minor: int, came_us: int, minor: int, ts_us: int, rates: Rates) -> int:
    """_NONE: not at any rate, or not in time."""
    if came_us > ts_us or came_us < ts_us - WITHIN_US:
        return _NONE
    rate = (came_minor - minor) * _TENTHS // max(came_minor, 1)
    return rate // rates.spread if rates.least <= rate <= rates.most else _NONE


@kernel
def sum_days(came: Array, chosen: Bools, first: int, days: Days) -> None:
    for place in range(came.size):
        if chosen[place]:
            days.collected[day_at(came[place].ts_us) - first] += came[place].amount_minor


@kernel
def sum_days_out(left: Array, chosen: Bools, is_back: Bools, first: int, days: Days) -> None:
    """Those `chosen` settle; others are given back."""
    for place in range(left.size):
        day = day_at(left[place].ts_us) - first
        if chosen[place]:
            days.settled[day] += left[place].amount_minor
            days.is_settled[day] = True
        if is_back[place]:
            days.collected[day] -= left[place].amount_minor


def _by_product(edges: Edges) -> dict[int, int]:
    """Ascending."""
    found, places = np.unique(edges.product, return_inverse=True)
    sums = np.zeros(found.size, np.int64)
    np.add.at(sums, places, edges.amount_minor)
    return dict(zip(found.tolist(), sums.tolist(), strict=True))
