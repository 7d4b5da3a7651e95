"""The log as Apache Kafka: idempotent producer, consumer groups, topics made from schemas.topics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Condition
from time import monotonic
from typing import Any, Final, Self

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from eventlog.log import Message
from schemas.errors import BatchTooLarge, Unavailable, Unknown
from schemas.topics import MAX_MESSAGE_BYTES, Topic

MAX_BATCH_BYTES: Final = MAX_MESSAGE_BYTES + 65_536
"""What broker, topics and clients let pass: the largest message, and room for its framing."""

MAX_QUEUED_BYTES: Final = 64 << 20
_FETCH_BYTES: Final = 16 << 20
_BOOTSTRAP_MS: Final = 15_000
_TIMEOUT_MS: Final = 30_000
_ASKED_MS: Final = 5_000
"""For what is only asked, and for leaving a group: none waits longer to stop when the broker is gone."""


@contextmanager
def _broker(bootstrap: str) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise Unavailable(f"Kafka at {bootstrap}: {error}") from error


class KafkaLog:
    """eventlog.log.Log over the cluster at `bootstrap` ("host:port", comma-separated).

    `replicas`: how many brokers hold each partition of a topic created here; one fewer (at least
    one) must have a message before it counts as durable.
    """

    def __init__(self, bootstrap: str, replicas: int = 1) -> None:
        """Raises Unavailable when no broker answers within 15 s."""
        self._bootstrap = bootstrap
        self._replicas = replicas
        self._partitions: dict[str, int] = {}
        self._queued_bytes = 0
        self._failure: BaseException | None = None
        self._settled = Condition()
        self._closed = False
        with _broker(bootstrap):
            self._producer = KafkaProducer(
                **self._client(),
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                batch_size=262_144,
                max_request_size=MAX_BATCH_BYTES,
                max_block_ms=_TIMEOUT_MS,
                request_timeout_ms=_TIMEOUT_MS,
                delivery_timeout_ms=2 * _TIMEOUT_MS,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )

    def create(self, topics: Iterable[Topic]) -> None:
        wanted = {topic.name: self._creation(topic) for topic in topics}
        with self._admin() as admin:
            answer = admin.create_topics(wanted, timeout_ms=_TIMEOUT_MS, raise_errors=False)
            for topic in answer["topics"]:
                error = for_code(topic["error_code"])
                if topic["error_code"] and error is not TopicAlreadyExistsError:
                    raise error(f"topic {topic['name']}: {topic['error_message']}")
            admin.wait_for_topics(list(wanted), timeout_ms=_TIMEOUT_MS)

    def partitions(self, topic: Topic) -> int:
        if topic.name not in self._partitions:
            with self._admin() as admin:
                (found,) = admin.describe_topics([topic.name])
            if for_code(found["error_code"]) is UnknownTopicOrPartitionError:
                raise Unknown(f"topic {topic.name} does not exist")
            self._partitions[topic.name] = len(found["partitions"])
        return self._partitions[topic.name]

    def append(
        self,
        topic: Topic,
        key: bytes,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        partition: int | None = None,
    ) -> None:
        """Blocks while MAX_QUEUED_BYTES wait for the broker. Raises BatchTooLarge over
        MAX_MESSAGE_BYTES, and Unavailable once an earlier append failed."""
        size = len(key) + len(value) + sum(map(len, (headers or {}).values()))
        if size > MAX_MESSAGE_BYTES:
            raise BatchTooLarge(f"a message of {size} bytes; the bound is {MAX_MESSAGE_BYTES}")
        if partition is not None and not 0 <= partition < self.partitions(topic):
            raise Unknown(f"topic {topic.name} has no partition {partition}")
        self.partitions(topic)
        self._reserve(size)
        try:
            with _broker(self._bootstrap):
                sent = self._producer.send(
                    topic.name, value, key, list((headers or {}).items()), partition=partition
                )
        except BaseException:
            self._settle(size, None)
            raise
        sent.add_callback(lambda _: self._settle(size, None))
        sent.add_errback(lambda error: self._settle(size, error))

    def flush(self) -> None:
        with _broker(self._bootstrap):
            self._producer.flush()
        with self._settled:
            self._settled.wait_for(lambda: not self._queued_bytes, _TIMEOUT_MS / 1000)
            failure, self._failure = self._failure, None
        if failure is not None:
            raise Unavailable(f"Kafka at {self._bootstrap}: {failure}") from failure

    def consume(self, topics: Sequence[Topic], group: str) -> KafkaGroupConsumer:
        for topic in topics:
            self.partitions(topic)
        return KafkaGroupConsumer(self._bootstrap, self._consumer(group, topics))

    def read(self, topic: Topic, partition: int, start: int, end: int) -> Iterable[Message]:
        if not 0 <= partition < self.partitions(topic):
            raise Unknown(f"topic {topic.name} has no partition {partition}")
        return self._read({TopicPartition(topic.name, partition): (start, end)})

    def replay(self, topic: Topic) -> Iterable[Message]:
        places = [TopicPartition(topic.name, number) for number in range(self.partitions(topic))]
        consumer = self._consumer(None, ())
        with _broker(self._bootstrap):
            ends = consumer.end_offsets(places, timeout_ms=_TIMEOUT_MS)
        consumer.close()
        return self._read({place: (0, end) for place, end in ends.items()})

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            try:
                self.flush()
            finally:
                self._producer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _client(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": self._bootstrap.split(","),
            "bootstrap_timeout_ms": _BOOTSTRAP_MS,
        }

    @contextmanager
    def _admin(self) -> Iterator[Any]:
        with _broker(self._bootstrap):
            admin = KafkaAdminClient(**self._client())
            try:
                yield admin
            finally:
                admin.close()

    def _consumer(self, group: str | None, topics: Sequence[Topic]) -> Any:
        with _broker(self._bootstrap):
            return KafkaConsumer(
                *(topic.name for topic in topics),
                **self._client(),
                group_id=group,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                fetch_max_bytes=_FETCH_BYTES,
                max_partition_fetch_bytes=MAX_BATCH_BYTES,
                metrics_enabled=False,
            )

    def _creation(self, topic: Topic) -> dict[str, Any]:
        kept_ms = -1 if topic.retention_us is None else topic.retention_us // 1000
        return {
            "num_partitions": topic.partitions,
            "replication_factor": self._replicas,
            "configs": {
                "cleanup.policy": "compact" if topic.compacted else "delete",
                "retention.ms": str(kept_ms),
                "max.message.bytes": str(MAX_BATCH_BYTES),
                "min.insync.replicas": str(max(1, self._replicas - 1)),
                "message.timestamp.type": "LogAppendTime",
            },
        }

    def _read(self, spans: Mapping[TopicPartition, tuple[int, int]]) -> Iterator[Message]:
        consumer = self._consumer(None, ())
        try:
            with _broker(self._bootstrap):
                consumer.assign(list(spans))
                ends = consumer.end_offsets(list(spans), timeout_ms=_TIMEOUT_MS)
                for place, (start, end) in spans.items():
                    consumer.seek(place, start)
                    ends[place] = min(end, ends[place])
                give_up_s = monotonic() + _TIMEOUT_MS / 1000
                # Positions, not offsets: compaction may have taken the last message before the end.
                while any((_position(consumer, place) or 0) < end for place, end in ends.items()):
                    for place, records in consumer.poll(timeout_ms=1000).items():
                        yield from (_message(record) for record in records if record.offset < ends[place])
                        give_up_s = monotonic() + _TIMEOUT_MS / 1000
                    if monotonic() > give_up_s:
                        raise KafkaTimeoutError(f"no message of {sorted(ends)} within {_TIMEOUT_MS} ms")
        finally:
            consumer.close()

    def _reserve(self, size: int) -> None:
        with self._settled:
            self._settled.wait_for(
                lambda: self._failure or self._queued_bytes + size <= MAX_QUEUED_BYTES, 2 * _TIMEOUT_MS / 1000
            )
            if self._failure is not None:
                raise Unavailable(f"Kafka at {self._bootstrap}: {self._failure}") from self._failure
            if self._queued_bytes + size > MAX_QUEUED_BYTES:
                raise Unavailable(f"Kafka at {self._bootstrap}: {self._queued_bytes} bytes still unsent")
            self._queued_bytes += size

    def _settle(self, size: int, failure: BaseException | None) -> None:
        with self._settled:
            self._queued_bytes -= size
            self._failure = self._failure or failure
            self._settled.notify_all()


class KafkaGroupConsumer:
    """eventlog.log.Consumer over the partitions that Kafka assigns to this member."""

    def __init__(self, bootstrap: str, consumer: Any) -> None:
        self._bootstrap = bootstrap
        self._consumer = consumer

    def poll(self, timeout_ms: int, max_messages: int = 500) -> Sequence[Message]:
        with _broker(self._bootstrap):
            found = self._consumer.poll(timeout_ms=timeout_ms, max_records=max_messages)
        return [_message(record) for records in found.values() for record in records]

    def positions(self) -> Mapping[tuple[str, int], int]:
        with _broker(self._bootstrap):
            found = {place: _position(self._consumer, place) for place in self._consumer.assignment()}
        return {
            (place.topic, place.partition): offset
            for place, offset in sorted(found.items())
            if offset is not None
        }

    def commit(self) -> None:
        with _broker(self._bootstrap):
            self._consumer.commit(timeout_ms=_TIMEOUT_MS)

    def lag(self) -> int:
        positions = self.positions()
        with _broker(self._bootstrap):
            ends = self._consumer.end_offsets(
                [TopicPartition(*place) for place in positions], timeout_ms=_ASKED_MS
            )
        return sum(end - positions[place.topic, place.partition] for place, end in ends.items())

    def close(self) -> None:
        self._consumer.close(timeout_ms=_ASKED_MS)


def _position(consumer: Any, place: TopicPartition) -> int | None:
    """None: not known yet."""
    offset: int | None = consumer.position(place, timeout_ms=_ASKED_MS)
    return offset


def _message(record: Any) -> Message:
    return Message(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key or b"",
        value=record.value or b"",
        headers=dict(record.headers),
        appended_us=record.timestamp * 1000,
    )
