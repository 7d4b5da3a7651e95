"""Memory of the rolling graph, by what it is for, and the longest pause while it grows.

`python -m benchmarks.graph.memory`, in a process of its own; prints one JSON object.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from functools import partial

import numpy as np

from benchmarks.graph.ours import Batches, new_graph, tokens
from benchmarks.graph.stream import ROWS, Regime, make
from benchmarks.machine import resident_bytes
from services.detector.graph import RollingGraph, Shapes


def held_bytes() -> int:
    gc.collect()
    return resident_bytes()


def memory(live: int, regime: Regime, is_searched: bool) -> dict[str, object]:
    """Bytes an account, from naming all accounts; bytes a live transfer, from then filling the window, the
    lists that searches read among them where `is_searched`."""
    stream = make(live, regime, measured=ROWS * 8)
    batches = Batches(stream)
    numbers = np.unique(np.concatenate((stream.src, stream.dst)))
    names = [each.tobytes() for each in tokens(stream.accounts)[numbers]]
    RollingGraph.warm()
    graph = new_graph(live)
    apply = partial(graph.apply_and_search, shapes=Shapes()) if is_searched else graph.apply
    apply(batches.batch(0, ROWS))
    start = held_bytes()
    for name in names:
        graph.intern(name)
    named = held_bytes()
    pauses_s = []
    for first in range(ROWS, live, ROWS):
        batch = batches.batch(first, first + ROWS)
        began_s = time.perf_counter()
        apply(batch)
        pauses_s.append(time.perf_counter() - began_s)
    filled = held_bytes()
    return {
        "live": graph.live,
        "searched": is_searched,
        "accounts": graph.accounts,
        "bytes_an_account": round((named - start) / graph.accounts, 1),
        "bytes_a_live_transfer": round((filled - named) / graph.live, 1),
        "growth_batch_p50_ms": round(1000 * float(np.median(pauses_s)), 3),
        "growth_batch_max_ms": round(1000 * max(pauses_s), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", type=int, required=True)
    parser.add_argument("--regime", type=Regime, default=Regime.shared)
    parser.add_argument("--searched", action="store_true", help="with the lists that searches read")
    given = parser.parse_args()
    print(json.dumps(memory(given.live, given.regime, given.searched)))


if __name__ == "__main__":
    main()
