"""The Faust worker on a real Kafka, killed, stopped and joined by another: always the offline result."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from eventlog.log import Log
from schemas.topics import ALERTS, TOPICS
from tests.detector.stream import PARTITIONS, STREAM, append, emitted, expected

ROOT = Path(__file__).parents[2]


@pytest.fixture
def log(fresh_kafka: str) -> Iterator[Log]:
    from eventlog.kafka import KafkaLog

    with KafkaLog(fresh_kafka) as opened:
        opened.create([replace(topic, partitions=PARTITIONS) for topic in TOPICS])
        yield opened


@contextmanager
def worker(
    bootstrap: str, printed: Path, pause_s: float = 0.01, metrics_port: int = 0
) -> Iterator[subprocess.Popen[bytes]]:
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.detector.counting", str(pause_s)],
            cwd=ROOT,
            env={
                **os.environ,
                "LOOKTHROUGH_KAFKA_BOOTSTRAP": bootstrap,
                "LOOKTHROUGH_DETECTOR_METRICS_PORT": str(metrics_port),
            },
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(ready: Callable[[], bool], printed: Path, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout_s} s; the worker said:\n{printed.read_text()[-6000:]}")
        time.sleep(0.1)


def emitted_count(log: Log) -> int:
    return sum(1 for _ in log.replay(ALERTS))


def test_killed_worker_is_followed_by_one_that_goes_on(fresh_kafka: str, log: Log, tmp_path: Path) -> None:
    append(log)
    printed = tmp_path / "first.log"
    with worker(fresh_kafka, printed, pause_s=0.04) as first:
        until(lambda: emitted_count(log) > 20, printed)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert emitted_count(log) < len(expected()) / 2, "killed too late to be in the middle"
    assert re.search(r" ([2-9]|\d\d) batches together", printed.read_text())
    printed = tmp_path / "second.log"
    with worker(fresh_kafka, printed) as second:
        until(lambda: set(emitted(log)) == expected(), printed)
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0, printed.read_text()
    assert "replaying 0 to" in printed.read_text()


def test_workers_that_come_and_go_share_one_result(fresh_kafka: str, log: Log, tmp_path: Path) -> None:
    append(log)
    printed = [tmp_path / "first.log", tmp_path / "second.log"]
    with ExitStack() as workers:
        first = workers.enter_context(worker(fresh_kafka, printed[0], pause_s=0.08))
        until(lambda: emitted_count(log) > 20, printed[0])
        workers.enter_context(worker(fresh_kafka, printed[1], pause_s=0.08))
        until(lambda: bool(re.search(r"assigned: \[[01]\]", printed[1].read_text())), printed[1])
        shared = emitted_count(log)
        until(lambda: emitted_count(log) > shared + 20, printed[1])
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0, printed[0].read_text()
        until(lambda: set(emitted(log)) == expected(), printed[1])
    assert "partitions assigned: [0, 1]" in printed[1].read_text()


def test_worker_stopped_in_order_repeats_nothing(fresh_kafka: str, log: Log, tmp_path: Path) -> None:
    append(log, STREAM[:100])
    from tests.plugins.kafka import free_ports

    (port,) = free_ports(1)
    printed = tmp_path / "worker.log"
    with worker(fresh_kafka, printed, metrics_port=port) as process:
        until(lambda: len(emitted(log)) >= 98, printed)
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        assert "lookthrough_detector_undecodable_total 2.0" in metrics
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, printed.read_text()
    append(log, STREAM[100:])
    with worker(fresh_kafka, printed):
        until(lambda: set(emitted(log)) == expected(), printed)
    found = emitted(log)
    assert len(found) == len(set(found))
