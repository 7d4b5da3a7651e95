"""The product path: every typology on, from a columnar message to alerts, on one core.

    make bench-engine               or: python -m benchmarks.engine --help

Two feeds: the simulated world with its registry loaded, cut to a size that keeps about a million
transfers live, and the public data set `amlgentex_s0` without a registry. The engine is filled with
the first 32 days, untimed; then each message is decoded and applied: by itself, or with as many that
wait as a worker takes in together when it is behind (services/detector/intake.py). Each row of figures is
of an engine of its own. Where the time goes is told by cProfile in a run apart, which slows Python more
than kernels. Writes build/bench/engine.json.
"""

from __future__ import annotations

import cProfile
import gc
import json
import pstats
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa

from benchmarks.machine import load_average, machine, resident_bytes
from lookthrough.cli import COLLECTED_EVERY
from lookthrough.files import Directory, read_transactions
from schemas.batch import BatchId, TransferBatch, decode, encode
from schemas.instant import DAY, MAX_INSTANT
from schemas.law import load_law
from schemas.registry import RegistryRecord
from schemas.transaction import Transaction
from services.detector.engine import Engine
from services.detector.graph import RollingGraph
from services.detector.intake import ROWS_TOGETHER
from services.detector.typologies import TYPOLOGIES
from services.ingest.formats.parsed import Parsed
from services.ingest.normalise import normalise
from services.ingest.registration import tokenised
from services.ingest.tokens import Tokeniser
from simulator import parameters
from simulator.world import World, simulate

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench" / "engine.json"
LABELLED = ROOT.parent / "shared" / "data" / "amlgentex_s0" / "transactions.csv.gz"
FILL_US = 32 * DAY
FILL_ROWS = 8_192
ENTRIES = ("candidates", "confirm", "recheck", "stated", "absorb")
"""What the engine calls of a typology."""
CALLERS = ("engine.py", "panel.py")
"""The modules that call it."""
GRAPH_ENTRIES = ("apply", "apply_and_search")


@dataclass(frozen=True, eq=False)
class Feed:
    name: str
    registry: Sequence[RegistryRecord]
    rows: pa.RecordBatch

    @property
    def filled(self) -> int:
        """Rows of the first FILL_US."""
        times = self.rows.column("ts_us").to_numpy()
        return int(np.searchsorted(times, times[0] + FILL_US))

    def messages(self, first: int, last: int, rows: int) -> list[bytes]:
        return [
            encode(
                TransferBatch(
                    BatchId(self.name, str(start), 0), self.rows.slice(start, min(rows, last - start))
                )
            )
            for start in range(first, last, rows)
        ]


def simulated(seed: int, share: float, days: int) -> Feed:
    """`share` of the simulator's large world, sent at ingest's door."""
    tokens = Tokeniser(b"key of the engine benchmark")
    world = simulate(seed, days, size=scaled(parameters.SIZES["large"], share))
    registry = [tokenised(record, tokens) for record in world.registry]
    chunks = normalise(_sent(world), tokens, MAX_INSTANT)
    return Feed("simulated", registry, _joined(chunk.columns for chunk in chunks))


def scaled(size: parameters.Size, share: float) -> parameters.Size:
    """Fewer of everything; listings and cases are per platform, day and variant, and stay."""
    counts = {
        field.name: max(2, round(getattr(size, field.name) * share))
        for field in fields(size)
        if field.name not in ("listings", "cases")
    }
    return replace(size, **counts)


def _sent(world: World) -> Iterator[Parsed]:
    transfers: Iterator[Transaction] = (one for day in world.days() for one in day.transfers)
    return (Parsed(number, b"", one) for number, one in enumerate(transfers, start=1))


def labelled() -> Feed:
    chunks = read_transactions(LABELLED, Directory(), lambda _bytes: None)
    return Feed("amlgentex_s0", [], _joined(chunk.columns for chunk in chunks))


def _joined(chunks: Iterator[pa.RecordBatch]) -> pa.RecordBatch:
    (rows,) = pa.Table.from_batches(chunks).unify_dictionaries().combine_chunks().to_batches()
    return rows


def filled(feed: Feed) -> Engine:
    engine = Engine(load_law())
    engine.apply_registry(feed.registry)
    for message in feed.messages(0, feed.filled, FILL_ROWS):
        engine.apply_transfers(decode(message))
    return engine


def measure(feed: Feed, rows: int, most: int, is_behind: bool) -> dict[str, Any]:
    """An engine filled anew, then timed over at most `most` transfers: message by message, or as many at once
    as a worker takes that is behind."""
    before = resident_bytes()
    engine = filled(feed)
    last = min(feed.rows.num_rows, feed.filled + most)
    messages = feed.messages(feed.filled, last, rows)
    gc.collect()
    seconds: list[float] = []
    alerts: Counter[str] = Counter()
    began_cpu_s = time.process_time()
    together = max(1, ROWS_TOGETHER // rows) if is_behind else 1
    for first in range(0, len(messages), together):
        began_s = time.perf_counter()
        outputs = engine.apply_transfers(*map(decode, messages[first : first + together]))
        seconds.append(time.perf_counter() - began_s)
        alerts.update(alert.typology for alert in outputs.alerts)
    cpu_s = time.process_time() - began_cpu_s
    count = last - feed.filled
    p50, p99 = np.quantile(seconds, (0.5, 0.99)) * 1000
    return {
        "rows_a_message": rows,
        "is_behind": is_behind,
        "transfers": count,
        "filled_with": feed.filled,
        "live": _live(engine),
        "transfers_per_second": round(count / sum(seconds)),
        "transfers_per_core_second": round(count / cpu_s),
        "batch_p50_ms": round(float(p50), 2),
        "batch_p99_ms": round(float(p99), 2),
        "batch_max_ms": round(max(seconds) * 1000, 2),
        "alerts": dict(sorted(alerts.items())),
        "held_mb": round((resident_bytes() - before) / 2**20),
    }


def _live(engine: Engine) -> int:
    graph: RollingGraph = engine._graph
    return graph.live


def shares(feed: Feed, rows: int, most: int) -> dict[str, Any]:
    """Of the time in apply_transfers(): per cent in each typology and in what the engine calls of it, in
    the graph, and elsewhere; and what each typology did."""
    engine = filled(feed)
    last = min(feed.rows.num_rows, feed.filled + most)
    batches = [decode(message) for message in feed.messages(feed.filled, last, rows)]
    before = engine.counters().typologies
    profile = cProfile.Profile()
    profile.enable()
    for batch in batches:
        engine.apply_transfers(batch)
    profile.disable()
    spent_s: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (file, _, function), (*_, callers) in pstats.Stats(profile).stats.items():
        path = Path(file)
        is_entry = path.parent.name == "typologies" and function in ENTRIES
        if not is_entry and (path.name != "graph.py" or function not in GRAPH_ENTRIES):
            continue
        name = path.stem if is_entry else "graph"
        for (caller, _, _), (*_, cumulative_s) in callers.items():
            if Path(caller).name in CALLERS:
                spent_s[name][function] += cumulative_s
    whole_s = pstats.Stats(profile).total_tt
    percent = {name: round(100 * each.total() / whole_s, 1) for name, each in spent_s.items()}
    percent["elsewhere"] = round(100 - sum(percent.values()), 1)
    typologies = {
        name: {
            **{entry: round(100 * spent_s[name][entry] / whole_s, 2) for entry in ENTRIES},
            "did": {what: count - getattr(before[name], what) for what, count in asdict(tally).items()},
        }
        for name, tally in engine.counters().typologies.items()
    }
    return {
        "rows_a_batch": rows,
        "transfers": last - feed.filled,
        "profiled_seconds": round(whole_s, 2),
        "percent": dict(sorted(percent.items(), key=lambda one: -one[1])),
        "percent_by_entry": typologies,
    }


def measured(feed: Feed, sizes: Sequence[int], most: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"registry_records": len(feed.registry), "batches": []}
    for rows, is_behind in product(sizes, (False, True)):
        if is_behind and rows > ROWS_TOGETHER // 2:
            continue
        figures["batches"].append(measure(feed, rows, most, is_behind))
        print(feed.name, json.dumps(figures["batches"][-1]), file=sys.stderr, flush=True)
    figures["shares"] = shares(feed, sizes[len(sizes) // 2], most)
    return figures


@click.command()
@click.option("--seed", default=11, show_default=True)
@click.option("--share", default=0.34, show_default=True, help="Of the simulator's large world.")
@click.option("--days", default=40, show_default=True, help="Simulated, the first 32 to fill the window.")
@click.option("--rows", default="500,1024,8192", show_default=True, help="Transfers a message, with commas.")
@click.option("--most", default=200_000, show_default=True, help="Transfers timed.")
def main(seed: int, share: float, days: int, rows: str, most: int) -> None:
    """Measure the detector's engine on this machine; write build/bench/engine.json."""
    sizes = [int(each) for each in rows.split(",")]
    gc.set_threshold(*COLLECTED_EVERY)
    RollingGraph.warm()
    result: dict[str, Any] = {
        "command": f"python -m benchmarks.engine {' '.join(sys.argv[1:])}".strip(),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "typologies": [typology.id for typology in TYPOLOGIES],
        "load_average_before": load_average(),
    }
    result["simulated"] = measured(simulated(seed, share, days), sizes, most)
    if LABELLED.exists():
        result["amlgentex_s0"] = measured(labelled(), sizes, most)
    else:
        print(f"{LABELLED.name} is not there: not measured", file=sys.stderr)
    result["load_average_after"] = load_average()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    print(f"Wrote {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
