"""The rolling graph beside its peers: one stream, one window, the same shapes, one core.

    make bench-graph                or: python -m benchmarks.graph --help

Each figure is from a process of its own; runs of all subjects alternate, so that a busy machine slows
them alike, and the median of a subject's runs is shown. Ratios are of processor time, which other
work on the machine disturbs least. snapml is measured where `build/peers` has it
(`python -m venv build/peers; build/peers/bin/pip install snapml==1.17.2`) or this environment does.
Writes build/bench/graph.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import click

from benchmarks.graph.plan import OURS, SNAPML, UPDATE_ONLY, Row, rows, streams
from benchmarks.graph.stream import Regime
from benchmarks.graph.table import text
from benchmarks.machine import load_average, machine

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "bench" / "graph.json"
PEERS_PYTHON = ROOT / "build" / "peers" / "bin" / "python"

BUSY = 2
"""Times as long by the clock as by the processor, at worst, on a machine that does other work."""

Figures = dict[str, Any]


def python_of(subject: str) -> Path | None:
    """The interpreter that has what the subject needs; None: no environment has it."""
    if subject != SNAPML or find_spec("snapml"):
        return Path(sys.executable)
    return PEERS_PYTHON if PEERS_PYTHON.exists() else None


def run(python: Path, module: str, arguments: list[str], kill_s: float) -> Figures:
    """What the module printed; {"failed": why} where it did not end well within `kill_s`."""
    command = [str(python), "-m", f"benchmarks.graph.{module}", *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=kill_s)
    except subprocess.TimeoutExpired:
        return {"failed": f"did not end one batch within {kill_s:.0f} s"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["it died"])[-1]}
    figures: Figures = json.loads(done.stdout)
    return figures


def run_row(row: Row, live: int, regime: Regime, limit_s: float, measured: int) -> Figures:
    python = python_of(row.subject)
    if python is None:
        return {"failed": "not installed"}
    arguments = ["--live", str(live), "--regime", regime.value, "--shapes", row.shapes.value]
    arguments += ["--limit-s", str(limit_s), "--measured", str(measured)]
    filling_s = live / 20_000
    return run(python, "measure", [row.subject, *arguments], BUSY * (2 * limit_s + filling_s))


def compare(live: int, regime: Regime, runs: int, limit_s: float, measured: int) -> list[Figures]:
    """One line for each subject: the median of its runs by processor time. One that did not do all of the
    stream in time is not run again."""
    planned = list(rows(live))
    done: defaultdict[Row, list[Figures]] = defaultdict(list)
    for _ in range(runs):
        for row in planned:
            if all(one.get("whole") for one in done[row]):
                print(f"\r\033[K  {row.subject} {row.shapes.value}", end="", file=sys.stderr, flush=True)
                done[row].append(run_row(row, live, regime, limit_s, measured))
    print("\r\033[K", end="", file=sys.stderr, flush=True)
    lines = [
        {
            "live": live,
            "regime": regime.value,
            "subject": row.subject,
            "shapes": row.shapes.value,
            **_median_run(done[row]),
        }
        for row in planned
    ]
    return compared(lines)


def compared(lines: list[Figures]) -> list[Figures]:
    """Each peer's line with how many times as fast ours is at equal work."""
    return [line | _ratio(line, lines) for line in lines]


def _median_run(runs: list[Figures]) -> Figures:
    ended = sorted(
        (one for one in runs if "failed" not in one), key=lambda one: one["transfers_per_core_second"]
    )
    if not ended:
        return runs[0] | {"runs": len(runs)}
    chosen = ended[(len(ended) - 1) // 2]
    return chosen | {
        "runs": len(ended),
        "batch_p99_core_ms": median(one["batch_p99_core_ms"] for one in ended),
        "all_runs": [one["transfers_per_core_second"] for one in ended],
    }


def _ratio(line: Figures, lines: list[Figures]) -> Figures:
    same = [one for one in lines if one["subject"] == OURS and one["shapes"] == line["shapes"]]
    if line["subject"] == OURS or "failed" in line or not same or "failed" in same[0]:
        return {}
    return {"ours_times": round(same[0]["transfers_per_core_second"] / line["transfers_per_core_second"], 2)}


def start() -> Figures:
    """The second of two starts: the first compiles what has changed since the last."""
    run(Path(sys.executable), "start", [], 900)
    began_s = time.perf_counter()
    inside = run(Path(sys.executable), "start", [], 120)
    return inside | {"process_seconds": round(time.perf_counter() - began_s, 3)}


@click.command()
@click.option(
    "--live", default="10000,100000,1000000", show_default=True, help="Live transfers, with commas."
)
@click.option("--regime", default="none,independent,shared", show_default=True, help="Of hubs, with commas.")
@click.option("--runs", default=3, show_default=True)
@click.option(
    "--limit-s", default=10.0, show_default=True, help="Longest measured processor time of one run."
)
@click.option("--measured", default=200_000, show_default=True, help="Transfers measured.")
def main(live: str, regime: str, runs: int, limit_s: float, measured: int) -> None:
    """Measure the rolling graph and its peers; print the table and write build/bench/graph.json."""
    lives = [int(one) for one in live.split(",")]
    regimes = [Regime(one) for one in regime.split(",")]
    result: Figures = {
        "command": f"python -m benchmarks.graph {' '.join(sys.argv[1:])}".strip(),
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "load_average_before": load_average(),
        "lines": [],
        "memory": [],
    }
    result["start"] = start()
    for count in lives:
        for searched in ([], ["--searched"]):
            arguments = ["--live", str(count), *searched]
            result["memory"].append(run(Path(sys.executable), "memory", arguments, 600))
    for count, kind in streams(lives, regimes):
        if count >= UPDATE_ONLY and kind is not regimes[-1]:
            continue
        lines = compare(count, kind, runs, limit_s, measured)
        print(text(lines, heading=not result["lines"]), flush=True)
        result["lines"] += lines
        result["load_average_after"] = load_average()
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps({"start": result["start"], "memory": result["memory"]}, indent=2))
    print(f"Wrote {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
