"""The deployed shape under load: from a bank's message on Kafka to the store, and to an alert in the API.

    make bench                     or: python -m benchmarks.path --help

Everything runs on this machine: Kafka, ClickHouse, ingest, detector, recorder, api, and the load
itself.

Throughput: messages are written as fast as Kafka takes them; the clock runs from the first append
until the store holds the last transfer and the detector has handled it.

Latency: at a fixed rate, from the append of a message with a marker (its acknowledged Kafka
timestamp) until the API shows the marker's alert.

Writes build/bench/path.json.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from urllib.parse import quote

import click
import httpx
from kafka import KafkaProducer

from benchmarks.load import Message, marker_registry, messages
from benchmarks.machine import machine, peak_mb
from lookthrough.client import PushClient
from schemas.topics import DIRECT_FEEDS
from simulator.world import simulate
from store.opening import open_database
from store.settings import parse

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench" / "path.json"
PORTS = {
    "kafka": 29092,
    "controller": 29093,
    "clickhouse": 29000,
    "ingest": 28001,
    "metrics": 29101,
    "api": 28000,
}
POLL_S = 0.02
DETECTED = "lookthrough_detector_transfers_total "
LATENCY_DAYS = 90
"""Simulated days after those of the throughput load, from which the latency load is taken."""


@dataclass(frozen=True)
class Deployed:
    folder: Path
    keys: dict[str, str]

    def pids(self) -> dict[str, int]:
        return {file.name: int(file.read_text().split()[0]) for file in (self.folder / "pids").iterdir()}

    @property
    def store_url(self) -> str:
        password = quote(self.keys["store"])
        return f"clickhouse://default:{password}@127.0.0.1:{PORTS['clickhouse']}/default"


@contextmanager
def deployed(folder: Path) -> Iterator[Deployed]:
    ports = [word for name, port in PORTS.items() for word in (f"--{name}", str(port))]
    try:
        subprocess.run([ROOT / "deploy" / "up", "--folder", folder, *ports], check=True)
        yield Deployed(folder, json.loads((folder / "keys.json").read_text()))
    finally:
        subprocess.run([ROOT / "deploy" / "down", "--folder", folder], check=True)


def register(shape: Deployed, lines: Iterator[str]) -> None:
    client = PushClient(f"http://127.0.0.1:{PORTS['ingest']}", shape.keys["operator"])
    answer = client.push_registry_bytes("\n".join(lines).encode())
    client.close()
    assert answer["rejected"] == 0, answer


def producer() -> KafkaProducer:
    return KafkaProducer(
        bootstrap_servers=f"127.0.0.1:{PORTS['kafka']}", acks="all", linger_ms=0, max_request_size=8 << 20
    )


def throughput(shape: Deployed, load: Sequence[Message]) -> dict[str, object]:
    """Transfers a second from the first append until the last is in the store and detected."""
    rows = sum(message.rows for message in load)
    database = open_database(parse(shape.store_url))
    sender = producer()
    began_s = time.monotonic()
    for message in load:
        sender.send(DIRECT_FEEDS.name, key=b"load", value=message.content, headers=message.headers)
    sender.flush()
    sent_s = time.monotonic() - began_s
    seconds: dict[str, float] = {}
    while len(seconds) < 2:
        done = {
            "store": int(database.query("SELECT count() FROM transactions")[0][0]),
            "detector": _detected(),
        }
        for place, count in done.items():
            if count >= rows:
                seconds.setdefault(place, time.monotonic() - began_s)
        print(f"\r  {done['store']:,} stored, {done['detector']:,} detected of {rows:,} ", end="", flush=True)
        time.sleep(0.25)
    print()
    sender.close()
    database.close()
    return {
        "transfers": rows,
        "rows_per_message": load[0].rows,
        "sending_seconds": round(sent_s, 2),
        "stored_seconds": round(seconds["store"], 2),
        "detected_seconds": round(seconds["detector"], 2),
        "transfers_per_second": round(rows / max(seconds.values())),
    }


def _detected() -> int:
    """Transfers that the one worker has handled, by its own count."""
    text = httpx.get(f"http://127.0.0.1:{PORTS['metrics']}/metrics").text
    return next((int(float(line.split()[1])) for line in text.splitlines() if line.startswith(DETECTED)), 0)


def latency(shape: Deployed, load: Sequence[Message], rate: int) -> dict[str, object]:
    """Milliseconds from a marker's append to its alert in the API, at `rate` transfers a second."""
    appended_s: dict[str, float] = {}
    seen_s: dict[str, float] = {}
    stop = Event()
    watcher = Thread(target=_watch, args=(shape, seen_s, stop))
    watcher.start()
    sender = producer()
    interval_s = load[0].rows / rate
    began_s = time.time()
    for position, message in enumerate(load):
        time.sleep(max(0.0, began_s + position * interval_s - time.time()))
        sent = sender.send(DIRECT_FEEDS.name, key=b"load", value=message.content, headers=message.headers)
        if message.marker:
            appended_s[message.marker] = sent.get(timeout=30).timestamp / 1000
    took_s = time.time() - began_s
    sender.close()
    deadline_s = time.monotonic() + 60
    while len(seen_s) < len(appended_s) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    stop.set()
    watcher.join()
    delays_ms = sorted(1000 * (seen_s[name] - at_s) for name, at_s in appended_s.items() if name in seen_s)
    cuts = statistics.quantiles(delays_ms, n=100)
    return {
        "transfers_per_second": round(sum(message.rows for message in load) / took_s),
        "markers": len(appended_s),
        "seen": len(delays_ms),
        "p50_ms": round(cuts[49]),
        "p95_ms": round(cuts[94]),
        "p99_ms": round(cuts[98]),
        "max_ms": round(delays_ms[-1]),
    }


def _watch(shape: Deployed, seen_s: dict[str, float], stop: Event) -> None:
    """Poll the API's newest alerts as a dashboard would, noting when each marker first shows."""
    headers = {"Authorization": f"Bearer {shape.keys['supervisor']}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{PORTS['api']}", headers=headers) as client:
        while not stop.is_set():
            page = client.get(
                "/v1/alerts", params={"typology": "reserve_misuse", "sector": "payment", "limit": 50}
            )
            now_s = time.time()
            for alert in page.raise_for_status().json()["items"]:
                seen_s.setdefault(alert["institution_id"], now_s)
            time.sleep(POLL_S)


@click.command()
@click.option("--seed", default=11, show_default=True)
@click.option("--days", default=240, show_default=True, help="Of the simulated world, for throughput.")
@click.option("--rows", default=500, show_default=True, help="Transfers a message, for throughput.")
@click.option("--rate", default=5_000, show_default=True, help="Transfers a second, for latency.")
@click.option("--seconds", default=60, show_default=True, help="How long, for latency.")
def main(seed: int, days: int, rows: int, rate: int, seconds: int) -> None:
    """Measure the deployed shape on this machine and write build/bench/path.json."""
    print("Making the load ...")
    world = simulate(seed, days + LATENCY_DAYS)
    played = world.days()
    load = list(messages(islice(played, days), rows))
    per_second = 20  # messages
    later = messages(played, rate // per_second, first_sequence=10**6, markers_every=5)
    quick = list(islice(later, seconds * per_second))
    with TemporaryDirectory(prefix="lookthrough-bench-") as folder, deployed(Path(folder)) as shape:
        registry = [record.model_dump_json() for record in (*world.registry, *marker_registry(len(quick)))]
        register(shape, iter(registry))
        result = {
            "command": f"python -m benchmarks.path {' '.join(sys.argv[1:])}".strip(),
            "machine": machine(),
            "throughput": throughput(shape, load),
            "latency": latency(shape, quick, rate),
            "peak_mb": {name: peak_mb(pid) for name, pid in sorted(shape.pids().items())},
        }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    print(f"Wrote {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
