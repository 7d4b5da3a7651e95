"""What has come from each feed: its watermark, and what was late, repeated or refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from compiled import Int8s, Int64s
from registry import Registry
from schemas.batch import BatchId, Sent
from schemas.instant import DAY
from services.detector.graph import Applied, Status

DEFAULT_LATENESS_US: Final = DAY
"""Of a feed that the registry does not know: schemas.registry.Feed's own default."""

MAX_BATCHES: Final = 1_000_000
"""Batch ids remembered, to drop repeated ones; an older one repeated is caught transfer by transfer."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """`watermark_us` = newest time seen − the lateness agreed; nothing before it is expected any more.
    `late`: rows that came behind the watermark. `silent`: the clock is past the newest time by more
    than the lateness and a day, so that no alert here means no data."""

    feed_id: str
    newest_us: int
    watermark_us: int
    transfers: int = 0
    duplicates: int = 0
    late: int = 0
    too_late: int = 0
    refused: int = 0
    silent: bool = False


class Feeds:
    def __init__(self) -> None:
        self._states: dict[str, FeedState] = {}
        self._batches: dict[BatchId, None] = {}

    def is_repeated(self, batch: BatchId) -> bool:
        """Whether this part of this batch was taken before; it counts as taken from now on."""
        if batch in self._batches:
            return True
        self._batches[batch] = None
        if len(self._batches) > MAX_BATCHES:
            del self._batches[next(iter(self._batches))]
        return False

    def count(self, sent: Iterable[Sent], applied: Applied, registry: Registry) -> None:
        """Take in what became of a batch's rows, each against its feed's watermark just before it."""
        for feed_id, first, end in sent:
            rows = slice(first, end)
            self._count(feed_id, applied.ts_us[rows], applied.status[rows], registry)

    def _count(self, feed_id: str, times: Int64s, status: Int8s, registry: Registry) -> None:
        if not times.size:
            return
        known = self._states.get(feed_id) or FeedState(feed_id, int(times[0]), 0)
        newest_us = max(known.newest_us, int(times.max()))
        lateness_us = _lateness_us(registry, feed_id, newest_us)
        behind = times.min() < newest_us - lateness_us
        became = np.bincount(status, minlength=len(Status)).tolist()
        self._states[feed_id] = FeedState(
            feed_id,
            newest_us,
            newest_us - lateness_us,
            transfers=known.transfers + became[Status.inserted],
            duplicates=known.duplicates + became[Status.duplicate],
            late=known.late + (_late(times, status, known.newest_us, lateness_us) if behind else 0),
            too_late=known.too_late + became[Status.too_late],
            refused=known.refused + became[Status.refused],
        )

    def states(self, clock_us: int | None) -> tuple[FeedState, ...]:
        """By feed id."""
        return tuple(
            replace(one, silent=_is_silent(one, clock_us)) for _, one in sorted(self._states.items())
        )


def _late(times: Int64s, status: Int8s, newest_us: int, lateness_us: int) -> int:
    """How many rows came behind the watermark of those before them, the first behind that of `newest_us`."""
    newest = np.maximum.accumulate(np.concatenate(([newest_us], times[:-1])))
    return int(np.count_nonzero((times < newest - lateness_us) & (status == Status.inserted)))


def _is_silent(state: FeedState, clock_us: int | None) -> bool:
    lateness_us = state.newest_us - state.watermark_us
    return clock_us is not None and clock_us - state.newest_us > lateness_us + DAY


def _lateness_us(registry: Registry, feed_id: str, ts_us: int) -> int:
    feed = registry.feed(feed_id, ts_us)
    return DEFAULT_LATENESS_US if feed is None else feed.lateness_seconds * 1_000_000
