"""One subject, one stream, one run, in a process of its own: `python -m benchmarks.graph.measure`.

Prints one JSON object. Imports nothing that a peer's own environment may lack.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import time
from typing import NamedTuple, cast

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
    began_s = time.process_time()
    _fill(subject, stream.live, began_s + limit_s)
    fill_s = time.process_time() - began_s
    held = resident_bytes() - before
    batches = [
        (first, subject.prepare(first, min(first + ROWS, len(stream))))
        for first in range(stream.live, len(stream), ROWS)
    ]
    gc.collect()
    times, taken = _timed(subject, batches, limit_s)
    done = min(len(stream), stream.live + len(taken) * ROWS) - stream.live
    hits: Hits = {}
    for (first, _), found in zip(batches, taken, strict=False):
        for kind, rows in subject.hits(first, found).items():
            hits.setdefault(kind, set()).update(rows)
    return {
        "transfers": done,
        "whole": done == len(stream) - stream.live,
        **_figures(times, done),
        "fill_core_seconds": round(fill_s, 2),
        "held_mb": round(held / 2**20, 1),
        "recall": _recall(stream, shapes, stream.live + done, hits),
        "hits": {kind.value: len(rows) for kind, rows in hits.items()},
        "counters": subject.counters(),
        "versions": module.versions(),
    }


def _fill(subject: Subject, live: int, until_s: float) -> None:
    """The last batches as they are measured, so that all is warm; unless the processor is past `until_s`."""
    warm_from = live - WARM_BATCHES * ROWS
    for first in range(0, warm_from, FILL_ROWS):
        subject.fill(first, min(first + FILL_ROWS, warm_from))
    for first in range(warm_from, live, ROWS):
        if time.process_time() < until_s:
            subject.take(subject.prepare(first, first + ROWS))
        else:
            subject.fill(first, first + ROWS)


class Times(NamedTuple):
    """Of each batch: by the clock, and by the processor, which what else the machine does leaves alone."""

    seconds: list[float]
    cpu_seconds: list[float]


def _timed(subject: Subject, batches: list[tuple[int, object]], limit_s: float) -> tuple[Times, list[object]]:
    """Until the processor's seconds exceed `limit_s`; and what each batch found."""
    times, taken = Times([], []), []
    until_s = time.process_time() + limit_s
    for _, prepared in batches:
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        taken.append(subject.take(prepared))
        times.cpu_seconds.append((ended_cpu_s := time.process_time()) - began_cpu_s)
        times.seconds.append(time.perf_counter() - began_s)
        if ended_cpu_s > until_s:
            break
    return times, taken


def _figures(times: Times, done: int) -> dict[str, float]:
    seconds, cpu_seconds = sum(times.seconds), sum(times.cpu_seconds)
    p50, p99 = np.quantile(times.seconds, (0.5, 0.99)) * 1000
    cpu_p50, cpu_p99 = np.quantile(times.cpu_seconds, (0.5, 0.99)) * 1000
    return {
        "seconds": round(seconds, 4),
        "cpu_seconds": round(cpu_seconds, 4),
        "transfers_per_second": round(done / seconds),
        "transfers_per_core_second": round(done / cpu_seconds),
        "batch_p50_ms": round(float(p50), 3),
        "batch_p99_ms": round(float(p99), 3),
        "batch_p50_core_ms": round(float(cpu_p50), 3),
        "batch_p99_core_ms": round(float(cpu_p99), 3),
    }


def _recall(stream: Stream, shapes: Shapes, end: int, hits: Hits) -> dict[str, dict[str, int]]:
    """Of the shapes that were searched and whose last leg was taken: how many were hit at that leg."""
    searched = {Kind.cycle: Kind.cycle, Kind.hub_cycle: Kind.cycle, Kind.scatter_gather: Kind.scatter_gather}
    recall: dict[str, dict[str, int]] = {}
    for plant in stream.plants:
        rows = hits.get(searched[plant.kind])
        span_us = stream.ts_us[plant.rows[-1]] - stream.ts_us[plant.rows[0]]
        too_long = plant.kind is not Kind.scatter_gather and span_us > shapes.cycle_window_us
        if plant.rows[-1] < end and rows is not None and not too_long:
            counts = recall.setdefault(plant.kind.value, {"planted": 0, "found": 0})
            counts["planted"] += 1
            counts["found"] += plant.rows[-1] in rows
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
