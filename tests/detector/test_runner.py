from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventlog.embedded import EmbeddedLog
from schemas.errors import Unavailable
from schemas.topics import TOPICS
from services.detector.runner import DetectorRunner
from tests.detector.counting import CountingEngine
from tests.detector.stream import PARTITIONS, STREAM, append, emitted, expected


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    with EmbeddedLog(tmp_path / "log", PARTITIONS) as opened:
        opened.create(TOPICS)
        yield opened


def finish(runner: DetectorRunner) -> None:
    while runner.step(timeout_ms=0):
        pass


def test_stream_gives_the_offline_result_once(log: EmbeddedLog) -> None:
    append(log)
    runner = DetectorRunner(log, CountingEngine)
    finish(runner)
    assert runner.lag() == 0
    assert runner.counts.undecodable == PARTITIONS
    runner.close()
    found = emitted(log)
    assert len(found) == len(set(found))
    assert set(found) == expected()


def test_restarts_change_nothing(log: EmbeddedLog) -> None:
    append(log)
    for _ in range(5):
        runner = DetectorRunner(log, CountingEngine)
        runner.step()
        runner.close()
    found = emitted(log)
    assert len(found) == len(set(found))
    assert set(found) == expected()


def test_crash_before_the_commit_repeats_and_loses_nothing(
    log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log)
    first = DetectorRunner(log, CountingEngine)
    first.step()
    with monkeypatch.context() as failing:

        def commit(*_: object) -> None:
            raise Unavailable("the disk went away")

        failing.setattr(log, "commit", commit)
        with pytest.raises(Unavailable):
            first.step()
    first.close()
    second = DetectorRunner(log, CountingEngine)
    finish(second)
    second.close()
    found = emitted(log)
    assert len(found) > len(set(found))
    assert set(found) == expected()


def test_run_follows_the_log_until_it_is_stopped(log: EmbeddedLog) -> None:
    stop = threading.Event()
    runner = DetectorRunner(log, CountingEngine)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    append(log, STREAM[:50])
    append(log, STREAM[50:])
    for _ in range(300):
        if runner.counts.messages == len(STREAM):
            break
        stop.wait(0.1)
    stop.set()
    thread.join(10)
    assert set(emitted(log)) == expected()
    DetectorRunner(log, CountingEngine).close()  # the first one left the group
