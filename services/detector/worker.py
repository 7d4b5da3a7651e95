"""The detector deployed: a Faust worker of consumer group "detector".

Faust gives it partitions, messages and commits; it keeps no state in Faust's tables. A message is
acknowledged after its findings are on the log, and Faust commits acknowledged messages only. What
an engine knows is rebuilt from its partition's log (services/detector/processing.py), so a restart
or a rebalance repeats, byte for byte, at most what was sent since the last commit.

Engines work in one thread of their own; heartbeats go on however long a replay takes.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import faust
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from eventlog.kafka import MAX_BATCH_BYTES, KafkaLog
from eventlog.log import Message
from schemas.topics import ALERTS, RISK_SCORES, TRANSACTIONS
from services.detector.processing import GROUP, Counts, Detector, Engine, Output
from services.detector.settings import Settings

_COMMIT_INTERVAL_S: Final = 1.0
_SESSION_TIMEOUT_S: Final = 10.0
"""How long a dead worker's partitions wait before another gets them."""

_LEAVING_S: Final = 10.0
"""How long a worker that is told to stop waits for its consumer, which never ends when the broker is gone."""

_MESSAGES_AHEAD: Final = 64
"""Messages read ahead of the engines. With a message of some hundred rows this is a few MB."""
_BYTES_TOGETHER: Final = 1 << 20
"""Messages that wait are handled together up to this, so that what is found in the first is not held back
for long."""

_log = logging.getLogger(__name__)


def run(settings: Settings, engine: Callable[[], Engine]) -> None:
    """Work until SIGTERM or SIGINT, then commit and leave the group. Ends the process: status 0, or
    another when it failed. Raises Unavailable when Kafka does not answer at start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.WARNING)  # else a page for each replay
    with KafkaLog(settings.kafka_bootstrap) as log, tempfile.TemporaryDirectory() as scratch:
        engine()  # compiles or fails before the group waits for this member
        detector = Detector(engine, partial(log.read, TRANSACTIONS))
        if settings.metrics_port:
            _serve_metrics(detector.counts, settings.metrics_port)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        worker = faust.Worker(
            _app(settings.kafka_bootstrap, Path(scratch), _Thread(detector), loop),
            loop=loop,
            override_logging=False,
            quiet=True,
        )
        worker.spinner = None
        # Of mode.Service; Faust offers no setting for it.
        AIOKafkaConsumerThread.shutdown_timeout = _LEAVING_S
        worker.execute_from_commandline()


class _Thread:
    """The detector, in the one thread that may use it."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._executor = ThreadPoolExecutor(1, "engines")

    async def apply(self, messages: Sequence[Message]) -> list[Output]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._detector.apply, messages)

    def drop(self, partition: int) -> None:
        """Returns at once; done before any apply() that is called later."""
        self._executor.submit(self._detector.drop, partition)

    def keep(self, partitions: Iterable[int]) -> None:
        """Returns at once; done before any apply() that is called later."""
        self._executor.submit(self._detector.keep, set(partitions))


def _app(bootstrap: str, scratch: Path, detector: _Thread, loop: asyncio.AbstractEventLoop) -> faust.App:
    app = faust.App(
        GROUP,
        broker=[f"kafka://{broker}" for broker in bootstrap.split(",")],
        loop=loop,
        datadir=scratch,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        agent_supervisor="mode.CrashingSupervisor",
        broker_commit_interval=_COMMIT_INTERVAL_S,
        broker_session_timeout=_SESSION_TIMEOUT_S,
        broker_heartbeat_interval=_SESSION_TIMEOUT_S / 5,
        consumer_max_fetch_size=MAX_BATCH_BYTES,
        producer_max_request_size=MAX_BATCH_BYTES,
        stream_buffer_maxsize=_MESSAGES_AHEAD,
    )
    inputs = _topic(app, TRANSACTIONS.name)
    sinks = {topic.name: _topic(app, topic.name) for topic in (ALERTS, RISK_SCORES)}

    @app.agent(inputs)
    async def detect(stream: Any) -> None:
        taken: list[Any] = []
        async for event in stream.noack().events():
            taken.append(event)
            if not stream.channel.empty() and _is_room_after(taken):
                continue
            messages = [_message(each.message) for each in taken]
            try:
                sent = [
                    await sinks[output.topic.name].send(key=output.key, value=output.value)
                    for output in await detector.apply(messages)
                ]
                await asyncio.gather(*sent)
            except BaseException:
                # Engines are ahead of what was sent. Forget them, so that these messages count as new
                # when they come again.
                for partition in {message.partition for message in messages}:
                    detector.drop(partition)
                raise
            for each in taken:
                each.ack()
            taken = []

    @app.on_partitions_assigned.connect
    async def assigned(*sent: Any, **_: Any) -> None:
        _sender, places = sent
        mine = sorted(place.partition for place in places)
        _log.info("partitions assigned: %s", mine)
        detector.keep(mine)

    return app


def _is_room_after(taken: Sequence[Any]) -> bool:
    """Whether another message that waits may be taken with these."""
    held = sum(len(each.message.value or b"") for each in taken)
    return len(taken) < _MESSAGES_AHEAD and held < _BYTES_TOGETHER


def _topic(app: Any, name: str) -> Any:
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", internal=False
    )


def _message(found: Any) -> Message:
    return Message(
        topic=found.topic,
        partition=found.partition,
        offset=found.offset,
        key=found.key or b"",
        value=found.value or b"",
        headers=dict(found.headers or ()),
        appended_us=int(found.timestamp * 1e6),
    )


class _Collector:
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        for name, text, value in (
            ("messages", "Messages read from the log, replayed ones included", self._counts.messages),
            ("transfers", "Transfers read from the log, replayed ones included", self._counts.transfers),
            ("replayed", "Messages read again to rebuild an engine", self._counts.replayed),
            ("undecodable", "Messages skipped because they could not be decoded", self._counts.undecodable),
        ):
            yield CounterMetricFamily(f"lookthrough_detector_{name}", text, value)
        fill = GaugeMetricFamily(
            "lookthrough_detector_fill", "Share of the engine's stated maximum in use", labels=["partition"]
        )
        for partition, share in sorted(self._counts.fill.copy().items()):
            fill.add_metric([str(partition)], share)
        yield fill


def _serve_metrics(counts: Counts, port: int) -> None:
    registry = CollectorRegistry()
    registry.register(_Collector(counts))
    start_http_server(port, "127.0.0.1", registry)
