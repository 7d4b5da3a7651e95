"""The log as files of one process: what `make run` uses where Kafka would be.

Any number of threads, one process at a time. A group reads a topic through one consumer at a time,
which has all its partitions. Compacted topics are kept whole: their readers take the newest value
of a key anyway, and a process's worth of registry is small.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from threading import Condition, Lock
from typing import Final, Self
from zlib import crc32

from eventlog import frame
from eventlog.log import Message
from eventlog.partition import Cursor, Partition, sync_folder
from schemas.errors import Conflict, Unavailable, Unknown
from schemas.topics import Topic

SEGMENT_BYTES: Final = 64 << 20
POLL_BYTES: Final = 16 << 20
"""A poll returns early, with fewer messages than asked for, once it holds this many bytes."""


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"the log in {folder}: {error}") from error


class EmbeddedLog:
    """eventlog.log.Log over `folder`. `partitions`: how many each topic gets that is created here."""

    def __init__(self, folder: Path, partitions: int = 1, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Raises Unavailable when another process, or another log of this one, holds the folder."""
        self._folder = folder
        self._count = partitions
        self._segment_bytes = segment_bytes
        self._topics: dict[str, tuple[Partition, ...]] = {}
        self._reading: set[tuple[str, str]] = set()
        self._changed = Condition()
        self._syncing = Lock()
        self._closed = False
        with _disk(folder):
            (folder / "topics").mkdir(parents=True, exist_ok=True)
            (folder / "groups").mkdir(exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(self._lock, 20, 0).decode() or "unknown"
            os.close(self._lock)
            raise Unavailable(f"the log in {folder} is in use by process {owner}") from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def create(self, topics: Iterable[Topic]) -> None:
        with _disk(self._folder):
            for topic in topics:
                folder = self._folder / "topics" / topic.name
                if not folder.is_dir():
                    building = folder.with_name(f".{topic.name}")
                    for number in range(self._count):
                        (building / str(number)).mkdir(parents=True, exist_ok=True)
                    building.rename(folder)
                    sync_folder(folder.parent)

    def partitions(self, topic: Topic) -> int:
        return len(self._open(topic))

    def append(
        self,
        topic: Topic,
        key: bytes,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        partition: int | None = None,
    ) -> None:
        """Written, and seen by consumers, before it returns: there is no queue to fill."""
        targets = self._open(topic)
        number = crc32(key) % len(targets) if partition is None else partition
        if not 0 <= number < len(targets):
            raise Unknown(f"topic {topic.name} has no partition {number}")
        with self._changed, _disk(self._folder):
            self._check_open()
            targets[number].append(frame.encode(key, value, headers or {}, time.time_ns() // 1000))
            self._changed.notify_all()

    def flush(self) -> None:
        with self._syncing, _disk(self._folder):
            with self._changed:
                self._check_open()
                parts = [part for parts in self._topics.values() for part in parts]
                unsynced = [file for part in parts if (file := part.unsynced()) is not None]
            for file in unsynced:
                try:
                    os.fsync(file)
                finally:
                    os.close(file)

    def consume(self, topics: Sequence[Topic], group: str) -> EmbeddedConsumer:
        """Raises Conflict when a consumer of the group that was not closed reads one of the topics."""
        opened = {topic.name: self._open(topic) for topic in topics}
        with self._changed:
            for name in opened:
                if (group, name) in self._reading:
                    raise Conflict(f"group {group} already reads {name}; its consumer is still open")
            self._reading |= {(group, name) for name in opened}
        committed = self._committed(group)
        with _disk(self._folder):
            cursors = [
                Cursor(name, number, partition, committed.get(f"{name}/{number}", 0))
                for name, partitions in opened.items()
                for number, partition in enumerate(partitions)
            ]
        return EmbeddedConsumer(self, group, cursors)

    def read(self, topic: Topic, partition: int, start: int, end: int) -> Iterable[Message]:
        partitions = self._open(topic)
        if not 0 <= partition < len(partitions):
            raise Unknown(f"topic {topic.name} has no partition {partition}")
        return self._read(topic.name, partition, partitions[partition], start, end)

    def replay(self, topic: Topic) -> Iterable[Message]:
        return chain.from_iterable(
            [
                self._read(topic.name, number, partition, 0, partition.tail.end)
                for number, partition in enumerate(self._open(topic))
            ]
        )

    def _read(self, name: str, number: int, partition: Partition, start: int, end: int) -> Iterator[Message]:
        with _disk(self._folder):
            cursor = Cursor(name, number, partition, start)
        try:
            while cursor.offset < end and (message := cursor.next()):
                yield message
        finally:
            cursor.close()

    def close(self) -> None:
        if self._closed:
            return
        self.flush()
        with self._changed:
            self._closed = True
            for partitions in self._topics.values():
                for partition in partitions:
                    partition.close()
            os.close(self._lock)
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Block until `ready`, which an append may have made true, or the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or ready(), timeout_s)
            self._check_open()

    def commit(self, group: str, positions: Mapping[tuple[str, int], int]) -> None:
        """Make `positions` the group's own, beside those of its other topics. Durable on return."""
        with self._changed:
            self._check_open()
            committed = self._committed(group)
            committed |= {f"{topic}/{number}": offset for (topic, number), offset in positions.items()}
            path = self._group(group)
            with _disk(self._folder):
                with path.with_suffix(".new").open("w") as file:
                    json.dump(committed, file)
                    file.flush()
                    os.fsync(file.fileno())
                path.with_suffix(".new").replace(path)
                sync_folder(path.parent)

    def leave(self, group: str, topics: Iterable[str]) -> None:
        with self._changed:
            self._reading -= {(group, name) for name in topics}

    def _open(self, topic: Topic) -> tuple[Partition, ...]:
        with self._changed, _disk(self._folder):
            self._check_open()
            if topic.name not in self._topics:
                folder = self._folder / "topics" / topic.name
                if not folder.is_dir():
                    raise Unknown(f"topic {topic.name} does not exist")
                self._topics[topic.name] = tuple(
                    Partition(folder / str(number), topic.retention_us, self._segment_bytes)
                    for number in range(len(list(folder.iterdir())))
                )
            return self._topics[topic.name]

    def _group(self, group: str) -> Path:
        return self._folder / "groups" / f"{group}.json"

    def _committed(self, group: str) -> dict[str, int]:
        with _disk(self._folder):
            try:
                committed: dict[str, int] = json.loads(self._group(group).read_text())
            except FileNotFoundError:
                return {}
        return committed

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(f"the log in {self._folder} is closed")


class EmbeddedConsumer:
    """eventlog.log.Consumer over every partition of its topics."""

    def __init__(self, log: EmbeddedLog, group: str, cursors: list[Cursor]) -> None:
        self._log = log
        self._group = group
        self._cursors = cursors
        self._closed = False

    def poll(self, timeout_ms: int, max_messages: int = 500) -> Sequence[Message]:
        self._log.wait(lambda: any(cursor.behind for cursor in self._cursors), timeout_ms / 1000)
        found: list[Message] = []
        left_bytes = POLL_BYTES
        try:
            for cursor in self._cursors:
                while len(found) < max_messages and left_bytes > 0 and (message := cursor.next()):
                    found.append(message)
                    left_bytes -= len(message.value)
        except Unavailable:
            if not found:  # else the next poll meets it again, and these are not lost
                raise
        # Whoever was served first is served last next time.
        self._cursors = self._cursors[1:] + self._cursors[:1]
        return found

    def positions(self) -> Mapping[tuple[str, int], int]:
        return {cursor.place: cursor.offset for cursor in self._cursors}

    def commit(self) -> None:
        self._log.commit(self._group, self.positions())

    def lag(self) -> int:
        return sum(cursor.behind for cursor in self._cursors)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._log.leave(self._group, {cursor.place[0] for cursor in self._cursors})
            for cursor in self._cursors:
                cursor.close()
