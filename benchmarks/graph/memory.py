"""Memory of the rolling graph, by what it is for, and the longest pause while it grows.

`python -m benchmarks.graph.memory`, in a process of its own; prints one JSON object. What is counted are the
pages of the graph's arrays that are resident, so that nothing else the process holds or gives back counts.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.graph.ours import Batches, new_graph
from benchmarks.graph.stream import ROWS, Regime, make
from benchmarks.machine import resident_bytes_of
from services.detector.graph import RollingGraph, Shapes

MOVED = 1.5
"""Windows, after the first is full: by then lists and tables are as large and as loose as they come to be."""


def arrays_of(held: object) -> Iterator[np.ndarray]:
    if isinstance(held, np.ndarray):
        yield held
    elif isinstance(held, tuple):
        for one in held:
            yield from arrays_of(one)


def held_bytes(graph: RollingGraph, is_searched: bool) -> tuple[int, int]:
    """For accounts: records, tokens, and where their lists lie; for transfers: all else, the banks' own ids
    among it."""
    state = graph._state
    lists, arcs = (graph._adjacency.lists, graph._adjacency.arcs) if is_searched else ((), ())
    for_accounts = arrays_of((state.accounts, lists))
    for_transfers = arrays_of((state.ring, state.pairs, state.ids, arcs))
    ids = len(pickle.dumps(graph._ids))
    return sum(map(resident_bytes_of, for_accounts)), ids + sum(map(resident_bytes_of, for_transfers))


def memory(live: int, regime: Regime, is_searched: bool) -> dict[str, object]:
    """Bytes an account and a live transfer when the window has filled, and once it has moved; the lists that
    searches read among them where `is_searched`."""
    moved = round(MOVED * live)
    stream = make(live, regime, measured=moved + ROWS)
    batches = Batches(stream)
    RollingGraph.warm()
    graph = new_graph(live)
    apply = partial(graph.apply_and_search, shapes=Shapes()) if is_searched else graph.apply
    result: dict[str, object] = {"searched": is_searched}
    taken_s = []
    for first in range(0, live + moved, ROWS):
        batch = batches.batch(first, first + ROWS)
        began_s = time.perf_counter()
        apply(batch)
        taken_s.append(time.perf_counter() - began_s)
        if first < live <= first + ROWS:
            result |= {"live": graph.live, **shared_out(graph, is_searched)}
            growing_s = taken_s[1:]  # the first uses all arrays for the first time: it is a start, no growth
            result["growth_batch_p50_ms"] = round(1000 * float(np.median(growing_s)), 3)
            result["growth_batch_max_ms"] = round(1000 * max(growing_s), 3)
    return result | {"once_moved": shared_out(graph, is_searched)}


def shared_out(graph: RollingGraph, is_searched: bool) -> dict[str, float]:
    for_accounts, for_transfers = held_bytes(graph, is_searched)
    return {
        "accounts": graph.accounts,
        "bytes_an_account": round(for_accounts / graph.accounts, 1),
        "bytes_a_live_transfer": round(for_transfers / graph.live, 1),
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
