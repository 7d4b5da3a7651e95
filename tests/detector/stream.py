"""A small stream of `transactions` in two partitions, and what it comes to offline."""

from __future__ import annotations

import json

import pyarrow as pa

from eventlog.log import Log, Message
from schemas.batch import SCHEMA, BatchId, TransferBatch, encode
from schemas.examples import valid
from schemas.topics import ALERTS, BALANCES, KIND_HEADER, REGISTRY, RISK_SCORES, TRANSACTIONS, TRANSFERS
from services.detector.processing import Detector, Output
from tests.detector.counting import CountingEngine

PARTITIONS = 2
LENGTH = 120
ROWS = 20


def _transfers(partition: int, number: int) -> bytes:
    columns = {
        "tx_id": [f"{partition}-{number}-{row}" for row in range(ROWS)],
        "ts_us": [1_700_000_000_000_000 + number * ROWS + row for row in range(ROWS)],
        "src": [bytes([row] * 16) for row in range(ROWS)],
        "dst": [bytes([row + 1] * 16) for row in range(ROWS)],
        "amount_minor": [number * 1000 + row for row in range(ROWS)],
        "purpose": [0] * ROWS,
        "instruction": [""] * ROWS,
        "reversal_of": [""] * ROWS,
    }
    arrays = [pa.array(columns.get(field.name, ["x"] * ROWS)).cast(field.type) for field in SCHEMA]
    identity = BatchId(f"feed-{partition}", f"batch-{number}", partition)
    return encode(TransferBatch(identity, pa.record_batch(arrays, schema=SCHEMA)))


def _message(partition: int, number: int) -> Message:
    kind, value = TRANSFERS, b""
    if number % 17 == 3:
        kind = REGISTRY
        value = json.dumps([{**valid("party")[0], "party_id": f"party-{partition}-{number}"}]).encode()
    elif number % 17 == 5:
        kind, value = BALANCES, json.dumps(valid("balance")[:1]).encode()
    elif number != 40:  # 40 is an empty message, which cannot be decoded
        value = _transfers(partition, number)
    return Message(TRANSACTIONS.name, partition, number, b"feed", value, {KIND_HEADER: kind})


STREAM = [_message(partition, number) for number in range(LENGTH) for partition in range(PARTITIONS)]


def offline() -> list[Output]:
    """The outputs of one process that reads STREAM once and never stops."""
    detector = Detector(CountingEngine, lambda *_: ())
    return [output for message in STREAM for output in detector.apply([message])]


def append(log: Log, messages: list[Message] = STREAM) -> None:
    for message in messages:
        log.append(TRANSACTIONS, message.key, message.value, message.headers, message.partition)
    log.flush()


def emitted(log: Log) -> list[tuple[str, bytes, bytes]]:
    return [
        (message.topic, message.key, message.value)
        for topic in (ALERTS, RISK_SCORES)
        for message in log.replay(topic)
    ]


def expected() -> set[tuple[str, bytes, bytes]]:
    return {(output.topic.name, output.key, output.value) for output in offline()}
