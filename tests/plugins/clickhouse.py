"""A real ClickHouse server for the session: `clickhouse_server` is where it is.

`clickhouse_database` is an empty database on it that only its test uses, migrated. Where
clickhouse-server is not installed, tests fail under CI and are skipped, loudly, elsewhere.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from schemas.errors import Unavailable
from store.clickhouse import ServerDatabase
from store.migrations import migrate
from store.settings import Server

RUN = Path(__file__).parents[2] / "deploy" / "clickhouse" / "run"


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("clickhouse"), free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def fresh_clickhouse(clickhouse_server: Server) -> Iterator[Callable[[], Server]]:
    """Each call makes an empty database on the server and says where it is."""
    numbers = count(1)

    def make() -> Server:
        name = f"test_{next(numbers)}"
        with closing(ServerDatabase(clickhouse_server, connections=1)) as database:
            database.execute(f"CREATE DATABASE {name}")
        return replace(clickhouse_server, database=name)

    return make


@pytest.fixture
def clickhouse_database(fresh_clickhouse: Callable[[], Server]) -> Iterator[ServerDatabase]:
    with closing(ServerDatabase(fresh_clickhouse())) as database:
        migrate(database)
        yield database


@pytest.fixture(scope="session")
def crashing_clickhouse() -> Callable[[Path, int], AbstractContextManager[Server]]:
    """`with crashing_clickhouse(folder, port) as server`: a server that dies at the block's end."""
    return partial(running, end=signal.SIGKILL)


@contextmanager
def running(folder: Path, port: int, end: signal.Signals = signal.SIGTERM) -> Iterator[Server]:
    """A server with its files in `folder`; `end` is sent to its pid when the block is left."""
    _require_server()
    server = Server("127.0.0.1", port)
    process = subprocess.Popen(
        [RUN, folder / "data", str(port), folder / "logs"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(process, server, folder / "logs" / "clickhouse-errors.log")
        yield server
    finally:
        process.send_signal(end)
        process.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def _require_server() -> None:
    if shutil.which("clickhouse-server", path=f"{os.environ['PATH']}:/usr/sbin"):
        return
    reason = "no real ClickHouse: clickhouse-server is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _await(process: subprocess.Popen[bytes], server: Server, log: Path, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    with closing(ServerDatabase(server, connections=1)) as database:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                database.ping()
            except Unavailable:
                time.sleep(0.05)
                continue
            return
    pytest.fail(f"ClickHouse did not start:\n{log.read_text()[-4000:] if log.exists() else ''}")
