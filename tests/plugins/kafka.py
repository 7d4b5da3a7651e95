"""Real Kafka brokers: `kafka_bootstrap` is the address of the session's, `fresh_kafka` of the test's own.

Where Java or Kafka's jars cannot be had, its tests fail under CI and are skipped, loudly, elsewhere.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

KAFKA = Path(__file__).parents[2] / "deploy" / "kafka"


def pytest_configure(config: pytest.Config) -> None:
    # The clients' own use of old names, met when they are imported; ours stay errors.
    for old in ("read_text is deprecated", "open_text is deprecated"):
        config.addinivalue_line("filterwarnings", f"ignore:{old}:DeprecationWarning")


@pytest.fixture(scope="session")
def kafka_bootstrap(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _broker(pytestconfig, tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture
def fresh_kafka(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[str]:
    """A broker of the test's own, for tests of the product's fixed topics and groups."""
    with _broker(pytestconfig, tmp_path / "kafka") as bootstrap:
        yield bootstrap


def excuse_client(config: pytest.Config, port: int) -> None:
    """Let sockets to the broker at `port` be closed by the garbage collector, from here on.

    A kafka-python client that is closed while it connects, or with a request half sent, stops its loop
    and leaves that socket open; there is nothing of it that a caller could close.
    """
    unclosed = rf"unclosed <socket.* raddr=\('127\.0\.0\.1', {port}\)"
    warnings.filterwarnings("ignore", unclosed, ResourceWarning)  # in this test
    config.addinivalue_line("filterwarnings", f"ignore:{unclosed}:ResourceWarning")  # in later ones


@contextmanager
def _broker(config: pytest.Config, folder: Path) -> Iterator[str]:
    _require_jars()
    folder.mkdir(exist_ok=True)
    port, controller = free_ports(2)
    excuse_client(config, port)
    with (folder / "broker.log").open("wb") as log:
        broker = subprocess.Popen(
            [KAFKA / "run", folder / "data", str(port), str(controller)], stdout=log, stderr=log
        )
    try:
        _await(broker, port, folder / "broker.log")
        yield f"127.0.0.1:{port}"
    finally:
        broker.terminate()
        broker.wait(30)


def _require_jars() -> None:
    missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    fetched = None if missing else subprocess.run([KAFKA / "fetch"], capture_output=True, text=True)
    if fetched is not None and fetched.returncode == 0:
        return
    reason = "no real Kafka: " + (f"{' and '.join(missing)} missing" if fetched is None else fetched.stderr)
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


def _await(broker: subprocess.Popen[bytes], port: int, log: Path, timeout_s: float = 90) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and broker.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"Kafka did not start:\n{log.read_text()[-4000:]}")
