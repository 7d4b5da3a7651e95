"""Money that passes through an account less an agreed commission.

Whoever lends an account to launderers is paid a share of what passes, and shares are agreed in whole
per cents (assumption; Europol's reports of money mules name 5 to 10, at most 20). So what left is a
whole percentage of what had come in, to the last cent, for some payments in and some payments out.
Among enough payments that happens by accident: `chance_ppm` is how often it would, for as many choices
as were tried, over amounts that are multiples of the finest unit these amounts have; above
a million it is expected more than once. Round amounts thus
prove little by themselves, and many choices prove little.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from math import comb, gcd
from typing import Final, NamedTuple

import numpy as np

from compiled import Bools, Int64s
from services.detector.legs import Leg

LEAST_PERCENT: Final = 80
RATES: Final = 100 - LEAST_PERCENT + 1
_MILLION: Final = 1_000_000
MOST_INS: Final = 12
MOST_OUTS: Final = 6
CHOSEN_INS: Final = 3
CHOSEN_OUTS: Final = 3
"""Bounds on what is tried: any so many of the latest, or any run of them."""


class Pass(NamedTuple):
    """`ins`, then `outs`, at one account; `percent` of the money went on."""

    percent: int
    chance_ppm: int
    ins: tuple[Leg, ...]
    outs: tuple[Leg, ...]

    @property
    def legs(self) -> tuple[Leg, ...]:
        return self.ins + self.outs


def before(one: Leg, other: Leg) -> bool:
    return (one.ts_us, one.seq) < (other.ts_us, other.seq)


def passes(
    ins: Sequence[Leg], outs: Sequence[Leg], last: Leg, *, thorough: bool, percent: int | None = None
) -> list[Pass]:
    """Where the transfer `last` is the last one out, least likely by accident first.

    Tried are runs of payments in with runs of payments out; `thorough`: any few with any few too.
    `percent`: the rate it must have, where that is known.
    """
    ins = [leg for leg in ins if before(leg, last)][-MOST_INS:]
    if not ins:
        return []
    outs = [leg for leg in outs if before(leg, last)][1 - MOST_OUTS :]
    chosen_ins = choices(len(ins), CHOSEN_INS if thorough else 1)
    others = choices(len(outs), CHOSEN_OUTS - 1 if thorough else 0)
    received = chosen_ins.chosen @ _minors(ins)
    paid = np.append(others.chosen @ _minors(outs), 0) + last.amount_minor
    first = [outs[places[0]] for places in others.places] + [last]
    come = np.array([bisect(ins, (leg.ts_us, leg.seq)) for leg in first])
    legs = np.append(others.chosen.sum(axis=1), 0) + 1
    rates, fits = _whole_percents(received, paid[:, None], legs[:, None])
    fits &= chosen_ins.last < come[:, None]
    if percent is not None:
        fits &= rates == percent
    found = []
    for place, choice in np.argwhere(fits).tolist():
        chosen = tuple(ins[each] for each in chosen_ins.places[choice])
        rest = others.places[place] if place < len(others.places) else ()
        tried = _tried(len(ins), len(chosen), thorough) * _tried(len(outs), len(rest), thorough)
        out = (*(outs[each] for each in rest), last)
        chance_ppm = accident_ppm(chosen, out, tried * (RATES if percent is None else 1))
        found.append(Pass(int(rates[place, choice]), chance_ppm, chosen, out))
    return sorted(found, key=lambda one: (one.chance_ppm, len(one.legs), one.legs))


def whole_percent(received_minor: int, paid_minor: int, legs: int) -> int | None:
    """The whole percentage that was paid on, each of `legs` rounded to a minor unit."""
    rates, fits = _whole_percents(np.array([received_minor], np.int64), np.array(paid_minor), np.array(legs))
    return int(rates[0]) if fits[0] else None


def _minors(legs: Sequence[Leg]) -> Int64s:
    return np.array([leg.amount_minor for leg in legs], np.int64)


def _whole_percents(received: Int64s, paid: Int64s, legs: Int64s) -> tuple[Int64s, Bools]:
    """The nearest of each payment out to each in, and whether it is that."""
    rates = (200 * paid + received) // (2 * received)
    fits: Bools = np.abs(100 * paid - rates * received) <= 100 * legs
    fits &= (rates >= LEAST_PERCENT) & (rates <= 100)
    return rates, fits


class _Choices(NamedTuple):
    places: tuple[tuple[int, ...], ...]
    chosen: Int64s
    """A row for each choice, 1 where it is taken."""
    last: Int64s


@cache
def choices(count: int, few: int) -> _Choices:
    """Any `few` or fewer of so many, and any longer run."""
    any_few = (places for size in range(1, few + 1) for places in combinations(range(count), size))
    runs = (tuple(range(start, end)) for end in range(count, 0, -1) for start in range(end - few - 1, -1, -1))
    places = (*any_few, *runs)
    chosen = np.zeros((len(places), count), np.int64)
    for row, each in enumerate(places):
        chosen[row, list(each)] = 1
    return _Choices(places, chosen, np.array([each[-1] for each in places], np.int64))


def _tried(count: int, size: int, thorough: bool) -> int:
    """How many choices of at most `size` there were."""
    if thorough:
        return max(1, sum(comb(count, least) for least in range(min(size, CHOSEN_INS) + 1)))
    return max(1, count * min(size, count))


def accident_ppm(ins: Iterable[Leg], outs: Sequence[Leg], tried: int) -> int:
    """How often, in a million looks at so many choices, these would make a whole percentage by accident."""
    received_minor = sum(leg.amount_minor for leg in ins)
    unit = gcd(*(leg.amount_minor for leg in (*ins, *outs)))
    return tried * max(2 * len(outs) + 1, unit) * _MILLION // received_minor
