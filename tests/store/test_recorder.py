"""The recorder between a real log and a real store, with the faults of both let in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from eventlog.embedded import EmbeddedLog
from schemas import batch, examples
from schemas.errors import Unavailable
from schemas.topics import ALERTS, RECEIPTS, REGISTRY_TOPIC, REJECTS, RISK_SCORES, TOPICS, TRANSACTIONS
from store.database import Columns, Database, Rows
from store.recorder import Recorder

MakeBatch = Callable[..., batch.TransferBatch]
TABLES = (
    "transactions",
    "transactions_by_dst",
    "balances",
    "alerts",
    "risk_scores",
    "receipts",
    "rejects",
    "registry",
)


class Faulty:
    """`database`, of which the inserts named by `faults` fail, in order: before or after it took them."""

    def __init__(self, database: Database, *faults: str) -> None:
        self._database = database
        self.faults = list(faults)
        self.inserts = 0

    def insert(self, table: str, columns: Columns) -> None:
        self.inserts += 1
        fault = self.faults.pop(0) if self.faults else ""
        if fault != "before":
            self._database.insert(table, columns)
        if fault:
            raise Unavailable(f"{fault} the insert")

    def query(self, sql: str, parameters: Any = None) -> Rows:
        return self._database.query(sql, parameters)

    def execute(self, sql: str, parameters: Any = None) -> None:
        self._database.execute(sql, parameters)

    def ping(self) -> None:
        self._database.ping()

    def close(self) -> None:
        self._database.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    with EmbeddedLog(tmp_path / "log", partitions=2) as log:
        log.create(TOPICS)
        yield log


@pytest.fixture
def store(database: Database) -> Database:
    for table in (*TABLES, "unreadable_messages", "alert_versions"):
        database.execute(f"TRUNCATE TABLE {table}")
    return database


def record(name: str, **changes: Any) -> bytes:
    return json.dumps(examples.valid(name)[0] | changes).encode()


def append_everything(log: EmbeddedLog, transfer_batch: MakeBatch, batches: int = 3) -> None:
    for number in range(batches):
        value = batch.encode(transfer_batch(100, batch_id=f"{number:032x}", first=100 * number))
        log.append(TRANSACTIONS, b"bank-a", value, {"kind": b"transfers"})
    log.append(TRANSACTIONS, b"bank-a", b"[]", {"kind": b"registry"})
    balances = b"[" + record("balance") + b"]"
    log.append(TRANSACTIONS, b"bank-a", balances, {"kind": b"balances"})
    log.append(ALERTS, b"a", record("alert"))
    log.append(RISK_SCORES, b"i", record("risk-score"))
    log.append(RECEIPTS, b"r", record("receipt"))
    log.append(REJECTS, b"r", record("reject"))
    log.append(REGISTRY_TOPIC, b"r", record("institution", kind="institution"))
    log.flush()


def counts(store: Database) -> dict[str, int]:
    return {table: store.query(f"SELECT count() FROM {table} FINAL")[0][0] for table in TABLES}


EVERYTHING = dict.fromkeys(TABLES, 1) | {"transactions": 300, "transactions_by_dst": 300}


def drain(recorder: Recorder) -> int:
    """Steps until the log has nothing more and everything is written; faults are tried again."""
    written = idle = 0
    while idle < 3:
        try:
            rows = recorder.step()
        except Unavailable:
            rows = 1  # not idle, whatever was written
            written -= 1
        written += rows
        idle = 0 if rows else idle + 1
    return written


def drain_until_it_fails(recorder: Recorder) -> None:
    while True:
        recorder.step()


def close(recorder: Recorder) -> None:
    """Leave the group the way a stopping process does."""
    stop = threading.Event()
    stop.set()
    recorder.run(stop)


def test_every_topic_is_in_the_store(log: EmbeddedLog, store: Database, transfer_batch: MakeBatch) -> None:
    append_everything(log, transfer_batch)
    metrics = CollectorRegistry()
    recorder = Recorder(log, store, registry=metrics, max_age_s=0.01)
    drain(recorder)
    assert counts(store) == EVERYTHING
    rows = metrics.get_sample_value("lookthrough_recorder_rows_total", {"table": "transactions"})
    assert rows == 300
    assert metrics.get_sample_value("lookthrough_recorder_lag_messages") == 0
    close(recorder)


@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_store_that_fails_loses_nothing(
    log: EmbeddedLog, store: Database, transfer_batch: MakeBatch, fault: str
) -> None:
    append_everything(log, transfer_batch)
    faulty = Faulty(store, *[fault] * 4)
    recorder = Recorder(log, faulty, max_age_s=0.01)
    drain(recorder)
    assert faulty.faults == []
    assert counts(store) == EVERYTHING
    close(recorder)


def test_while_the_store_is_away_nothing_more_is_read(
    log: EmbeddedLog, store: Database, transfer_batch: MakeBatch
) -> None:
    append_everything(log, transfer_batch, batches=1)
    faulty = Faulty(store, *["before"] * 20)
    recorder = Recorder(log, faulty, max_rows=1, max_age_s=0.01)
    with pytest.raises(Unavailable):
        recorder.step()
    append_everything(log, transfer_batch, batches=9)
    for _ in range(10):
        with pytest.raises(Unavailable):
            recorder.step()
    assert faulty.inserts == 11
    faulty.faults.clear()
    assert recorder.step() <= 100 + 7
    drain(recorder)
    assert counts(store)["transactions"] == 900
    close(recorder)


def test_a_crash_before_the_commit_writes_again_and_doubles_nothing(
    tmp_path: Path, store: Database, transfer_batch: MakeBatch
) -> None:
    with EmbeddedLog(tmp_path / "crashed") as log:
        log.create(TOPICS)
        append_everything(log, transfer_batch)
        crashed = Recorder(log, Faulty(store, *[""] * 6, "after"), max_age_s=0.01)
        with pytest.raises(Unavailable):
            drain_until_it_fails(crashed)
    assert counts(store) == EVERYTHING
    with EmbeddedLog(tmp_path / "crashed") as log:
        again = Faulty(store)
        drain(Recorder(log, again, max_age_s=0.01))
        assert again.inserts == 7
    assert counts(store) == EVERYTHING


def test_what_is_committed_is_not_written_again(
    log: EmbeddedLog, store: Database, transfer_batch: MakeBatch
) -> None:
    append_everything(log, transfer_batch)
    first = Recorder(log, store, max_age_s=0.01)
    drain(first)
    close(first)
    faulty = Faulty(store)
    second = Recorder(log, faulty, max_age_s=0.01)
    assert drain(second) == 0
    assert faulty.inserts == 0
    close(second)


def test_an_unreadable_message_is_kept_and_counted_and_the_rest_goes_on(
    log: EmbeddedLog, store: Database, transfer_batch: MakeBatch
) -> None:
    log.append(ALERTS, b"k", b"{nonsense")
    log.append(TRANSACTIONS, b"k", b"\x00", {"kind": b"transfers"})
    append_everything(log, transfer_batch)
    metrics = CollectorRegistry()
    recorder = Recorder(log, store, registry=metrics, max_age_s=0.01)
    drain(recorder)
    assert counts(store) == EVERYTHING
    kept = store.query("SELECT topic, value_base64 FROM unreadable_messages FINAL ORDER BY topic")
    assert kept == [("alerts", "e25vbnNlbnNl"), ("transactions", "AA==")]
    for topic in ("alerts", "transactions"):
        labels = {"topic": topic}
        assert metrics.get_sample_value("lookthrough_recorder_unreadable_messages_total", labels) == 1
    close(recorder)


def test_rows_are_written_when_there_are_enough_or_they_are_old_enough(
    log: EmbeddedLog, store: Database, transfer_batch: MakeBatch
) -> None:
    append_everything(log, transfer_batch, batches=1)
    patient = Recorder(log, store, max_rows=10_000, max_age_s=60)
    assert patient.step() == 0
    assert counts(store)["transactions"] == 0
    patient.flush()
    close(patient)
    append_everything(log, transfer_batch, batches=2)
    full = Recorder(log, store, max_rows=1, max_age_s=60)
    assert full.step() > 0
    close(full)


def test_every_version_of_an_alert_is_kept(log: EmbeddedLog, store: Database) -> None:
    for version in (1, 2, 3, 2):
        log.append(ALERTS, b"a", record("alert", version=version))
    log.flush()
    recorder = Recorder(log, store, max_age_s=0.01)
    drain(recorder)
    assert store.query("SELECT version FROM alerts FINAL") == [(3,)]
    assert store.query("SELECT version FROM alert_versions FINAL ORDER BY version") == [(1,), (2,), (3,)]
    close(recorder)


def test_run_goes_on_after_failures_and_writes_the_rest_when_stopped(
    log: EmbeddedLog, store: Database, transfer_batch: MakeBatch
) -> None:
    metrics = CollectorRegistry()
    recorder = Recorder(log, Faulty(store, "before", "after"), registry=metrics, max_age_s=0.01)
    stop = threading.Event()
    thread = threading.Thread(target=recorder.run, args=(stop,))
    thread.start()
    append_everything(log, transfer_batch)
    deadline = time.monotonic() + 30
    while counts(store) != EVERYTHING and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    thread.join(30)
    assert counts(store) == EVERYTHING
    assert metrics.get_sample_value("lookthrough_recorder_failures_total") == 2


def test_stopping_writes_what_waits(log: EmbeddedLog, store: Database, transfer_batch: MakeBatch) -> None:
    append_everything(log, transfer_batch, batches=1)
    recorder = Recorder(log, store, max_rows=10_000, max_age_s=60)
    recorder.step()
    close(recorder)
    assert counts(store)["transactions"] == 100
    with closing(log.consume((ALERTS,), "recorder")) as consumer:
        assert consumer.poll(10) == []
