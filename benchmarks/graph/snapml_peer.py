"""snapml's GraphFeaturePreprocessor: optional, in an environment of its own, its licence its own.

It reads timestamps as 32-bit numbers, so it gets seconds. It inserts a whole batch before it looks,
and it enumerates temporal cycles without a limit of length. Fan and degree patterns are counted too,
which stand for the aggregates that others keep.
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from snapml import GraphFeaturePreprocessor

from benchmarks.graph.stream import START_US, WINDOW_US, Stream
from benchmarks.graph.subject import MIN_SPREAD, Hits, Shapes

_SECOND_US = 1_000_000
_RAW_COLUMNS = 5


def versions() -> dict[str, str]:
    return {"snapml": version("snapml"), "numpy": version("numpy")}


class SnapmlPeer:
    def __init__(self, stream: Stream, shapes: Shapes, threads: int = 1) -> None:
        window_s = WINDOW_US // _SECOND_US
        self._stream = stream
        self._shapes = shapes
        self._graph = GraphFeaturePreprocessor()
        self._graph.set_params(
            {
                "num_threads": threads,
                "time_window": window_s,
                "vertex_stats": False,
                "fan": True,
                "fan_tw": window_s,
                "fan_bins": [1],
                "degree": True,
                "degree_tw": window_s,
                "degree_bins": [1],
                "scatter-gather": shapes.has_scatter_gather,
                "scatter-gather_tw": window_s,
                "scatter-gather_bins": [MIN_SPREAD],
                "temp-cycle": shapes.has_cycles,
                "temp-cycle_tw": shapes.cycle_window_us // _SECOND_US,
                "temp-cycle_bins": [2],
                "lc-cycle": False,
            }
        )

    def fill(self, first: int, last: int) -> None:
        self._graph.partial_fit(self.prepare(first, last))

    def prepare(self, first: int, last: int) -> NDArray[np.float64]:
        s = self._stream
        seconds = (s.ts_us[first:last] - START_US) // _SECOND_US
        columns = (
            np.arange(first, last),
            s.src[first:last],
            s.dst[first:last],
            seconds,
            s.amount_minor[first:last],
        )
        return np.ascontiguousarray(np.column_stack(columns), np.float64)

    def take(self, prepared: NDArray[np.float64]) -> NDArray[np.float64]:
        features: NDArray[np.float64] = self._graph.transform(prepared)
        return features

    def hits(self, first: int, taken: NDArray[np.float64]) -> Hits:
        """Columns after the raw ones: fan in, fan out, degree in, degree out, then the patterns."""
        patterns = taken[:, _RAW_COLUMNS + 4 :]
        found: Hits = {}
        for kind, counts in zip(self._shapes.kinds, patterns.T, strict=True):
            found[kind] = set((first + np.flatnonzero(counts)).tolist())
        return found

    def counters(self) -> dict[str, int]:
        return {}


def make(stream: Stream, shapes: Shapes) -> SnapmlPeer:
    return SnapmlPeer(stream, shapes)
