"""The risk score: exact arithmetic, classes, decay."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import Registry
from schemas.instant import DAY, HOUR, to_micros
from schemas.law import load_law
from schemas.risk import RiskClass
from services.detector.scoring import Parameters, Scores, classify, combine, decay, next_midnight
from services.detector.typologies.pooling import Pooling

LAW = load_law()
ONE = 1 << 48


@pytest.mark.parametrize(
    ("age_us", "value"),
    [
        (0, ONE),
        (30 * DAY, ONE >> 1),
        (60 * DAY, ONE >> 2),
        (48 * 30 * DAY, 0),
        (15 * DAY, 199_032_864_766_430),
    ],
)
def test_decay_at_known_ages(age_us: int, value: int) -> None:
    assert decay(age_us, 30 * DAY) == value


@given(st.integers(0, 2_000 * DAY))
def test_decay_is_a_power_of_one_half(age_us: int) -> None:
    assert decay(age_us, 30 * DAY) / ONE == pytest.approx(0.5 ** (age_us / (30 * DAY)), rel=2e-5, abs=1e-14)


@given(st.lists(st.integers(0, 2_000 * DAY), min_size=2))
def test_decay_never_rises(ages: list[int]) -> None:
    values = [decay(age_us, 30 * DAY) for age_us in sorted(ages)]
    assert values == sorted(values, reverse=True)


@given(st.lists(st.integers(0, 100_000), max_size=30))
def test_combine_is_noisy_or_rounded_half_up(milli_points: list[int]) -> None:
    doubt = Fraction(1)
    for each in milli_points:
        doubt *= 1 - Fraction(each, 100_000)
    assert combine(milli_points) == int(100 * (1 - doubt) + Fraction(1, 2))


@pytest.mark.parametrize(
    ("score", "risk_class"),
    [
        (0, RiskClass.compliant),
        (29, RiskClass.compliant),
        (30, RiskClass.rectify),
        (69, RiskClass.rectify),
        (70, RiskClass.ban),
        (100, RiskClass.ban),
    ],
)
def test_classes_at_their_bounds(score: int, risk_class: RiskClass) -> None:
    assert classify(score, Parameters()) is risk_class


def test_midnight_is_beijings() -> None:
    midnight = to_micros("2021-06-02T00:00:00+08:00")
    assert next_midnight(midnight - 1) == midnight
    assert next_midnight(midnight) == midnight + DAY


def test_a_score_fades_day_by_day_and_says_when_it_is_gone(world: Any, play: Any) -> None:
    done = play(_pool(world, ticks=[600]), typologies=[Pooling])
    own = [score for score in done.scores if score.institution_id == "p2p-1"]
    days = own[1:]
    assert own[0].score == 48
    assert [score.score for score in days] == sorted((score.score for score in days), reverse=True)
    assert all((one.at + 8 * HOUR) % DAY == 0 for one in days)
    assert [b.at - a.at for a, b in pairwise(days)] == [DAY] * (len(days) - 1)
    assert days[-1].score == 0
    assert days[-2].score == 1
    half_life = next(one for one in days if one.at - own[0].at >= 30 * DAY)
    assert half_life.score in (23, 24)


def test_the_formula_is_in_words(world: Any, play: Any) -> None:
    first = play(_pool(world, ticks=[5]), typologies=[Pooling]).scores[0]
    assert "severity% × confidence%" in first.formula
    assert "rectify（整改）" in first.formula
    assert first.contributions[0].milli_points == 50 * 95 * 10


def test_an_alert_without_an_institution_scores_nobody(world: Any, play: Any) -> None:
    done = play(world(flows=[[1, "c1..20", "pot", 10000], [9, "tick", "tock", 1]]), typologies=[Pooling])
    assert done.alerts
    assert not done.scores


def test_many_alerts_keep_the_weightiest(world: Any, play: Any) -> None:
    alert = play(_pool(world, ticks=[5]), typologies=[Pooling]).alerts[0]
    scores = Scores(max_alerts=3)
    for number in range(9):
        raised = alert.model_copy(update={"alert_id": f"{number:032x}", "confidence": 10 + number})
        scores.raised(raised, Registry(), LAW.at(0))
    last = scores.raised(alert.model_copy(update={"confidence": 1}), Registry(), LAW.at(0))
    assert last is not None
    assert [one.confidence for one in last.contributions] == [18, 17, 16]


def _pool(world: Any, ticks: list[int]) -> Any:
    return world(
        institutions=[["p2p-1", "p2p", "firm"]],
        accounts=[["c1..20", "=", "client", "p2p-1"], ["own", "firm", "own", "p2p-1"]],
        flows=[[1, "c1..20", "own", 10000, "invest"], *([day, "tick", "tock", 1] for day in ticks)],
    )
