"""The contract of a log. One suite (tests/eventlog) holds both implementations to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Message:
    """One message read back. `appended_us` is the log's own wall-clock time of the append."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)
    appended_us: int = 0


class Consumer(Protocol):
    """A member of one group's reading of some topics. Used from one thread."""

    def poll(self, timeout_ms: int, max_messages: int = 500) -> Sequence[Message]:
        """Next messages, in offset order within a partition; empty after `timeout_ms` without any.

        Raises Unavailable when the log does not answer.
        """

    def positions(self) -> Mapping[tuple[str, int], int]:
        """Offset of the next message to be polled, by (topic, partition) assigned here."""

    def commit(self) -> None:
        """Make the position after the last message polled the group's own. Blocks until durable."""

    def lag(self) -> int:
        """Messages appended and not yet polled, over the partitions assigned here."""

    def close(self) -> None: ...


class Log(Protocol):
    """Appends go to the partition given, else to the one that the key hashes to."""

    def create(self, topics: Iterable[Topic]) -> None:
        """Create the topics that do not exist yet. Blocks."""

    def partitions(self, topic: Topic) -> int:
        """How many partitions `topic` has. Raises Unknown when it does not exist."""

    def append(
        self,
        topic: Topic,
        key: bytes,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        partition: int | None = None,
    ) -> None:
        """Queue one message; blocks when the bounded queue is full. Durable after flush()."""

    def flush(self) -> None:
        """Block until all that was appended is durable. Raises Unavailable when any append failed."""

    def consume(self, topics: Sequence[Topic], group: str) -> Consumer:
        """Join `group`; it starts at its committed position, or at the beginning."""

    def read(self, topic: Topic, partition: int, start: int, end: int) -> Iterable[Message]:
        """Messages of one partition from offset `start` up to but not `end`, groupless. Those that
        retention or compaction took are missing; ends early where the partition does."""

    def replay(self, topic: Topic) -> Iterable[Message]:
        """Every message of `topic` up to its end as of now, groupless: how a compacted topic is read."""

    def close(self) -> None:
        """Flush and release. Idempotent."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
