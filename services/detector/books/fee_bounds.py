"""Can an account's payments out answer to its payments in at all? Told before any fee is, settling.py.

A fee is steady at the median rate of the pairs of what came in and what went out for it; here the rate of
each pair need only be within bounds. No fee is steady where these come to too little of what was paid out.
"""

from __future__ import annotations

from typing import NamedTuple

from compiled import Array, Int32s, Record, kernel, signed
from services.detector.ascending import place_of
from services.detector.beijing import day_at, day_of
from services.detector.books.settling import LAGS, WITHIN_US, Days, Rates, new_days, rate_of, step_of, until
from services.detector.graph import Edges
from services.detector.graph.sums import share_of


class Asked(NamedTuple):
    """Payments of one currency count, for purposes as bits: those of what is collected, settled, given back.
    `rates`: the spread is not looked at, nor is it 0. At least `share_bp` of what is settled must answer, on
    so many days or by so many of the newest `max_single` payments."""

    currency: int
    collected: int
    settled: int
    given_back: int
    rates: Rates
    share_bp: int
    min_days: int
    min_payments: int
    max_single: int


def may_answer(came: Edges, left: Edges, own: Int32s, asked: Asked) -> bool:
    """False: neither by day nor by payment is enough of what `left` for others than the `own` accounts
    (ascending) settled at a steady fee. Where products are named it may be by these, and that is not told."""
    if not len(came) or not len(left):
        return False
    first = day_of(int(min(came.ts_us[0], left.ts_us[0])))
    count = day_of(int(max(came.ts_us[-1], left.ts_us[-1]))) - first + 1
    return may_be_steady(came.records, left.records, own, asked, first, new_days(count))


@kernel
def may_be_steady(came: Array, left: Array, own: Int32s, asked: Asked, first: int, days: Days) -> bool:
    """`days`: zeros, for each from the `first` on."""
    for place in range(came.size):
        if counts(came[place], came[place].src, asked.collected, asked.currency, own):
            days.collected[day_from(first, came[place])] += came[place].amount_minor
    for place in range(left.size):
        edge = left[place]
        if counts(edge, edge.dst, asked.settled, asked.currency, own):
            if edge.product != 0:
                return True
            days.settled[day_from(first, edge)] += edge.amount_minor
            days.is_settled[day_from(first, edge)] = True
        if counts(edge, edge.dst, asked.given_back, asked.currency, own):
            days.collected[day_from(first, edge)] -= edge.amount_minor
    return may_be_by_day(days, asked) or may_be_by_payment(came, left, own, asked)


@kernel
def counts(edge: Record, other: int, purposes: int, currency: int, own: Int32s) -> bool:
    """With others than the `own` accounts."""
    if edge.currency != currency or purposes >> edge.purpose & 1 == 0:
        return False
    return place_of(own, other) < 0


@kernel
def day_from(first: int, edge: Record) -> int:
    return signed(day_at(edge.ts_us) - first)


@kernel
def may_be_by_day(days: Days, asked: Asked) -> bool:
    """At one of the lags, with the first day that was settled or without it, as find_fees_by_day(). What was
    collected is summed up here."""
    for day in range(1, days.collected.size):
        days.collected[day] += days.collected[day - 1]
    for lag in range(len(LAGS)):
        of_minor, fit_minor, fits = 0, 0, 0
        first_minor, first_fits = 0, False
        is_first = True
        before = 0
        for day in range(days.settled.size):
            if not days.is_settled[day]:
                continue
            if is_first:
                before = until(days.collected, day - 1 - LAGS[lag])
            by_then, minor = until(days.collected, day - LAGS[lag]), signed(days.settled[day])
            does_fit = fits_rates(by_then - before, minor, asked.rates)
            before = by_then
            if is_first:
                first_minor, first_fits = minor, does_fit
            is_first = False
            of_minor += minor
            fit_minor += minor * does_fit
            fits += does_fit
        if is_enough(fit_minor, of_minor, fits, asked.min_days, asked.share_bp):
            return True
        fit_minor, of_minor, fits = (
            fit_minor - first_minor * first_fits,
            of_minor - first_minor,
            fits - first_fits,
        )
        if is_enough(fit_minor, of_minor, fits, asked.min_days, asked.share_bp):
            return True
    return False


@kernel
def fits_rates(came_minor: int, left_minor: int, rates: Rates) -> bool:
    return bool(
        left_minor <= came_minor
        and came_minor > 0
        and rates.least <= rate_of(came_minor, left_minor) <= rates.most
    )


@kernel
def is_enough(fit_minor: int, of_minor: int, fits: int, least: int, share_bp: int) -> bool:
    return bool(fits >= max(1, least) and fit_minor >= share_of(of_minor, share_bp))


@kernel
def may_be_by_payment(came: Array, left: Array, own: Int32s, asked: Asked) -> bool:
    """Each of the newest may answer to one payment in before it, as find_commonest()."""
    first, of_minor, payments = left.size, 0, 0
    while first > 0 and payments < asked.max_single:
        first -= 1
        edge = left[first]
        if counts(edge, edge.dst, asked.settled, asked.currency, own):
            of_minor += edge.amount_minor
            payments += 1
    rest_minor, fits = of_minor, payments
    start = 0
    for place in range(first, left.size):
        edge = left[place]
        if not is_enough(rest_minor, of_minor, fits, asked.min_payments, asked.share_bp):
            return False
        if not counts(edge, edge.dst, asked.settled, asked.currency, own):
            continue
        while start < came.size and came[start].ts_us < edge.ts_us - WITHIN_US:
            start += 1
        if not has_answer(came, start, edge, own, asked):
            rest_minor -= edge.amount_minor
            fits -= 1
    return is_enough(rest_minor, of_minor, fits, asked.min_payments, asked.share_bp)


@kernel
def has_answer(came: Array, start: int, paid: Record, own: Int32s, asked: Asked) -> bool:
    """From `start` on one of those that `came` could be what was `paid` and a fee."""
    for place in range(start, came.size):
        edge = came[place]
        if edge.ts_us > paid.ts_us:
            return False
        is_near = edge.amount_minor >= paid.amount_minor and counts(
            edge, edge.src, asked.collected, asked.currency, own
        )
        if (
            is_near
            and step_of(edge.amount_minor, edge.ts_us, paid.amount_minor, paid.ts_us, asked.rates) >= 0
        ):
            return True
    return False
