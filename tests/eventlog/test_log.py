"""The contract of eventlog.log, over files and over a real Kafka."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from eventlog.log import Consumer, Log, Message
from schemas.errors import BatchTooLarge, Unknown
from schemas.topics import MAX_MESSAGE_BYTES, Topic


def drain(consumer: Consumer, wanted: int, timeout_s: float = 30) -> list[Message]:
    """Polls until `wanted` messages came; one poll more must bring none."""
    found: list[Message] = []
    deadline = time.monotonic() + timeout_s
    while len(found) < wanted and time.monotonic() < deadline:
        found += consumer.poll(500)
    return [*found, *consumer.poll(50)]


def values(messages: list[Message]) -> list[bytes]:
    return [message.value for message in messages]


def test_what_goes_in_comes_out(log: Log, topic: Topic, group: str) -> None:
    before_us = time.time_ns() // 1000
    log.append(topic, b"key", b"value", {"kind": b"transfers", "empty": b""}, partition=1)
    log.flush()
    consumer = log.consume([topic], group)
    (message,) = drain(consumer, 1)
    consumer.close()
    assert (message.topic, message.partition, message.offset) == (topic.name, 1, 0)
    assert (message.key, message.value) == (b"key", b"value")
    assert message.headers == {"kind": b"transfers", "empty": b""}
    assert before_us - 1000 <= message.appended_us <= time.time_ns() // 1000


@pytest.mark.parametrize("value", [b"", b"\0", bytes(range(256)) * 5000], ids=["empty", "nul", "1.3 MB"])
def test_any_bytes_are_a_value(log: Log, topic: Topic, group: str, value: bytes) -> None:
    log.append(topic, b"", value, partition=0)
    log.flush()
    consumer = log.consume([topic], group)
    assert values(drain(consumer, 1)) == [value]
    consumer.close()


def test_largest_message_passes_and_one_byte_more_does_not(log: Log, topic: Topic, group: str) -> None:
    largest = bytes(MAX_MESSAGE_BYTES - 3)
    log.append(topic, b"key", largest, partition=0)
    with pytest.raises(BatchTooLarge, match=str(MAX_MESSAGE_BYTES)):
        log.append(topic, b"key", largest + b"\0", partition=0)
    log.flush()
    consumer = log.consume([topic], group)
    assert values(drain(consumer, 1)) == [largest]
    consumer.close()


def test_offsets_count_up_in_each_partition(log: Log, topic: Topic, group: str) -> None:
    for number in range(40):
        log.append(topic, b"", b"%d" % number, partition=number % 2)
    log.flush()
    consumer = log.consume([topic], group)
    found = drain(consumer, 40)
    consumer.close()
    for partition in (0, 1):
        mine = [message for message in found if message.partition == partition]
        assert [message.offset for message in mine] == list(range(20))
        assert values(mine) == [b"%d" % number for number in range(partition, 40, 2)]


def test_equal_keys_share_a_partition(log: Log, topic: Topic, group: str) -> None:
    for number in range(60):
        log.append(topic, b"key-%d" % (number % 6), b"")
    log.flush()
    consumer = log.consume([topic], group)
    found = drain(consumer, 60)
    consumer.close()
    homes = {(message.key, message.partition) for message in found}
    assert len(homes) == 6
    assert len({partition for _, partition in homes}) == 2


def test_group_goes_on_after_its_commit(log: Log, topic: Topic, group: str) -> None:
    for number in range(4):
        log.append(topic, b"", b"%d" % number, partition=0)
    log.flush()
    first = log.consume([topic], group)
    assert len(drain(first, 4)) == 4
    first.commit()
    log.append(topic, b"", b"4", partition=0)
    log.flush()
    assert values(drain(first, 1)) == [b"4"]  # polled, never committed
    first.close()
    second = log.consume([topic], group)
    assert values(drain(second, 1)) == [b"4"]
    assert second.positions()[topic.name, 0] == 5
    second.close()


def test_groups_read_apart(log: Log, topic: Topic, group: str) -> None:
    log.append(topic, b"", b"seen by both")
    log.flush()
    for name in (f"{group}-a", f"{group}-b"):
        consumer = log.consume([topic], name)
        assert values(drain(consumer, 1)) == [b"seen by both"]
        consumer.commit()
        consumer.close()


def test_poll_takes_no_more_than_asked_for(log: Log, topic: Topic, group: str) -> None:
    for number in range(10):
        log.append(topic, b"", b"%d" % number, partition=number % 2)
    log.flush()
    consumer = log.consume([topic], group)
    found: list[Message] = []
    while len(found) < 10:
        polled = consumer.poll(5000, max_messages=3)
        assert 0 < len(polled) <= 3
        found += polled
    consumer.close()
    assert len({(message.partition, message.offset) for message in found}) == 10


def test_commit_covers_only_what_was_polled(log: Log, topic: Topic, group: str) -> None:
    for number in range(9):
        log.append(topic, b"", b"%d" % number, partition=0)
    log.flush()
    first = log.consume([topic], group)
    taken: list[Message] = []
    while not taken:
        taken = list(first.poll(1000, max_messages=4))
    first.commit()
    first.close()
    second = log.consume([topic], group)
    assert values(drain(second, 9 - len(taken))) == [b"%d" % number for number in range(len(taken), 9)]
    second.close()


def test_lag_is_what_was_not_polled(log: Log, topic: Topic, group: str) -> None:
    log.append(topic, b"", b"first", partition=0)
    log.flush()
    consumer = log.consume([topic], group)
    drain(consumer, 1)
    assert consumer.lag() == 0
    for partition in (0, 1, 1):
        log.append(topic, b"", b"more", partition=partition)
    log.flush()
    assert consumer.lag() == 3
    drain(consumer, 3)
    assert consumer.lag() == 0
    consumer.close()


def test_empty_poll_waits_and_returns_nothing(log: Log, topic: Topic, group: str) -> None:
    consumer = log.consume([topic], group)
    drain(consumer, 0)
    started = time.monotonic()
    assert list(consumer.poll(200)) == []
    assert time.monotonic() - started >= 0.15
    consumer.close()


def test_poll_wakes_when_a_message_comes(log: Log, topic: Topic, group: str) -> None:
    consumer = log.consume([topic], group)
    drain(consumer, 0)
    deadline = time.monotonic() + 60
    while not consumer.positions():  # Kafka: the group is still forming
        assert time.monotonic() < deadline, "the group did not form"
        consumer.poll(1_000)

    def later() -> None:
        time.sleep(0.2)
        log.append(topic, b"", b"now")
        log.flush()

    writer = threading.Thread(target=later)
    writer.start()
    timeout_ms, started = 60_000, time.monotonic()
    found: list[Message] = []
    while not found:  # Kafka's may return early, with nothing
        found += consumer.poll(timeout_ms)
    assert values(found) == [b"now"]
    assert time.monotonic() - started < timeout_ms / 1000  # woken, not timed out
    writer.join()
    consumer.close()


def test_one_consumer_reads_several_topics(log: Log, topic: Topic, compacted: Topic, group: str) -> None:
    log.append(topic, b"", b"one")
    log.append(compacted, b"key", b"two")
    log.flush()
    consumer = log.consume([topic, compacted], group)
    assert {(found.topic, found.value) for found in drain(consumer, 2)} == {
        (topic.name, b"one"),
        (compacted.name, b"two"),
    }
    consumer.close()


def test_replay_is_everything_up_to_now(log: Log, topic: Topic, group: str) -> None:
    for number in range(30):
        log.append(topic, b"", b"%d" % number, partition=number % 2)
    log.flush()
    replayed = log.replay(topic)
    log.append(topic, b"", b"after")
    log.flush()
    found = sorted(replayed, key=lambda message: (message.partition, message.offset))
    evens = [b"%d" % number for number in range(0, 30, 2)]
    odds = [b"%d" % number for number in range(1, 30, 2)]
    assert values(found) == evens + odds


@pytest.mark.parametrize(
    ("start", "end", "offsets"),
    [(0, 5, range(5)), (3, 7, range(3, 7)), (4, 4, ()), (8, 99, range(8, 10)), (10, 12, ())],
    ids=["head", "middle", "nothing", "past the end", "after the end"],
)
def test_read_is_a_stretch_of_one_partition(
    log: Log, topic: Topic, start: int, end: int, offsets: Sequence[int]
) -> None:
    for number in range(20):
        log.append(topic, b"", b"%d" % number, partition=number % 2)
    log.flush()
    found = list(log.read(topic, 1, start, end))
    assert {message.partition for message in found} <= {1}
    assert [message.offset for message in found] == list(offsets)
    assert values(found) == [b"%d" % (2 * offset + 1) for offset in offsets]


def test_replay_of_an_empty_topic_ends(log: Log, topic: Topic) -> None:
    assert list(log.replay(topic)) == []


def test_compacted_topic_keeps_the_newest_of_each_key(log: Log, compacted: Topic) -> None:
    for number in range(20):
        log.append(compacted, b"key-%d" % (number % 4), b"%d" % number)
    log.flush()
    newest = {message.key: message.value for message in log.replay(compacted)}
    assert newest == {b"key-0": b"16", b"key-1": b"17", b"key-2": b"18", b"key-3": b"19"}


def test_creating_again_changes_nothing(log: Log, topic: Topic) -> None:
    log.append(topic, b"", b"kept")
    log.flush()
    log.create([replace(topic, partitions=7)])
    assert log.partitions(topic) == 2
    assert len(list(log.replay(topic))) == 1


@pytest.mark.parametrize(
    "use",
    [
        lambda log, topic: log.partitions(topic),
        lambda log, topic: log.append(topic, b"", b""),
        lambda log, topic: log.consume([topic], "nobody"),
        lambda log, topic: log.replay(topic),
        lambda log, topic: log.read(topic, 0, 0, 1),
    ],
    ids=["partitions", "append", "consume", "replay", "read"],
)
def test_a_topic_never_created_is_unknown(
    log: Log, topic: Topic, use: Callable[[Log, Topic], object]
) -> None:
    with pytest.raises(Unknown, match="never-made"):
        use(log, replace(topic, name="never-made"))


@pytest.mark.parametrize("partition", [-1, 2])
def test_a_partition_that_is_not_there_is_unknown(log: Log, topic: Topic, partition: int) -> None:
    with pytest.raises(Unknown, match=f"no partition {partition}"):
        log.append(topic, b"", b"", partition=partition)


def test_many_threads_append(log: Log, topic: Topic) -> None:
    def write(worker: int) -> None:
        for number in range(50):
            log.append(topic, b"", b"%d:%d" % (worker, number), partition=worker % 2)
        log.flush()

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = values(list(log.replay(topic)))
    assert len(found) == 200
    for worker in range(4):
        own = [value for value in found if value.startswith(b"%d:" % worker)]
        assert own == [b"%d:%d" % (worker, number) for number in range(50)]


def test_close_twice_is_harmless(log: Log) -> None:
    log.close()
    log.close()
