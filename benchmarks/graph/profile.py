"""Where a transfer's nanoseconds of processor time go, and what one wait for memory costs on this machine.

`python -m benchmarks.graph.profile` prints one JSON object. The parts of an update are told by
cProfile, which adds little to functions called once a batch; a shape's search is the difference of
two whole runs, with it and without it. A wait for memory is one step of a walk over a random cycle
through an array: each address is known only when the last was read (Drepper, "What every programmer
should know about memory", 2007, 3.3.2).
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import numba
import numpy as np

from benchmarks.graph.ours import Batches, asked, new_graph
from benchmarks.graph.stream import ROWS, Regime, Stream, make
from benchmarks.graph.subject import Shapes
from services.detector.graph import RollingGraph
from services.detector.graph import Shapes as Searched

MEASURED: Final = 102_400
FILL_ROWS: Final = 8_192
NOTHING: Final = Searched()
LINE_BYTES: Final = 64
_GRAPH: Final = Path("services") / "detector" / "graph"


def filled(stream: Stream, batches: Batches) -> RollingGraph:
    graph = new_graph(stream.live)
    for first in range(0, stream.live, FILL_ROWS):
        graph.apply(batches.batch(first, min(first + FILL_ROWS, stream.live)))
    return graph


def measured(stream: Stream, batches: Batches) -> list[Any]:
    return [batches.batch(first, first + ROWS) for first in range(stream.live, len(stream), ROWS)]


def update_parts(stream: Stream, batches: Batches) -> dict[str, float]:
    """Nanoseconds a transfer in each function of the graph, its callees not counted."""
    graph = filled(stream, batches)
    waiting = measured(stream, batches)
    profile = cProfile.Profile(time.process_time_ns, 1e-9)
    profile.enable()
    for batch in waiting:
        graph.apply(batch)
    profile.disable()
    spent_s: dict[str, float] = {"elsewhere": 0.0}
    for (file, _, function), (_, _, own_s, _, _) in pstats.Stats(profile).stats.items():
        name = f"{Path(file).stem}.{function}" if str(_GRAPH) in file else "elsewhere"
        spent_s[name] = spent_s.get(name, 0.0) + own_s
    nanoseconds = {name: round(each_s * 1e9 / MEASURED, 1) for name, each_s in spent_s.items()}
    return dict(sorted(nanoseconds.items(), key=lambda item: -item[1])[:12])


def search_ns(stream: Stream, batches: Batches, searched: Searched) -> float:
    """Nanoseconds a transfer, the update included; the median batch's."""
    graph = filled(stream, batches)
    seconds = []
    for batch in measured(stream, batches):
        began_s = time.process_time()
        graph.apply_and_search(batch, searched)
        seconds.append(time.process_time() - began_s)
    return median(seconds) * 1e9 / ROWS


def searches(stream: Stream, batches: Batches) -> dict[str, float]:
    """Nanoseconds a transfer that each search adds, alone."""
    whole = asked(Shapes.catalogue)
    cycles = {name: getattr(whole, name) for name in ("cycle_legs", "cycle_window_us")}
    carried = {name: getattr(whole, name) for name in ("least_permille", "most_permille")}
    window = {"window_us": whole.window_us}
    each = {
        "cycles, any amount": Searched(**cycles),
        "cycles, amount carried": Searched(**cycles, **carried),
        "scatter-gather": Searched(**window, middles=whole.middles),
        "bipartite": Searched(**window, bipartite=whole.bipartite),
        "fans": Searched(
            **window, fan_in=whole.fan_in, fan_out=whole.fan_out, gather_scatter=whole.gather_scatter
        ),
        "all of the catalogue": whole,
    }
    without = search_ns(stream, batches, NOTHING)
    added = {name: round(search_ns(stream, batches, one) - without, 1) for name, one in each.items()}
    return {"update": round(without, 1)} | added


@numba.njit(nogil=True)
def walk(following: np.ndarray, steps: int) -> int:
    place = 0
    for _ in range(steps):
        place = following[place]
    return place


def latency_ns(size_bytes: int, steps: int = 2_000_000) -> float:
    """One dependent read from anywhere in an array of this size; the best of five."""
    stride = LINE_BYTES // 8
    order = np.random.default_rng(1).permutation(size_bytes // LINE_BYTES) * stride
    following = np.zeros(size_bytes // 8, np.int64)
    following[order] = np.roll(order, -1)
    walk(following, 10)
    seconds = []
    for _ in range(5):
        began_s = time.process_time()
        walk(following, steps)
        seconds.append(time.process_time() - began_s)
    return round(min(seconds) * 1e9 / steps, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", type=int, default=1_000_000)
    parser.add_argument("--regime", type=Regime, default=Regime.shared)
    given = parser.parse_args()
    RollingGraph.warm()
    stream = make(given.live, given.regime, measured=MEASURED)
    batches = Batches(stream)
    figures = {
        "live": given.live,
        "regime": given.regime.value,
        "update_ns": update_parts(stream, batches),
        "added_ns": searches(stream, batches),
        "latency_ns": {f"{mb} MB": latency_ns(mb << 20) for mb in (1, 16, 64, 256, 1024)},
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
