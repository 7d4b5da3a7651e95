"""Ingest deployed: Kafka, the push endpoint, and the direct topics, in one process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from logging import getLogger
from threading import Event, Thread
from types import FrameType
from typing import Final

import uvicorn

from eventlog.kafka import KafkaLog
from eventlog.log import Log
from services.ingest import direct, lines
from services.ingest.http import create_app
from services.ingest.ingest import Ingest
from services.ingest.settings import Settings

GRACE_SECONDS: Final = 30
"""How long batches under way may take to finish when the process is told to stop."""

_log = getLogger(__name__)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way. Called on the main thread.

    Raises Unavailable when Kafka does not answer at start, and RuntimeError when the thread of the
    direct topics died of a fault.
    """
    lines.configure()
    with KafkaLog(settings.kafka_bootstrap) as log:
        serve(log, settings)
    _log.info("ingest stopped")


def serve(log: Log, settings: Settings) -> None:
    """`run` over a log that is there."""
    ingest = Ingest(log, settings)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(ingest),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    stop = Event()
    faults: list[BaseException] = []

    def take_direct() -> None:
        try:
            direct.run(ingest, stop)
        except BaseException as fault:
            faults.append(fault)
            _log.exception("the direct topics are not taken any more; stopping")
            server.should_exit = True

    thread = Thread(target=take_direct, name="direct")
    with _signals_kept():
        thread.start()
        try:
            _log.info("ingest on http://%s:%d", settings.host, settings.port)
            server.run()
        finally:
            stop.set()
            thread.join()
    if faults:
        raise RuntimeError("the thread of the direct topics died") from faults[0]


@contextmanager
def _signals_kept() -> Iterator[None]:
    """uvicorn raises the signal that stopped it once more when it is done; it must not kill us then."""

    def ignore(_number: int, _frame: FrameType | None) -> None:
        return None

    kept = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
