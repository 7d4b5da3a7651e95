"""`deployed`: what `make up` starts (Kafka, ClickHouse, recorder, detector, ingest, api), on free ports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plugins.kafka import excuse_client, free_ports

DEPLOY = Path(__file__).parents[2] / "deploy"
PORTS = ("kafka", "controller", "clickhouse", "ingest", "metrics", "api")


@dataclass(frozen=True)
class Deployed:
    kafka: str
    ingest: str
    api: str
    keys: dict[str, str]


@pytest.fixture(scope="session")
def deployed(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    _require_servers()
    folder = tmp_path_factory.mktemp("deployed")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    excuse_client(pytestconfig, ports["kafka"])
    arguments = [word for name, port in ports.items() for word in (f"--{name}", str(port))]
    started = subprocess.run(
        [DEPLOY / "up", "--folder", folder, *arguments], capture_output=True, text=True, timeout=300
    )
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield Deployed(
            kafka=f"127.0.0.1:{ports['kafka']}",
            ingest=f"http://127.0.0.1:{ports['ingest']}",
            api=f"http://127.0.0.1:{ports['api']}",
            keys=json.loads((folder / "keys.json").read_text()),
        )
    finally:
        stopped = subprocess.run(
            [DEPLOY / "down", "--folder", folder], capture_output=True, text=True, timeout=300
        )
    assert stopped.returncode == 0, stopped.stderr
    assert "killed" not in stopped.stdout


def _require_servers() -> None:
    path = f"{os.environ['PATH']}:/usr/sbin"
    missing = [name for name in ("java", "clickhouse-server") if shutil.which(name, path=path) is None]
    if not missing:
        return
    reason = f"the deployed shape needs {' and '.join(missing)}: make servers"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
