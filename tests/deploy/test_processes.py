from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SLEEPER = ["sh", "-c", "echo ready; exec sleep 60"]
STUBBORN = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]


@pytest.fixture
def started(processes: ModuleType, tmp_path: Path) -> Iterator[Any]:
    kept = processes.Processes(tmp_path)
    yield kept
    kept.stop_all(lambda _: None, patience_s=0.5)


def start(kept: Any, name: str, command: list[str]) -> int:
    kept.start(name, command, os.environ, lambda said: "ready" in said, timeout_s=10)
    return int(kept.pid(name))


def runs(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return state != "" and not state.startswith("Z")


def test_started_process_runs_until_it_is_stopped(started: Any) -> None:
    pid = start(started, "one", SLEEPER)
    assert runs(pid)
    told: list[str] = []
    started.stop_all(told.append)
    assert told == ["one stopped"]
    assert not runs(pid)
    started.stop_all(told.append)
    assert told == ["one stopped"]


def test_last_started_is_stopped_first(started: Any) -> None:
    for name in ("b", "c", "a"):
        start(started, name, SLEEPER)
    told: list[str] = []
    started.stop_all(told.append)
    assert told == ["a stopped", "c stopped", "b stopped"]


def test_process_deaf_to_sigterm_is_killed(started: Any) -> None:
    pid = start(started, "deaf", STUBBORN)
    told: list[str] = []
    started.stop_all(told.append, patience_s=0.5)
    assert told == ["deaf did not stop within 0.5 s and was killed"]
    time.sleep(0.2)
    assert not runs(pid)


def test_pid_of_a_stranger_is_left_alone(started: Any, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            (tmp_path / "pids" / "ours").write_text(f"{stranger.pid}\nMon Jan  1 00:00:00 2024")
            assert started.pid("ours") is None
            told: list[str] = []
            started.stop_all(told.append)
            assert told == ["ours was not running"]
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_process_that_ends_too_soon_shows_its_last_words(started: Any, processes: ModuleType) -> None:
    with pytest.raises(processes.Failed, match=r"(?s)short ended with status 3.*no such luck"):
        start(started, "short", ["sh", "-c", "echo no such luck >&2; exit 3"])


def test_process_that_is_never_ready_is_given_up(started: Any, processes: ModuleType) -> None:
    with pytest.raises(processes.Failed, match="slow was not ready within"):
        started.start("slow", ["sleep", "60"], os.environ, lambda _: False, timeout_s=0.3)


def test_words_of_an_earlier_run_do_not_count(started: Any, processes: ModuleType) -> None:
    started.log("again").write_text("ready\n")
    with pytest.raises(processes.Failed, match="not ready"):
        started.start("again", ["sleep", "60"], os.environ, lambda said: "ready" in said, timeout_s=0.3)
