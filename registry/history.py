"""Versions of records by key, and which of them holds at an instant."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Generic, NamedTuple, TypeVar

from schemas.instant import FOREVER, MIN_INSTANT
from schemas.registry import Validity

R = TypeVar("R", bound=Validity)


class Span(NamedTuple, Generic[R]):
    """`holder` holds over [from_us, to_us): None where no version does."""

    holder: R | None
    from_us: int
    to_us: int


class History(Generic[R]):
    """Of the versions of a key that hold at an instant, the one that started last is the truth.

    Most keys have one version for ever, so a lone version is stored bare; the others as a timeline.
    """

    def __init__(self) -> None:
        self._lone: dict[str, R] = {}
        self._timelines: dict[str, _Timeline[R]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._lone or key in self._timelines

    def __len__(self) -> int:
        return len(self._lone) + len(self._timelines)

    def keys(self) -> Iterator[str]:
        yield from self._lone
        yield from self._timelines

    def put(self, key: str, record: R) -> bool:
        """Add a version, or replace the one with the same `valid_from`. False when it changes nothing."""
        lone = self._lone.get(key)
        if lone is None and key not in self._timelines:
            self._lone[key] = record
            return True
        if lone == record:
            return False
        if lone is not None:
            del self._lone[key]
            if lone.valid_from == record.valid_from:
                self._lone[key] = record
                return True
            self._timelines[key] = _Timeline(lone)
        return self._timelines[key].put(record)

    def at(self, key: str, ts_us: int) -> R | None:
        lone = self._lone.get(key)
        if lone is not None:
            return lone if lone.valid_from <= ts_us < lone.valid_to else None
        return self.span(key, ts_us).holder

    def span(self, key: str, ts_us: int) -> Span[R]:
        """The holder at `ts_us` and the longest stretch around it over which the answer is the same."""
        lone = self._lone.get(key)
        if lone is None:
            timeline = self._timelines.get(key)
            return Span(None, MIN_INSTANT, FOREVER) if timeline is None else timeline.span(ts_us)
        if ts_us < lone.valid_from:
            return Span(None, MIN_INSTANT, lone.valid_from)
        if ts_us >= lone.valid_to:
            return Span(None, lone.valid_to, FOREVER)
        return Span(lone, lone.valid_from, lone.valid_to)

    def spans(self, key: str) -> Iterator[Span[R]]:
        """All of time, cut where the holder changes."""
        ts_us = MIN_INSTANT
        while ts_us < FOREVER:
            span = self.span(key, ts_us)
            yield span
            ts_us = span.to_us

    def versions(self, key: str) -> Sequence[R]:
        """Every version, by `valid_from`."""
        lone = self._lone.get(key)
        if lone is not None:
            return (lone,)
        timeline = self._timelines.get(key)
        return () if timeline is None else timeline.versions()


class _Timeline(Generic[R]):
    """Versions of one key, cut into stretches on the first question after a change."""

    def __init__(self, first: R) -> None:
        self._versions: dict[int, R] = {first.valid_from: first}
        self._starts: list[int] = []
        self._holders: list[R | None] = []

    def put(self, record: R) -> bool:
        if self._versions.get(record.valid_from) == record:
            return False
        self._versions[record.valid_from] = record
        self._starts.clear()
        return True

    def versions(self) -> Sequence[R]:
        return tuple(self._versions[start] for start in sorted(self._versions))

    def span(self, ts_us: int) -> Span[R]:
        if not self._starts:
            self._cut()
        index = bisect_right(self._starts, ts_us) - 1
        end = self._starts[index + 1] if index + 1 < len(self._starts) else FOREVER
        return Span(self._holders[index], self._starts[index], end)

    def _cut(self) -> None:
        """Sweep over the boundaries; a heap keeps the running versions, the latest start on top."""
        waiting = sorted(self._versions, reverse=True)
        ends = {version.valid_to for version in self._versions.values()} - {FOREVER}
        running: list[int] = []
        self._holders.clear()
        for boundary in sorted({MIN_INSTANT, *waiting, *ends}):
            while waiting and waiting[-1] <= boundary:
                heappush(running, -waiting.pop())
            while running and self._versions[-running[0]].valid_to <= boundary:
                heappop(running)
            holder = self._versions[-running[0]] if running else None
            if self._starts and self._holders[-1] is holder:
                continue
            self._starts.append(boundary)
            self._holders.append(holder)
