"""What was measured last, as the tables of docs/performance.md: `python -m benchmarks.report`.

Reads build/bench/graph.json, codec.json and engine.json; says which of them are not there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.graph.table import text

FOLDER: Final = Path(__file__).resolve().parents[1] / "build" / "bench"
SUBJECTS: Final = {
    "ingest_json_array": "JSON array → checked, tokenised columns",
    "ingest_ndjson": "NDJSON → checked, tokenised columns",
    "ingest_json_array_every_account_new": "the same array, no token known from an earlier batch",
    "msgspec_typed_decode": "msgspec's typed decoding alone",
    "pydantic_validation": "pydantic's validation alone",
    "columnar_encode": "columnar batch, encode",
    "columnar_decode_and_views": "columnar batch, decode and views",
}

Figures = dict[str, Any]


def markdown(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def conditions(figures: Figures) -> str:
    loads = [figures.get("load_average_before", []), figures.get("load_average_after", [])]
    before, after = (", ".join(map(str, load)) for load in loads)
    when = figures.get("measured_at") or figures["began"]
    cores, python = figures["machine"]["cores"], figures["machine"]["python"]
    return (
        f"`{figures['command']}`, {when}, {cores} cores, Python {python};"
        f" load average (1, 5, 15 min) before {before}, after {after}."
    )


def graph(figures: Figures) -> Iterator[str]:
    yield text(figures["lines"])
    yield markdown(
        ["live", "searched", "bytes a live transfer", "bytes an account", "longest pause while growing, ms"],
        [
            [
                f"{one['live']:,}",
                "yes" if one["searched"] else "no",
                f"{one['bytes_a_live_transfer']:g}",
                f"{one['bytes_an_account']:g}",
                f"{one['growth_batch_max_ms']:g}",
            ]
            for one in figures["memory"]
            if "failed" not in one
        ],
    )
    start = figures["start"]
    yield f"From the start of the process to the end of its first batch: {start['process_seconds']} s."


def codec(figures: Figures) -> Iterator[str]:
    batches = figures["batches"]
    yield markdown(
        ["transfers/core-s", *(f"{one['rows_a_batch']:,} a batch" for one in batches)],
        [
            [name, *(f"{one[subject]['transfers_per_core_second']:,}" for one in batches)]
            for subject, name in SUBJECTS.items()
        ],
    )


def engine(figures: Figures) -> Iterator[str]:
    feeds = {name: figures[name] for name in ("simulated", "amlgentex_s0") if name in figures}
    yield markdown(
        ["feed", "registry", "live", "rows a message", "taken", "transfers/s", "transfers/core-s", "p99 ms"],
        [
            [
                name,
                f"{feed['registry_records']:,}",
                f"{one['live']:,}",
                f"{one['rows_a_message']:,}",
                "together" if one["is_behind"] else "one by one",
                f"{one['transfers_per_second']:,}",
                f"{one['transfers_per_core_second']:,}",
                f"{one['batch_p99_ms']:g}",
            ]
            for name, feed in feeds.items()
            for one in feed["batches"]
        ],
    )
    for name, feed in feeds.items():
        percent = ", ".join(f"{part} {share:g}" for part, share in feed["shares"]["percent"].items())
        yield f"{name}, per cent of the time under the profiler: {percent}."


PARTS: Final[dict[str, Callable[[Figures], Iterator[str]]]] = {
    "graph": graph,
    "codec": codec,
    "engine": engine,
}


def main() -> None:
    for name, part in PARTS.items():
        file = FOLDER / f"{name}.json"
        if not file.exists():
            print(f"{name}: not measured yet (make bench-{name})\n")
            continue
        figures = json.loads(file.read_text())
        print(f"## {name}\n\n{conditions(figures)}\n")
        print("\n\n".join(part(figures)), end="\n\n")


if __name__ == "__main__":
    main()
