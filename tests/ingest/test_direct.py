import json
from hashlib import sha256
from threading import Event, Thread

import pytest

from schemas.errors import Unavailable
from schemas.feed import BatchStatus
from schemas.topics import DIRECT_FEEDS, DIRECT_REGISTRY, RECEIPTS
from services.ingest import direct
from services.ingest.direct import GROUP, DirectIntake


@pytest.fixture
def intake(world):
    consumer = world.log.consume((DIRECT_FEEDS, DIRECT_REGISTRY), GROUP)
    yield DirectIntake(world.ingest, consumer)
    consumer.close()


@pytest.fixture
def send(world, as_ndjson):
    def send(records, key=b"", **headers):
        value = records if isinstance(records, bytes) else as_ndjson(records)
        named = {name.replace("_", "-"): text.encode() for name, text in headers.items()}
        world.log.append(DIRECT_FEEDS, key, value, named)

    return send


def drain(intake):
    while intake.step(timeout_ms=0):
        pass


def test_batches_on_the_topic_are_taken_with_their_headers(world, intake, send, tx):
    send([tx(1)], feed="bank_a", sequence="7", format="json", control_count="1", control_sum="100.25")
    send([tx(2)], key=b"keyless")
    send([tx(3)], feed="bank_a", sequence="8", control_count="2")
    drain(intake)
    first, second, third = world.receipts()
    assert (first.feed_id, first.sequence, first.status) == ("bank_a", 7, BatchStatus.accepted)
    assert first.declared == first.actual
    assert (second.feed_id, second.sequence, second.digest) == (
        "keyless",
        None,
        sha256((json.dumps(tx(2)) + "\n").encode()).hexdigest(),
    )
    assert third.status is BatchStatus.rejected
    assert world.tx_ids() == ["T1", "T2"]


def test_registry_records_come_before_the_batches_of_the_same_poll(world, intake, send, tx):
    send([tx(1)], feed="new")
    world.log.append(DIRECT_REGISTRY, b"", b'{"kind":"feed","feed_id":"new","bank":"b"}\nrubbish\n')
    drain(intake)
    assert [receipt.feed_id for receipt in world.receipts()] == ["new"]
    (reject,) = world.rejects().values()
    assert (reject.feed_id, reject.record_number) == ("registry", 2)


@pytest.mark.parametrize(
    ("headers", "feed_id", "reason"),
    [
        ({}, "unknown", "is not registered"),
        ({"feed": "nobody"}, "nobody", "feed 'nobody' is not registered"),
        ({"feed": "no such name!"}, "unknown", "is not registered"),
        ({"feed": "registry"}, "unknown", "is not registered"),
        ({"feed": "bank_a", "sequence": "first"}, "bank_a", "header sequence:"),
        ({"feed": "bank_a", "sequence": "-1"}, "bank_a", "header sequence:"),
        ({"feed": "bank_a", "format": "pdf"}, "bank_a", "header format:"),
        ({"feed": "bank_a", "control_sum": "NaN"}, "bank_a", "header control_sum:"),
    ],
)
def test_what_cannot_be_a_batch_is_kept_and_the_next_is_taken(
    world, intake, send, tx, as_ndjson, headers, feed_id, reason
):
    send([tx(1)], **headers)
    send([tx(2)], feed="bank_a", sequence="1")
    drain(intake)
    (reject,) = world.rejects().values()
    assert (reject.feed_id, reject.record_number) == (feed_id, 0)
    assert reason in reject.reason
    assert reject.raw.encode() == as_ndjson([tx(1)])
    assert world.tx_ids() == ["T2"]


@pytest.mark.parametrize("body", [b"", b"\x00\xff\x00", b"[" * 100_000, b"<?xml", b'{"tx_id":'])
def test_hostile_bodies_leave_a_trace_and_nothing_else(world, intake, send, tx, body):
    send(body, feed="bank_a", sequence="1")
    send([tx(2)], feed="bank_a", sequence="2")
    drain(intake)
    assert len(world.rejects()) == 1
    assert world.tx_ids() == ["T2"]


def test_a_conflict_is_kept_as_a_reject(world, intake, send, tx):
    send([tx(1)], feed="bank_a", sequence="1")
    send([tx(2)], feed="bank_a", sequence="1")
    drain(intake)
    send([tx(3)], feed="bank_a", sequence="1")
    drain(intake)
    assert world.tx_ids() == ["T1"]
    reasons = [reject.reason for reject in world.rejects().values()]
    assert len(reasons) == 2
    assert all("was taken with the digest" in reason for reason in reasons)


def test_a_fault_of_ours_does_not_stop_the_feeds_behind_it(world, intake, send, tx, monkeypatch, caplog):
    stage = world.ingest.receiver.stage
    monkeypatch.setattr(
        world.ingest.receiver, "stage", lambda header, body: stage(header, body) if header.sequence else 1 / 0
    )
    send([tx(1)], feed="bank_a")
    send([tx(2)], feed="bank_a", sequence="2")
    drain(intake)
    (reject,) = world.rejects().values()
    assert reject.reason == "internal error at feed-batches/0@0: ZeroDivisionError"
    assert "ZeroDivisionError" in caplog.text
    assert world.tx_ids() == ["T2"]


def test_nothing_is_committed_before_it_is_durable_and_nothing_is_skipped(world, intake, send, tx):
    send([tx(1)], feed="bank_a", sequence="1")
    world.log.failing_topic = RECEIPTS.name
    for _ in range(2):
        with pytest.raises(Unavailable):
            intake.step(timeout_ms=0)
    world.log.failing_topic = ""
    send([tx(2)], feed="bank_a", sequence="2")
    drain(intake)
    assert [receipt.sequence for receipt in world.receipts()] == [1, 2]
    assert len({batch.id for batch in world.batches()}) == 2


def test_after_a_restart_what_was_taken_is_not_taken_again(world, send, tx):
    send([tx(1)], feed="bank_a", sequence="1")
    for _ in range(2):
        consumer = world.log.consume((DIRECT_FEEDS, DIRECT_REGISTRY), GROUP)
        drain(DirectIntake(world.ingest, consumer))
        consumer.close()
        world.restart()
    assert world.tx_ids() == ["T1"]


def test_the_loop_waits_while_the_log_does_not_answer_and_stops_when_told(
    world, send, tx, monkeypatch, caplog
):
    monkeypatch.setattr(direct, "RETRY_SECONDS", (0.01,))
    send([tx(1)], feed="bank_a", sequence="1")
    world.log.failing_flushes = 3
    stop = Event()
    thread = Thread(target=direct.run, args=(world.ingest, stop))
    thread.start()
    while not world.receipts():
        stop.wait(0.01)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert "trying again" in caplog.text
    assert world.tx_ids()[-1] == "T1"
