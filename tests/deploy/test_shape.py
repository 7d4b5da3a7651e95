"""deploy/up and deploy/down with the real servers, on free ports; and that compose says the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.deploy.conftest import DEPLOY
from tests.plugins.kafka import free_ports

NAMES = ("kafka", "controller", "clickhouse", "ingest", "metrics", "api")
COMPOSE = (DEPLOY / "compose.yml").read_text()


def deploy(do: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DEPLOY / do, "--folder", folder, *options], capture_output=True, text=True, timeout=300
    )


def pids(printed: str) -> dict[str, int]:
    return {name: int(pid) for name, pid in re.findall(r"^(\S+) .* pid (\d+)$", printed, re.MULTILINE)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    have = shutil.which("clickhouse-server", path=os.environ["PATH"] + ":/usr/sbin") and shutil.which("java")
    if not have or not (DEPLOY / "kafka" / "target" / "fetched").exists():
        reason = "the servers are not here: run deploy/install-servers"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return tmp_path / "deployed"


def test_up_twice_and_down_twice(folder: Path) -> None:
    ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
    options = [part for name, port in ports.items() for part in (f"--{name}", str(port))]
    try:
        first = deploy("up", folder, *options)
        assert first.returncode == 0, first.stdout + first.stderr
        running = pids(first.stdout)
        assert list(running) == ["kafka", "clickhouse", "recorder", "detector-1", "ingest", "api"]
        assert pids(deploy("up", folder, *options).stdout) == running
        key = json.loads((folder / "keys.json").read_text())["supervisor"]
        asked = urllib.request.Request(
            f"http://127.0.0.1:{ports['api']}/v1/alerts", headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(asked) as answer:
            assert json.load(answer)["items"] == []
    finally:
        stopped = deploy("down", folder)
    assert sorted(stopped.stdout.splitlines()) == sorted(f"{name} stopped" for name in running)
    assert deploy("down", folder).stdout == ""
    for port in ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_taken_port_is_named_before_anything_starts(folder: Path) -> None:
    ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
    options = [part for name, port in ports.items() for part in (f"--{name}", str(port))]
    with socket.create_server(("127.0.0.1", ports["api"])):
        refused = deploy("up", folder, *options)
    assert refused.returncode == 1
    assert f"port {ports['api']}, which api needs, is taken" in refused.stderr
    assert refused.stdout == ""


def test_down_where_nothing_was_up_is_harmless(tmp_path: Path) -> None:
    stopped = deploy("down", tmp_path / "nowhere")
    assert (stopped.returncode, stopped.stdout) == (0, "")


def test_compose_runs_commands_that_exist() -> None:
    from lookthrough.cli import main

    commands = [words.split(", ") for words in re.findall(r"command: \[(.*)\]", COMPOSE)]
    assert ["serve", "detector"] in commands
    for command in commands:
        assert CliRunner().invoke(main, [*command, "--help"]).exit_code == 0, command


def test_compose_has_the_broker_of_the_bare_machine() -> None:
    from eventlog.kafka import MAX_BATCH_BYTES

    pom = (DEPLOY / "kafka" / "pom.xml").read_text()
    (version,) = re.findall(r"kafka_2\.13</artifactId>\s*<version>(.*)</version>", pom)
    assert f"image: apache/kafka:{version}\n" in COMPOSE
    properties = dict(
        line.split("=", 1)
        for line in (DEPLOY / "kafka" / "server.properties").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert properties["message.max.bytes"] == str(MAX_BATCH_BYTES)
    settings = dict(re.findall(r"^      KAFKA_(\w+): \"?([^\"\n]+)\"?$", COMPOSE, re.MULTILINE))
    for name in ("message.max.bytes", "replica.fetch.max.bytes", "auto.create.topics.enable"):
        assert settings[name.upper().replace(".", "_")] == properties[name]


def test_compose_file_is_one(tmp_path: Path) -> None:
    """Docker's own judgement, where its compose plugin is there."""
    plugin = shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True)
    if not plugin or plugin.returncode:
        pytest.skip("docker's compose plugin is not here")
    variables = ("TOKEN_KEY", "OPERATOR_KEY_SHA256", "STORE_PASSWORD", "ACCESS_FILE")
    environment = {**os.environ, **{f"LOOKTHROUGH_{name}": "/x" for name in variables}}
    judged = subprocess.run(
        ["docker", "compose", "-f", DEPLOY / "compose.yml", "config", "--quiet"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert judged.returncode == 0, judged.stderr
