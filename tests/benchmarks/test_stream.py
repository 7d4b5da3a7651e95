from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.graph.stream import (
    HUBS,
    PASSED_ON,
    SPANS_US,
    START_US,
    WINDOW_US,
    Kind,
    Plant,
    Regime,
    Stream,
    make,
)

LIVE, MEASURED, ACCOUNTS = 20_000, 20_000, 5_000


@pytest.fixture(params=list(Regime))
def regime(request: pytest.FixtureRequest) -> Regime:
    regime: Regime = request.param
    return regime


@pytest.fixture
def stream(regime: Regime) -> Stream:
    return make(LIVE, regime, seed=3, measured=MEASURED, accounts=ACCOUNTS)


def of_kind(stream: Stream, *kinds: Kind) -> list[Plant]:
    return [plant for plant in stream.plants if plant.kind in kinds]


def test_has_the_same_bytes_each_time(stream: Stream, regime: Regime) -> None:
    again = make(LIVE, regime, seed=3, measured=MEASURED, accounts=ACCOUNTS)
    for column in ("ts_us", "src", "dst", "amount_minor"):
        assert getattr(stream, column).tobytes() == getattr(again, column).tobytes()
    assert stream.plants == again.plants
    assert make(LIVE, regime, seed=4, measured=MEASURED, accounts=ACCOUNTS).plants != stream.plants


def test_is_in_order_of_time_and_fills_one_window(stream: Stream) -> None:
    assert len(stream) == LIVE + MEASURED
    assert (np.diff(stream.ts_us) >= 0).all()
    assert (stream.src != stream.dst).all()
    assert (stream.amount_minor > 0).all()
    assert min(stream.src.min(), stream.dst.min()) >= 1
    assert max(stream.src.max(), stream.dst.max()) <= ACCOUNTS
    window = stream.ts_us[LIVE] - START_US
    assert window == pytest.approx(WINDOW_US, rel=0.02)


def test_hubs_are_who_the_regime_says(stream: Stream, regime: Regime) -> None:
    paid, got = (np.bincount(side, minlength=ACCOUNTS + 1)[1:] for side in (stream.src, stream.dst))
    payers, payees = (set(np.argsort(counts)[-5:].tolist()) for counts in (paid, got))
    share = np.sort(paid)[-HUBS:].sum() / paid.sum()
    if regime is Regime.none:
        assert share < 0.25
    else:
        assert share > 0.28
        assert len(payers & payees) >= 4 if regime is Regime.shared else not payers & payees


def test_planted_cycles_close_in_order_and_carry_the_amount_on(stream: Stream) -> None:
    plants = of_kind(stream, Kind.cycle, Kind.hub_cycle)
    assert len(plants) > 10
    for plant in plants:
        rows = list(plant.rows)
        assert 3 <= len(rows) <= 6
        assert rows[-1] >= LIVE
        assert stream.dst[rows].tolist() == np.roll(stream.src[rows], -1).tolist()
        assert len(set(stream.src[rows].tolist())) == len(rows)
        assert (np.diff(stream.ts_us[rows]) >= 1_000_000).all()
        assert stream.ts_us[rows[-1]] - stream.ts_us[rows[0]] <= SPANS_US[1] + 1
        for one, following in pairwise(stream.amount_minor[rows].tolist()):
            assert PASSED_ON[0] * one - 1 <= following <= PASSED_ON[1] * one + 1


def test_only_hub_cycles_pass_a_hub(stream: Stream, regime: Regime) -> None:
    assert bool(of_kind(stream, Kind.hub_cycle)) == (regime is not Regime.none)
    if regime is not Regime.none:
        for plant in stream.plants:
            passes = min(stream.src[list(plant.rows)].tolist()) <= HUBS
            assert passes == (plant.kind is Kind.hub_cycle)


def test_what_is_scattered_is_gathered_later(stream: Stream) -> None:
    plants = of_kind(stream, Kind.scatter_gather)
    assert len(plants) > 5
    for plant in plants:
        rows = np.array(plant.rows)
        scattered, gathered = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        assert len(set(stream.src[scattered].tolist())) == 1
        assert len(set(stream.dst[gathered].tolist())) == 1
        assert sorted(stream.dst[scattered].tolist()) == sorted(stream.src[gathered].tolist())
        assert stream.ts_us[scattered].max() < stream.ts_us[gathered].min()
