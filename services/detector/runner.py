"""The detector without Faust: what drives the engines in the one-process shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event

from eventlog.log import Log
from schemas.topics import TRANSACTIONS
from services.detector.processing import GROUP, Counts, Detector, Engine

_POLL_MS = 200
_MESSAGES_A_STEP = 50


class DetectorRunner:
    """Reads `transactions` of `log` as group "detector". Used from one thread.

    A position is committed after what was found up to it is durable, so a crash can repeat findings,
    byte for byte, and lose none.
    """

    def __init__(self, log: Log, engine: Callable[[], Engine]) -> None:
        self._log = log
        self._detector = Detector(engine, partial(log.read, TRANSACTIONS))
        self._consumer = log.consume([TRANSACTIONS], GROUP)

    @property
    def counts(self) -> Counts:
        return self._detector.counts

    def step(self, timeout_ms: int = _POLL_MS) -> int:
        """Handle the messages that are there, at most 50; how many they were. Waits up to
        `timeout_ms` for the first. Raises Unavailable; the runner is then to be closed."""
        messages = self._consumer.poll(timeout_ms, _MESSAGES_A_STEP)
        for output in self._detector.apply(messages):
            self._log.append(output.topic, output.key, output.value)
        if messages:
            self._log.flush()
            self._consumer.commit()
        return len(messages)

    def run(self, stop: Event) -> None:
        """Step until `stop` is set, then close."""
        try:
            while not stop.is_set():
                self.step()
        finally:
            self.close()

    def lag(self) -> int:
        """Messages not handled yet."""
        return self._consumer.lag()

    def close(self) -> None:
        self._consumer.close()
