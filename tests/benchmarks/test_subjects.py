"""The subjects do the work that is claimed for them, on a stream small enough to check."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from benchmarks.graph.measure import measure
from benchmarks.graph.stream import ROWS, Kind, Regime, Stream, make
from benchmarks.graph.subject import Make, Shapes

ROOT = Path(__file__).resolve().parents[2]
LIVE, MEASURED = 6 * ROWS, 6 * ROWS


@pytest.fixture(scope="module")
def stream() -> Stream:
    return make(LIVE, Regime.none, seed=5, measured=MEASURED, accounts=30_000)


@pytest.mark.parametrize(
    ("subject", "shapes"),
    [
        ("ours", Shapes.both),
        ("ours", Shapes.catalogue),
        ("dict_peer", Shapes.both),
        ("networkx_peer", Shapes.cycles),
    ],
)
def test_finds_what_was_planted(stream: Stream, subject: str, shapes: Shapes) -> None:
    module = cast(Make, importlib.import_module(f"benchmarks.graph.{subject}"))
    figures = measure(module, stream, shapes, limit_s=60)
    assert figures["whole"]
    assert figures["transfers"] == MEASURED
    recall = cast("dict[str, dict[str, int]]", figures["recall"])
    assert recall.keys() == ({"cycle"} if shapes is Shapes.cycles else {"cycle", "scatter_gather"})
    for counts in recall.values():
        assert counts["found"] == counts["planted"] > 0


def test_all_keep_the_same_window(stream: Stream) -> None:
    live = set()
    for subject in ("ours", "dict_peer", "networkx_peer"):
        module = cast(Make, importlib.import_module(f"benchmarks.graph.{subject}"))
        counters = cast("dict[str, int]", measure(module, stream, Shapes.update, limit_s=60)["counters"])
        live.add(counters["live"])
    assert len(live) == 1


def test_cycles_hit_are_the_same_rows_for_all(stream: Stream) -> None:
    hits = []
    for subject in ("ours", "dict_peer", "networkx_peer"):
        module = cast(Make, importlib.import_module(f"benchmarks.graph.{subject}"))
        one = module.make(stream, Shapes.cycles)
        one.fill(0, LIVE)
        taken = one.take(one.prepare(LIVE, len(stream)))
        hits.append(one.hits(LIVE, taken))
        assert one.counters().get("budget_spent", 0) == 0
    assert hits[0] == hits[1] == hits[2]
    assert hits[0][Kind.cycle]


def test_counts_what_was_planted_within_the_window_searched(stream: Stream) -> None:
    module = cast(Make, importlib.import_module("benchmarks.graph.dict_peer"))
    planted = []
    for shapes in (Shapes.short_cycles, Shapes.cycles):
        recall = cast("dict[str, dict[str, int]]", measure(module, stream, shapes, limit_s=60)["recall"])
        assert recall["cycle"]["found"] == recall["cycle"]["planted"]
        planted.append(recall["cycle"]["planted"])
    assert 0 < planted[0] < planted[1]


def test_stops_at_the_time_limit_and_says_so(stream: Stream) -> None:
    module = cast(Make, importlib.import_module("benchmarks.graph.dict_peer"))
    figures = measure(module, stream, Shapes.both, limit_s=0)
    assert figures["transfers"] == ROWS
    assert figures["whole"] is False


def test_one_run_prints_json() -> None:
    command = [sys.executable, "-m", "benchmarks.graph.measure", "dict_peer", "--live", str(8 * ROWS)]
    command += ["--regime", "none", "--shapes", "update", "--measured", "2048"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed)["transfers"] == 2048
