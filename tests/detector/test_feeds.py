"""Feeds: watermark, lateness, repeats."""

from __future__ import annotations

from typing import Any

from schemas.instant import DAY, HOUR
from schemas.law import load_law
from schemas.registry import Feed
from services.detector import feeds
from services.detector.engine import Engine


def engine(*records: Feed) -> Engine:
    made = Engine(load_law(), max_transfers=1000, max_accounts=1000)
    made.apply_registry(records)
    return made


def test_lateness_is_what_the_feed_agreed(world: Any, batches: Any) -> None:
    made = engine(Feed(feed_id="hourly", bank="b", lateness_seconds=3600))
    rows = world(
        flows=[
            [0, "a", "b", 1],
            [1, "a", "b", 1],
            [0.97, "a", "b", 1, "unknown", {"sent": 2}],
            [0.9, "a", "b", 1, "unknown", {"sent": 3}],
        ]
    ).rows()
    for feed_id in ("hourly", "daily"):
        made.apply_transfers(batches(rows, "1", feed_id))
    daily, hourly = made.feeds()
    assert (daily.late, hourly.late) == (0, 1)
    assert (daily.watermark_us, hourly.watermark_us) == (rows[1]["ts_us"] - DAY, rows[1]["ts_us"] - HOUR)


def test_late_is_what_comes_behind_the_watermark_before_it(world: Any, batches: Any) -> None:
    """Also within one batch, and not what came before the watermark had passed it."""
    times = [(3, 0.0), (1.5, 3.1), (2.5, 3.2), (5, 0.0), (3.9, 5.1), (4.5, 5.2)]
    rows = world(flows=[[day, "a", "b", 1, "unknown", {"sent": sent or day}] for day, sent in times]).rows()
    whole, single = engine(), engine()
    whole.apply_transfers(batches(rows, "1"))
    for number, row in enumerate(rows):
        single.apply_transfers(batches([row], str(number)))
    assert [one.late for one in (*whole.feeds(), *single.feeds())] == [2, 2]


def test_too_late_is_counted_and_not_taken(world: Any, batches: Any) -> None:
    made = engine()
    rows = world(flows=[[50, "a", "b", 1], [0, "a", "b", 1, "unknown", {"sent": 51}]]).rows()
    made.apply_transfers(batches(rows, "1"))
    assert [(one.transfers, one.too_late) for one in made.feeds()] == [(1, 1)]


def test_batches_remembered_are_bounded(world: Any, batches: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(feeds, "MAX_BATCHES", 2)
    made = engine()
    rows = world(flows=[[0, "a", "b", 1]]).rows()
    for batch_id in ("1", "2", "3", "3", "1"):
        made.apply_transfers(batches(rows, batch_id))
    assert made.counters().repeated_batches == 1
    assert made.counters().duplicates == 3
