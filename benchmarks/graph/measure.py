"""One subject, one stream, one run, in a process of its own: `python -m benchmarks.graph.measure`.

Prints one JSON object. Imports nothing that a peer's own environment may lack.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import time
from typing import cast

import numpy as np

from benchmarks.graph.stream import MEASURED, ROWS, Kind, Regime, Stream, make
from benchmarks.graph.subject import Hits, Make, Shapes, Subject
from benchmarks.machine import resident_bytes

FILL_ROWS = 8_192
WARM_BATCHES = 4
"""Measured batches that are taken before the clock starts, among the fill."""


def measure(module: Make, stream: Stream, shapes: Shapes, limit_s: float) -> dict[str, object]:
    """Fill, then time batch after batch until the stream or `limit_s` ends."""
    before = resident_bytes()
    subject = module.make(stream, shapes)
    began_s = time.perf_counter()
    _fill(subject, stream.live, began_s + limit_s)
    fill_s = time.perf_counter() - began_s
    held = resident_bytes() - before
    batches = [
        (first, subject.prepare(first, min(first + ROWS, len(stream))))
        for first in range(stream.live, len(stream), ROWS)
    ]
    gc.collect()
    seconds, cpu_s, taken = _timed(subject, batches, limit_s)
    done = min(len(stream), stream.live + len(taken) * ROWS) - stream.live
    hits: Hits = {}
    for (first, _), found in zip(batches, taken, strict=False):
        for kind, rows in subject.hits(first, found).items():
            hits.setdefault(kind, set()).update(rows)
    return {
        "transfers": done,
        "whole": done == len(stream) - stream.live,
        "seconds": round(sum(seconds), 4),
        "cpu_seconds": round(cpu_s, 4),
        "transfers_per_second": round(done / sum(seconds)),
        "transfers_per_cpu_second": round(done / cpu_s),
        **_quantiles_ms(seconds),
        "fill_seconds": round(fill_s, 2),
        "held_mb": round(held / 2**20, 1),
        "recall": _recall(stream, stream.live + done, hits),
        "hits": {kind.value: len(rows) for kind, rows in hits.items()},
        "counters": subject.counters(),
        "versions": module.versions(),
    }


def _fill(subject: Subject, live: int, until_s: float) -> None:
    """The last batches as they are measured, so that all is warm; unless they are past `until_s`."""
    warm_from = live - WARM_BATCHES * ROWS
    for first in range(0, warm_from, FILL_ROWS):
        subject.fill(first, min(first + FILL_ROWS, warm_from))
    for first in range(warm_from, live, ROWS):
        if time.perf_counter() < until_s:
            subject.take(subject.prepare(first, first + ROWS))
        else:
            subject.fill(first, first + ROWS)


def _timed(
    subject: Subject, batches: list[tuple[int, object]], limit_s: float
) -> tuple[list[float], float, list[object]]:
    """Seconds of each batch, processor seconds of all, and what each found."""
    seconds, taken = [], []
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for _, prepared in batches:
        start_s = time.perf_counter()
        taken.append(subject.take(prepared))
        end_s = time.perf_counter()
        seconds.append(end_s - start_s)
        if end_s - began_s > limit_s:
            break
    return seconds, time.process_time() - began_cpu_s, taken


def _quantiles_ms(seconds: list[float]) -> dict[str, float]:
    p50, p99 = np.quantile(seconds, (0.5, 0.99)) * 1000
    return {
        "batch_p50_ms": round(float(p50), 3),
        "batch_p99_ms": round(float(p99), 3),
        "batch_max_ms": round(max(seconds) * 1000, 3),
    }


def _recall(stream: Stream, end: int, hits: Hits) -> dict[str, dict[str, int]]:
    """Of the shapes whose last leg was taken: how many were hit at that leg."""
    searched = {Kind.cycle: Kind.cycle, Kind.hub_cycle: Kind.cycle, Kind.scatter_gather: Kind.scatter_gather}
    recall: dict[str, dict[str, int]] = {}
    for plant in stream.plants:
        if plant.rows[-1] < end and searched[plant.kind] in hits:
            counts = recall.setdefault(plant.kind.value, {"planted": 0, "found": 0})
            counts["planted"] += 1
            counts["found"] += plant.rows[-1] in hits[searched[plant.kind]]
    return recall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subject", help="a module of benchmarks.graph: ours, dict_peer, ...")
    parser.add_argument("--live", type=int, required=True)
    parser.add_argument("--regime", type=Regime, required=True)
    parser.add_argument("--shapes", type=Shapes, required=True)
    parser.add_argument("--measured", type=int, default=MEASURED)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-s", type=float, default=60)
    given = parser.parse_args()
    module = cast(Make, importlib.import_module(f"benchmarks.graph.{given.subject}"))
    stream = make(given.live, given.regime, given.seed, given.measured)
    print(json.dumps(measure(module, stream, given.shapes, given.limit_s)))


if __name__ == "__main__":
    main()
