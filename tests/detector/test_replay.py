"""The real engine on a simulated world through ingest: restarts in the middle change no byte."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from eventlog.embedded import EmbeddedLog
from eventlog.log import Message
from schemas.feed import BatchHeader
from schemas.law import load_law
from schemas.registry import FeedFormat
from schemas.topics import TOPICS, TRANSACTIONS
from services.detector.engine import Engine
from services.detector.processing import Detector
from services.detector.runner import DetectorRunner
from services.ingest.body import Body
from services.ingest.ingest import Ingest
from services.ingest.settings import Settings
from simulator.feed import feed_batches
from simulator.world import simulate
from tests.detector.stream import PARTITIONS, emitted

DAYS = 3
MAX_BODY = 1 << 26


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> list[Message]:
    """What ingest puts on `transactions` for a few days of a world."""
    folder = tmp_path_factory.mktemp("world")
    world = simulate(3, DAYS)
    with EmbeddedLog(folder / "log", PARTITIONS) as log:
        ingest = Ingest(log, Settings(token_key=bytes(32), demo=True, spool_folder=folder))
        records = "\n".join(record.model_dump_json() for record in world.registry_records())
        with Body.of(records.encode(), MAX_BODY) as body:
            ingest.registration.register(body)
        for batch in feed_batches(world):
            header = BatchHeader(feed_id=batch.feed_id, sequence=batch.sequence, format=FeedFormat.json)
            with Body.of(batch.content, MAX_BODY) as body:
                ingest.receiver.receive(header, body)
            if batch.balances:
                with Body.of(batch.balances, MAX_BODY) as body:
                    ingest.statements.take(ingest.receiver.feed(batch.feed_id), body)
        log.flush()
        return list(log.replay(TRANSACTIONS))


@pytest.fixture
def log(tmp_path: Path, stream: list[Message]) -> Iterator[EmbeddedLog]:
    with EmbeddedLog(tmp_path / "log", PARTITIONS) as opened:
        opened.create(TOPICS)
        for message in stream:
            opened.append(TRANSACTIONS, message.key, message.value, message.headers, message.partition)
        yield opened


def detect(log: EmbeddedLog, steps_a_run: int) -> list[tuple[str, bytes, bytes]]:
    law = load_law()
    while True:
        runner = DetectorRunner(log, lambda: Engine(law))
        handled = [runner.step(timeout_ms=0) for _ in range(steps_a_run)]
        runner.close()
        if not all(handled):
            return emitted(log)


def test_restarts_change_no_byte(log: EmbeddedLog, stream: list[Message], tmp_path: Path) -> None:
    whole = detect(log, steps_a_run=len(stream))
    assert len(whole) > 5, "too quiet a world to show anything"
    with EmbeddedLog(tmp_path / "shaken", PARTITIONS) as shaken:
        shaken.create(TOPICS)
        for message in stream:
            shaken.append(TRANSACTIONS, message.key, message.value, message.headers, message.partition)
        # Sorted: how two partitions' findings lie between each other is no part of the promise.
        assert sorted(detect(shaken, steps_a_run=max(1, len(stream) // 50 // 3))) == sorted(whole)


def test_messages_taken_in_one_by_one_change_no_byte(log: EmbeddedLog, stream: list[Message]) -> None:
    law = load_law()
    detector = Detector(lambda: Engine(law), partial(log.read, TRANSACTIONS))
    found = [
        (output.topic.name, output.key, output.value)
        for message in stream
        for output in detector.apply([message])
    ]
    assert sorted(found) == sorted(detect(log, steps_a_run=len(stream)))
