"""Both logs, behind one fixture, so that one suite holds both to the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from eventlog.embedded import EmbeddedLog
from eventlog.log import Log
from schemas.topics import ALERTS, REGISTRY_TOPIC, Topic

PARTITIONS = 2
_serial = count()


@pytest.fixture(params=["embedded", "kafka"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    if request.param == "embedded":
        opened: Log = EmbeddedLog(tmp_path / "log", PARTITIONS)
    else:
        bootstrap = request.getfixturevalue("kafka_bootstrap")
        from eventlog.kafka import KafkaLog

        opened = KafkaLog(bootstrap)
    with opened:
        yield opened


@pytest.fixture
def topic(log: Log) -> Topic:
    """A topic of two partitions, new for each test."""
    made = replace(ALERTS, name=f"topic-{next(_serial)}", partitions=PARTITIONS)
    log.create([made])
    return made


@pytest.fixture
def compacted(log: Log) -> Topic:
    made = replace(REGISTRY_TOPIC, name=f"compacted-{next(_serial)}")
    log.create([made])
    return made


@pytest.fixture
def group() -> str:
    return f"group-{next(_serial)}"
