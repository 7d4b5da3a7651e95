"""The stream all are measured on: ordinary transfers at a steady rate, and planted shapes with labels.

A function of its arguments. Needs numpy alone, so that a peer can run in an environment of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
WINDOW_US: Final = 30 * DAY_US
START_US: Final = 1_514_736_000_000_000
"""2018-01-01 in Beijing."""

ACCOUNTS: Final = 100_000
MEASURED: Final = 200_000
ROWS: Final = 1_024

HUBS: Final = 100
HUB_SHARE: Final = 0.3
"""Of all payments, those by hubs; and likewise of those to hubs."""
HUB_EXPONENT: Final = 0.8
"""Zipf's: the heaviest hub has 9 in 100 of its kind's payments, 27 in 1,000 of all."""
ACCOUNT_SIGMA: Final = 1.2
"""Of the lognormal weights of ordinary accounts: one in ten has half of their payments."""
AMOUNT_MEDIAN_MINOR: Final = 30_000
AMOUNT_SIGMA: Final = 1.4

PLANTED_EVERY: Final = 500
"""Measured transfers a planted shape."""
SPANS_US: Final = (HOUR_US, 20 * DAY_US)
"""First to last leg of a planted shape, log-uniform."""
CYCLE_LEGS: Final = (3, 6)
PASSED_ON: Final = (0.9, 1.0)
"""Share of what came in that the next leg carries."""
SPREAD: Final = (4, 10)
"""Accounts between scatter and gather."""
PLANTED_MINOR: Final = (2_000_000, 50_000_000)


class Regime(Enum):
    none = "none"
    independent = "independent"
    """Heavy payers and heavy payees are different accounts."""
    shared = "shared"
    """The same accounts are the heavy payers and the heavy payees."""


class Kind(Enum):
    cycle = "cycle"
    hub_cycle = "hub_cycle"
    """A cycle of which one account is a hub; there are none where there are no hubs."""
    scatter_gather = "scatter_gather"


class Plant(NamedTuple):
    kind: Kind
    rows: tuple[int, ...]
    """Of its legs, in order of time. The last is among the measured."""


@dataclass(frozen=True, eq=False)
class Stream:
    """The first `live` transfers fill the window; the others are measured. In order of time.

    Accounts are numbered from 1.
    """

    live: int
    accounts: int
    ts_us: Int64s
    src: Int32s
    dst: Int32s
    amount_minor: Int64s
    plants: tuple[Plant, ...]

    def __len__(self) -> int:
        return self.ts_us.size


class _Legs(NamedTuple):
    kind: Kind
    ts_us: Int64s
    src: Int32s
    dst: Int32s
    amount_minor: Int64s


def make(
    live: int, regime: Regime, seed: int = 1, measured: int = MEASURED, accounts: int = ACCOUNTS
) -> Stream:
    """`live` transfers a WINDOW_US, `measured` more at the same rate, and planted shapes among them."""
    rng = np.random.default_rng([seed, live, measured, accounts, list(Regime).index(regime)])
    total = live + measured
    until_us = START_US + WINDOW_US * total // live
    first_us = START_US + WINDOW_US
    hubs = 0 if regime is Regime.none else HUBS
    planted = [_plant(rng, first_us, until_us, hubs, accounts) for _ in range(measured // PLANTED_EVERY)]
    ordinary = total - sum(legs.ts_us.size for legs in planted)
    ts_us = np.sort(rng.integers(START_US, until_us, ordinary))
    src, dst = _ends(rng, regime, ordinary, accounts)
    amounts = np.exp(rng.normal(np.log(AMOUNT_MEDIAN_MINOR), AMOUNT_SIGMA, ordinary))
    plain = _Legs(Kind.cycle, ts_us, src, dst, np.maximum(1, amounts).astype(np.int64))
    return _merged(live, accounts, plain, planted)


def _merged(live: int, accounts: int, plain: _Legs, planted: list[_Legs]) -> Stream:
    columns = (
        np.concatenate(column) for column in zip(*(legs[1:] for legs in (plain, *planted)), strict=True)
    )
    ts_us, src, dst, amount_minor = columns
    order = np.argsort(ts_us, kind="stable")
    row_of = np.empty(order.size, np.int64)
    row_of[order] = np.arange(order.size)
    plants = []
    first = plain.ts_us.size
    for legs in planted:
        rows = row_of[first : first + legs.ts_us.size]
        plants.append(Plant(legs.kind, tuple(rows.tolist())))
        first += legs.ts_us.size
    plants = sorted((plant for plant in plants if plant.rows[-1] >= live), key=lambda plant: plant.rows[-1])
    return Stream(live, accounts, ts_us[order], src[order], dst[order], amount_minor[order], tuple(plants))


def _ends(rng: np.random.Generator, regime: Regime, count: int, accounts: int) -> tuple[Int32s, Int32s]:
    """Payers and payees, never the same one; hubs are the accounts with the lowest numbers."""
    weights = np.exp(rng.normal(0, ACCOUNT_SIGMA, accounts))
    if regime is Regime.none:
        payers = payees = weights
    else:
        first_payee = 0 if regime is Regime.shared else HUBS
        payers, payees = _with_hubs(weights, 0), _with_hubs(weights, first_payee)
    src, dst = _draw(rng, payers, count), _draw(rng, payees, count)
    while (same := np.flatnonzero(src == dst)).size:
        dst[same] = _draw(rng, payees, same.size)
    return src, dst


def _with_hubs(weights: Floats, first: int) -> Floats:
    """HUB_SHARE of all to the hubs from number `first` on; other hubs as ordinary accounts."""
    shares = weights * ((1 - HUB_SHARE) / weights.sum())
    ranks = 1.0 + np.arange(HUBS)
    heavy = ranks**-HUB_EXPONENT
    shares[first : first + HUBS] = HUB_SHARE * heavy / heavy.sum()
    return shares / shares.sum()


def _draw(rng: np.random.Generator, shares: Floats, count: int) -> Int32s:
    cumulative = np.cumsum(shares)
    places = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
    return (1 + np.minimum(places, shares.size - 1)).astype(np.int32)


def _plant(rng: np.random.Generator, first_us: int, until_us: int, hubs: int, accounts: int) -> _Legs:
    """A shape whose last leg is within [first_us, until_us). Four of ten are scatter-gathers, and of
    the cycles, where there are hubs, every sixth passes one."""
    span_us = int(np.exp(rng.uniform(*np.log(SPANS_US))))
    last_us = int(rng.integers(first_us, until_us))
    amount_minor = int(rng.integers(*PLANTED_MINOR))
    if rng.random() < 0.4:
        return _scatter_gather(rng, last_us, span_us, amount_minor, hubs, accounts)
    return _cycle(rng, last_us, span_us, amount_minor, hubs, accounts)


def _cycle(
    rng: np.random.Generator, last_us: int, span_us: int, amount_minor: int, hubs: int, accounts: int
) -> _Legs:
    legs = int(rng.integers(CYCLE_LEGS[0], CYCLE_LEGS[1] + 1))
    members = _members(rng, legs, hubs, accounts)
    through_hub = hubs > 0 and rng.random() < 1 / 6
    if through_hub:
        members[int(rng.integers(1, legs))] = 1 + rng.integers(hubs)
    carried = amount_minor * np.cumprod(rng.uniform(*PASSED_ON, legs))
    kind = Kind.hub_cycle if through_hub else Kind.cycle
    return _Legs(
        kind, _times(rng, legs, last_us, span_us), members, np.roll(members, -1), carried.astype(np.int64)
    )


def _scatter_gather(
    rng: np.random.Generator, last_us: int, span_us: int, amount_minor: int, hubs: int, accounts: int
) -> _Legs:
    """One pays several, in the first half of the span; in the second they all pay one other."""
    width = int(rng.integers(SPREAD[0], SPREAD[1] + 1))
    members = _members(rng, width + 2, hubs, accounts)
    between, source, sink = members[:width], members[width], members[width + 1]
    shares = rng.dirichlet(np.full(width, 10.0)) * amount_minor
    gathered = shares * rng.uniform(*PASSED_ON, width)
    order = rng.permutation(width)
    scattered_us = _times(rng, width, last_us - span_us // 2, span_us // 2)
    gathered_us = _times(rng, width, last_us, span_us // 2)
    return _Legs(
        Kind.scatter_gather,
        np.concatenate((scattered_us, gathered_us)),
        np.concatenate((np.full(width, source, np.int32), between[order])),
        np.concatenate((between, np.full(width, sink, np.int32))),
        np.concatenate((shares, gathered[order])).astype(np.int64),
    )


def _members(rng: np.random.Generator, count: int, hubs: int, accounts: int) -> Int32s:
    """Distinct accounts, none of them a hub of either kind."""
    drawn = rng.choice(accounts - 2 * hubs, count, replace=False)
    return (1 + 2 * hubs + drawn).astype(np.int32)


def _times(rng: np.random.Generator, count: int, last_us: int, span_us: int) -> Int64s:
    """Rising, at least a second apart, the last at `last_us`."""
    free_us = span_us - count * 1_000_000
    earlier = np.sort(rng.integers(0, free_us, count - 1))
    steps = np.arange(count - 1, dtype=np.int64) * 1_000_000
    return np.append(last_us - span_us + earlier + steps, last_us)
