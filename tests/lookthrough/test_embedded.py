"""`lookthrough run` as a newcomer starts it: alerts come, a stop is clean, a second start goes on."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

LOOKTHROUGH = Path(sys.executable).with_name("lookthrough")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


@contextmanager
def running(folder, stop=signal.SIGINT):
    """The process and its client; what it printed is in folder/out."""
    port = free_port()
    with (folder / "out").open("ab") as out:
        process = subprocess.Popen(
            [LOOKTHROUGH, "run", "--data", folder / "data", "--port", str(port)],
            stdout=out,
            stderr=out,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        process.send_signal(stop)
        assert process.wait(60) == 0, (folder / "out").read_text()


def shown(folder, text, timeout_s=60):
    """Whether `text` is printed in time."""
    deadline = time.monotonic() + timeout_s
    while text not in (folder / "out").read_text() and time.monotonic() < deadline:
        time.sleep(0.2)
    return text in (folder / "out").read_text()


def alerts_of(client):
    try:
        return client.get("/v1/alerts").json()["items"]
    except httpx.TransportError:
        return []


def first_alerts(client, timeout_s=120):
    deadline = time.monotonic() + timeout_s
    while not (found := alerts_of(client)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_alerts_come_and_stay(tmp_path, stop):
    with running(tmp_path, stop) as client:
        first = first_alerts(client)
        assert first
        receipts = client.get("/v1/feeds").json()["items"]
        assert all(feed["accepted"] for feed in receipts)
        assert shown(tmp_path, first[0]["typology"])
    with running(tmp_path, stop) as client:
        again = first_alerts(client)
        assert {alert["alert_id"] for alert in first} <= {alert["alert_id"] for alert in again}
    printed = (tmp_path / "out").read_text()
    assert "curl -s" in printed
    assert "Traceback" not in printed
    assert "died" not in printed


def test_the_routes_of_ingest_and_api_are_one_document(tmp_path):
    with running(tmp_path) as client:
        first_alerts(client)
        paths = client.get("/openapi.json").json()["paths"]
        assert {"/v1/alerts", "/v1/feeds/{feed}/batches", "/v1/registry"} <= set(paths)
        assert client.get("/docs").status_code == 200


def test_two_at_once_in_one_folder_are_refused(tmp_path):
    with running(tmp_path) as client:
        assert first_alerts(client)
        second = subprocess.run(
            [LOOKTHROUGH, "run", "--data", tmp_path / "data", "--port", str(free_port())],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert second.returncode == 1
    assert "Error:" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        refused = subprocess.run(
            [LOOKTHROUGH, "run", "--data", tmp_path, "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert refused.returncode == 1
    assert f"port {port}" in refused.stderr
