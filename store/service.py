"""The recorder as a process of its own, from Kafka to the store that the settings name."""

from __future__ import annotations

import logging
import signal
from collections.abc import Mapping
from threading import Event

from eventlog.kafka import KafkaLog
from schemas.environment import Environment
from store.opening import open_database
from store.recorder import Recorder
from store.settings import from_environment

logger = logging.getLogger(__name__)


def run(environment: Mapping[str, str]) -> None:
    """Record until SIGTERM or SIGINT, then write what is staged. Called on the main thread.

    Blocks. Raises InvalidSetting, and Unavailable when Kafka does not answer at start; a store that
    does not answer is waited for.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    database = open_database(from_environment(environment))
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with KafkaLog(Environment(environment).kafka_bootstrap()) as log:
            logger.info("recording")
            Recorder(log, database).run(stop)
    finally:
        database.close()
    logger.info("recorder stopped")
