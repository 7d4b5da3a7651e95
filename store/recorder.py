"""The recorder: everything the log carries that people will ask for, written to the store.

At least once: the position on the log is committed only after the rows are in the store, so a crash
writes some rows again, and every table replaces rows of equal key.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from eventlog.log import Log
from schemas.errors import Unavailable
from store.database import Database
from store.staging import TOPICS, Staging

logger = logging.getLogger(__name__)

GROUP: Final = "recorder"
MAX_ROWS: Final = 50_000
MAX_AGE_S: Final = 0.2
POLLED_MESSAGES: Final = 64
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 10.0
_LAG_EVERY_S: Final = 1.0


class Metrics:
    """`registry`: where the recorder's metrics are registered; one recorder a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        name = "lookthrough_recorder"
        self.rows = Counter(f"{name}_rows", "Rows written", ["table"], registry=registry)
        self.unreadable = Counter(
            f"{name}_unreadable_messages", "Messages that could not be read", ["topic"], registry=registry
        )
        self.failures = Counter(f"{name}_failures", "Times the log or store failed", registry=registry)
        self.lag = Gauge(f"{name}_lag_messages", "Messages not read yet", registry=registry)
        self.write_seconds = Histogram(f"{name}_write_seconds", "Time of one write", registry=registry)


class Recorder:
    """Reads the topics of store.staging as group "recorder". Used from one thread.

    Rows are written once `max_rows` wait or the oldest has waited `max_age_s`. Held in memory at
    most: max_rows and what one poll of POLLED_MESSAGES brings on top. While the store does not
    answer nothing more is read.
    """

    def __init__(
        self,
        log: Log,
        database: Database,
        *,
        registry: CollectorRegistry | None = None,
        max_rows: int = MAX_ROWS,
        max_age_s: float = MAX_AGE_S,
    ) -> None:
        self._consumer = log.consume(TOPICS, GROUP)
        self._database = database
        self._metrics = Metrics(CollectorRegistry() if registry is None else registry)
        self._max_rows = max_rows
        self._max_age_s = max_age_s
        self._staging = Staging()
        self._oldest_s: float | None = None
        """When the first message not yet committed was read, on the monotonic clock."""
        self._lag_due_s = 0.0

    def step(self) -> int:
        """Read once, write if it is time; returns the rows written.

        Blocks for at most the age bound and one write. Raises Unavailable when the log or the
        store does not answer; nothing is lost then, and the next step goes on.
        """
        if not self._is_due():
            self._read()
        return self.flush() if self._is_due() else 0

    def flush(self) -> int:
        """Write and commit all that is staged, whatever its age; returns the rows written."""
        if self._oldest_s is None:
            return 0
        written = 0
        for table, columns in self._staging.tables():
            with self._metrics.write_seconds.time():
                self._database.insert(table, columns)
            rows = self._staging.done(table)
            self._metrics.rows.labels(table).inc(rows)
            written += rows
        self._consumer.commit()
        self._oldest_s = None
        return written

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set, then write what is staged and leave the group.

        A log or store that does not answer is tried again after pauses of FIRST_PAUSE_S doubling
        to LONGEST_PAUSE_S.
        """
        pause_s = FIRST_PAUSE_S
        try:
            while not stop.is_set():
                try:
                    self.step()
                    pause_s = FIRST_PAUSE_S
                except Unavailable as error:
                    self._metrics.failures.inc()
                    logger.warning("recorder: %s; trying again in %.1f s", error, pause_s)
                    stop.wait(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            self._flush_last()
        finally:
            self._consumer.close()

    def _flush_last(self) -> None:
        try:
            self.flush()
        except Unavailable as error:
            logger.warning("recorder: stopped with rows unwritten, to be read again: %s", error)

    def _is_due(self) -> bool:
        if self._oldest_s is None:
            return False
        waited_s = time.monotonic() - self._oldest_s
        return self._staging.count >= self._max_rows or waited_s >= self._max_age_s

    def _read(self) -> None:
        waited_s = 0.0 if self._oldest_s is None else time.monotonic() - self._oldest_s
        timeout_ms = max(1, int(1000 * (self._max_age_s - waited_s)))
        messages = self._consumer.poll(timeout_ms, POLLED_MESSAGES)
        for message in messages:
            if not self._staging.add(message):
                self._metrics.unreadable.labels(message.topic).inc()
                logger.error(
                    "unreadable message: topic %s, partition %d, offset %d",
                    message.topic,
                    message.partition,
                    message.offset,
                )
        if messages and self._oldest_s is None:
            self._oldest_s = time.monotonic()
        self._measure_lag()

    def _measure_lag(self) -> None:
        """At most every _LAG_EVERY_S, since it may ask the log's server."""
        now_s = time.monotonic()
        if now_s >= self._lag_due_s:
            self._metrics.lag.set(self._consumer.lag())
            self._lag_due_s = now_s + _LAG_EVERY_S
