"""The deployed process: started, used and stopped as an operator would."""

import json
import logging
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

from eventlog.kafka import KafkaLog
from schemas.batch import decode
from schemas.feed import Receipt
from schemas.topics import DIRECT_FEEDS, RECEIPTS, TRANSACTIONS
from services.ingest.lines import JsonLines

ROOT = Path(__file__).parents[2]
RUN = "import os; from services.ingest.service import run; from services.ingest.settings import Settings;"
RUN += "run(Settings.from_environment(os.environ))"


@contextmanager
def ingest_process(bootstrap, log_file):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = {
        **os.environ,
        "LOOKTHROUGH_DEMO": "1",
        "LOOKTHROUGH_KAFKA_BOOTSTRAP": bootstrap,
        "LOOKTHROUGH_INGEST_PORT": str(port),
    }
    with log_file.open("wb") as lines:
        process = subprocess.Popen([sys.executable, "-c", RUN], env=environ, cwd=ROOT, stderr=lines)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_until(happened, process, log_file):
    deadline = time.monotonic() + 60
    while not happened():
        assert process.poll() is None, log_file.read_text()
        assert time.monotonic() < deadline, log_file.read_text()
        time.sleep(0.1)


def ready(address):
    try:
        return httpx.get(f"{address}/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_over_kafka_it_serves_takes_direct_feeds_and_stops_cleanly(
    kafka_bootstrap, tmp_path, tx, as_ndjson, stop
):
    feed = f"feed-{stop.name}"
    with (
        ingest_process(kafka_bootstrap, tmp_path / "lines") as (process, address),
        KafkaLog(kafka_bootstrap) as log,
    ):
        wait_until(lambda: ready(address), process, tmp_path / "lines")
        httpx.post(
            f"{address}/v1/registry", content=as_ndjson([{"kind": "feed", "feed_id": feed, "bank": "b"}])
        )
        pushed = httpx.post(
            f"{address}/v1/feeds/{feed}/batches", params={"sequence": 1}, content=as_ndjson([tx(1)])
        )
        assert pushed.status_code == 201, pushed.text
        headers = {"feed": feed.encode(), "sequence": b"2"}
        log.append(DIRECT_FEEDS, feed.encode(), as_ndjson([tx(2)]), headers)
        log.flush()

        def receipts():
            found = [Receipt.model_validate_json(message.value) for message in log.replay(RECEIPTS)]
            return [receipt.sequence for receipt in found if receipt.feed_id == feed]

        wait_until(lambda: receipts() == [1, 2], process, tmp_path / "lines")
        process.send_signal(stop)
        assert process.wait(60) == 0, (tmp_path / "lines").read_text()
        # A transfer that touches no institution is in every partition.
        batches = [
            decode(message.value).id.feed_id
            for message in log.replay(TRANSACTIONS)
            if message.headers["kind"] == b"transfers"
        ]
        assert batches.count(feed) == 2 * log.partitions(TRANSACTIONS)
    lines = [json.loads(line) for line in (tmp_path / "lines").read_text().splitlines()]
    assert lines[-1]["message"] == "ingest stopped"
    assert not any("62170000" in line["message"] for line in lines)


def test_lines_are_json_whatever_they_say():
    try:
        raise ValueError('two\n"lines"')
    except ValueError:
        record = logging.LogRecord("a.b", logging.ERROR, __file__, 1, "账 %s", ("x\ny",), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    read = json.loads(line)
    assert (read["level"], read["from"], read["message"]) == ("error", "a.b", "账 x\ny")
    assert read["traceback"].endswith('ValueError: two\n"lines"')
