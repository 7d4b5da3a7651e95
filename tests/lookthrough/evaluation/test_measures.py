"""Shares, intervals and delays, by cases worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookthrough.evaluation.labelled import LabelledSet
from lookthrough.evaluation.matching import Judged, Outcome
from lookthrough.evaluation.measures import Run, Share, measure, missed
from schemas.instant import DAY, HOUR
from tests.lookthrough.evaluation.test_matching import alert, pattern


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [(Share(0, 10), 0.0, 0.2775), (Share(10, 10), 0.7225, 1.0), (Share(81, 263), 0.2553, 0.3662)],
    ids=["none", "all", "Newcombe 1998, method 3"],
)
def test_wilson(share: Share, low: float, high: float) -> None:
    assert share.interval == pytest.approx((low, high), abs=1e-4)


def test_nothing_of_nothing_is_unknown() -> None:
    assert Share(0, 0).value is None
    assert Share(0, 0).interval == (0.0, 1.0)


def test_a_typology_over_two_sets() -> None:
    early = pattern("k1", {"t1"}, amount=3.0)
    late = pattern("k2", {"t2"}, care="careful", variant="split")
    never = pattern("k3", {"t3"})
    unfinished = pattern("k4", {"t4"}, complete=False)
    honest = pattern("h", {"t5"}, typology="shop", illicit=False)
    judged = (
        Judged(alert(["t1"], episode_at=14 * DAY), Outcome.right, (early,)),
        Judged(alert(["t2"], episode_at=15 * DAY + 3 * HOUR), Outcome.right, (late,)),
        Judged(alert(["t2"], episode_at=15 * DAY + 9 * HOUR), Outcome.right, (late,)),
        Judged(alert(["t3"], typology="commingling"), Outcome.right, (never,)),
        Judged(alert(["t5"]), Outcome.look_alike, (honest,)),
        Judged(alert(["x"]), Outcome.ignored, ()),
    )
    first = LabelledSet(Path("one"), (early, late, never, unfinished, honest), {}, {})
    second = LabelledSet(Path("two"), (early, honest), {}, {})
    runs = (Run(first, judged), Run(second, judged[:1]))
    commingling, pooling = measure(runs)
    assert pooling.typology == "pooling"
    assert pooling.precision == Share(4, 5)
    assert pooling.recall["all"].share == Share(3, 4)
    assert pooling.recall["careful"].share == Share(1, 1)
    assert pooling.variants["split"].share == Share(1, 1)
    assert pooling.any_name == Share(4, 4)
    assert pooling.recall["all"].amount == pytest.approx(7 / 8)
    assert pooling.recall["all"].delays_us == (0, 0, 3 * HOUR)
    assert (pooling.look_alikes, pooling.hit) == (Share(1, 2), {"shop": 1})
    assert [one.pattern_id for one in missed(runs[0], "pooling")] == ["k3"]
    assert commingling.precision == Share(1, 1)
    assert commingling.recall == {}
