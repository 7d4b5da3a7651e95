"""Processes that outlive the command that starts them: known by pid and start time, so that stopping
one can never hit a stranger who was given the pid later."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class Failed(Exception):
    """Something did not start or stop; the text says what to do."""


class Processes:
    """The processes whose pids and logs are kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._pids = folder / "pids"
        self._logs = folder / "logs"
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        for made in (self._pids, self._logs):
            made.mkdir(parents=True, exist_ok=True)

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def pid(self, name: str) -> int | None:
        """Of the process if it runs."""
        if name in self._children:
            self._children[name].poll()  # or it stays a zombie while we live
        try:
            pid, started = (self._pids / name).read_text().split("\n", 1)
        except FileNotFoundError:
            return None
        return int(pid) if _started(int(pid)) == started else None

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        ready: Callable[[str], bool],
        timeout_s: float = 90,
    ) -> None:
        """Start it and return when `ready` (given what it printed so far); raises Failed with the end
        of its log when it ends or `timeout_s` passes before."""
        log = self.log(name)
        with log.open("ab") as output:
            printed_before = output.tell()
            process = subprocess.Popen(  # noqa: S603  # the caller's own programs
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._children[name] = process
        (self._pids / name).write_text(f"{process.pid}\n{_started(process.pid)}")
        deadline = time.monotonic() + timeout_s
        while not ready(printed := _tail(log, printed_before)):
            if process.poll() is not None:
                raise Failed(f"{name} ended with status {process.returncode}; {log} ends:\n{printed[-2000:]}")
            if time.monotonic() > deadline:
                raise Failed(f"{name} was not ready within {timeout_s:g} s; {log} ends:\n{printed[-2000:]}")
            time.sleep(0.1)

    def stop_all(self, told: Callable[[str], None], patience_s: float = 45) -> None:
        """Stop what was started, last first."""
        for file in sorted(self._pids.iterdir(), key=lambda file: file.stat().st_mtime_ns, reverse=True):
            self._stop(file.name, told, patience_s)
            file.unlink()

    def _stop(self, name: str, told: Callable[[str], None], patience_s: float) -> None:
        pid = self.pid(name)
        if pid is None:
            told(f"{name} was not running")
            return
        killed = f"did not stop within {patience_s:g} s and was killed"
        for sign, ending in ((signal.SIGTERM, "stopped"), (signal.SIGKILL, killed)):
            os.kill(pid, sign)
            deadline = time.monotonic() + patience_s
            while self.pid(name) is not None and time.monotonic() < deadline:
                time.sleep(0.1)
            if self.pid(name) is None:
                told(f"{name} {ending}")
                return
        raise Failed(f"{name} (pid {pid}) does not end")


def _started(pid: int) -> str | None:
    """When the process started, as `ps` prints it; None when it does not run."""
    asked = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    shown = subprocess.run(  # noqa: S603  # nothing of it comes from outside
        asked, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    ).stdout.strip()
    state, _, started = shown.partition(" ")
    return started.strip() if state and not state.startswith("Z") else None


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")
