"""`lookthrough run`: every service in one process on a simulated feed. No server, no JVM, no secrets.

The log is a folder of files and the store is chDB; the engine, the routes and the SQL are those of
the deployed shape. The simulated banks push over HTTP like any bank. A second start goes on where
the first one stopped: what was received is known by its sequence number and pushed in vain.
"""

from __future__ import annotations

import json
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Final

import uvicorn

from eventlog.embedded import EmbeddedLog
from eventlog.log import Log
from lookthrough.client import PushClient
from lookthrough.warming import warm_if_changed
from schemas.alert import Alert
from schemas.currency import to_major
from schemas.errors import Unavailable
from schemas.feed import BatchHeader
from schemas.instant import DAY, HOUR, to_rfc3339
from schemas.law import load_law
from schemas.registry import FeedFormat
from schemas.topics import ALERTS, TOPICS
from services.api.application import create_app
from services.api.service import server
from services.api.settings import Settings as ApiSettings
from services.detector.engine import Engine
from services.detector.runner import DetectorRunner
from services.ingest.http import router
from services.ingest.ingest import Ingest
from services.ingest.settings import DEMO_TOKEN_KEY
from services.ingest.settings import Settings as IngestSettings
from simulator.feed import feed_batches
from simulator.world import World, simulate
from store.embedded import EmbeddedDatabase
from store.migrations import migrate
from store.recorder import Recorder

SHOWN_ALERTS: Final = 8
EVENT_TIME_PER_SECOND_US: Final = 6 * HOUR
"""How fast the simulated banks go, once what they sent before is out of the way."""

_BEIJING_US: Final = 8 * HOUR
_log = logging.getLogger(__name__)
Echo = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Demo:
    """Which world is played; kept with the data, so that a second start plays the same one."""

    seed: int
    days: int
    start_us: int

    @classmethod
    def of(cls, folder: Path, seed: int, days: int) -> Demo:
        """The demo that `folder` holds, else a new one that ends today."""
        file = folder / "demo.json"
        with suppress(FileNotFoundError):
            return cls(**json.loads(file.read_text()))
        today = (time.time_ns() // 1000 + _BEIJING_US) // DAY * DAY - _BEIJING_US
        demo = cls(seed, days, today - days * DAY)
        file.write_text(json.dumps({"seed": demo.seed, "days": demo.days, "start_us": demo.start_us}))
        return demo


def run(folder: Path, *, port: int, seed: int, days: int, echo: Echo) -> None:
    """Serve until SIGINT or SIGTERM, then stop cleanly. Blocks; called on the main thread.

    Raises Unavailable when another process holds `folder` or `port` (0: any that is free), and
    RuntimeError when a part died.
    """
    listening = _listening(port)
    port = listening.getsockname()[1]
    warm_if_changed(echo)
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=folder / "lookthrough.log", level=logging.INFO, force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every push
    demo = Demo.of(folder, seed, days)
    with listening, EmbeddedLog(folder / "log") as log, _store(folder / "store") as database:
        migrate(database)
        log.create(TOPICS)
        ingest = Ingest(log, IngestSettings(token_key=DEMO_TOKEN_KEY, demo=True, spool_folder=folder))
        settings = ApiSettings(port=port, demo=True)
        http = server(create_app(database, settings, routers=[router(ingest)]), settings)
        law = load_law()
        detector = DetectorRunner(log, lambda: Engine(law))
        recorder = Recorder(log, database)
        _introduce(echo, demo, folder, port)

        def play(stop: Event) -> None:
            _play(demo, http, port, stop, echo)

        def stop_serving() -> None:
            http.should_exit = True

        parts = (detector.run, recorder.run, play, lambda stop: _announce(log, stop, echo))
        with _interruptible(), _running(parts, stop_serving):
            http.run([listening])
    echo("Stopped. The data stays; `make run` goes on from here.")


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise Unavailable(f"port {port} cannot be listened on ({error.strerror}); try --port 8080") from None


@contextmanager
def _store(folder: Path) -> Iterator[EmbeddedDatabase]:
    database = EmbeddedDatabase(folder)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM stops like SIGINT: uvicorn shuts down, raises the signal again, and we go on to close."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _running(parts: Iterable[Callable[[Event], None]], on_fault: Callable[[], None]) -> Iterator[None]:
    """Each part in a thread of its own until the block ends. A part that dies ends the block and
    its error is raised from here."""
    stop = Event()
    faults: list[BaseException] = []

    def guarded(part: Callable[[Event], None]) -> None:
        try:
            part(stop)
        except BaseException as fault:
            _log.exception("a part died")
            faults.append(fault)
            on_fault()

    threads = [Thread(target=guarded, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if faults:
        raise RuntimeError("a part of Lookthrough died; lookthrough.log has its trace") from faults[0]


def _play(demo: Demo, http: uvicorn.Server, port: int, stop: Event, echo: Echo) -> None:
    """Push the world's registry and batches, at EVENT_TIME_PER_SECOND_US, as its banks would."""
    world = simulate(demo.seed, demo.days, start_us=demo.start_us)
    while not http.started:
        if stop.wait(0.05):
            return
    client = PushClient(f"http://127.0.0.1:{port}")
    try:
        _register(world, client)
        began_s, began_us = time.monotonic(), None
        for batch in feed_batches(world):
            if stop.is_set():
                return
            receipt = client.push_bytes(
                batch.content,
                BatchHeader(
                    feed_id=batch.feed_id,
                    sequence=batch.sequence,
                    format=FeedFormat.json,
                    control_count=batch.control_count,
                    control_sum=batch.control_sum,
                ),
            )
            if receipt.duplicate:
                continue
            if batch.balances:
                client.push_balances_bytes(batch.balances, batch.feed_id)
            if began_us is None:
                began_s, began_us = time.monotonic(), batch.due_us
            due_s = began_s + (batch.due_us - began_us) / EVENT_TIME_PER_SECOND_US
            if stop.wait(max(0.0, due_s - time.monotonic())):
                return
        echo(f"The {demo.days} simulated days are over; everything goes on being served.")
    except Unavailable:
        if not http.should_exit:  # else the feed just ends with the service
            raise
    finally:
        client.close()


def _register(world: World, client: PushClient) -> None:
    lines = b"".join(record.model_dump_json().encode() + b"\n" for record in world.registry_records())
    answer = client.push_registry_bytes(lines)
    if answer["rejected"]:
        raise Unavailable(f"the simulated registry was refused: {answer['rejects'][:3]}")


def _announce(log: Log, stop: Event, echo: Echo) -> None:
    """Print the first new alerts of this start, one line each."""
    consumer = log.consume([ALERTS], "console")
    shown = 0
    try:
        while shown < SHOWN_ALERTS and not stop.is_set():
            for message in consumer.poll(200):
                alert = Alert.model_validate_json(message.value)
                if alert.version == 1 and shown < SHOWN_ALERTS:
                    shown += 1
                    echo(_line_of(alert))
            consumer.commit()
        if shown == SHOWN_ALERTS:
            echo("  … and so on: the API has them all. Ctrl-C stops, and keeps the data.")
    finally:
        consumer.close()


def _line_of(alert: Alert) -> str:
    at = to_rfc3339(alert.detected_at)[:16].replace("T", " ")
    amount = f"{to_major(alert.amount_minor, alert.currency)} {alert.currency}"
    institution = alert.institution_id or "-"
    return (
        f"  {at}  {alert.severity:<8} {alert.confidence:>3} %  {institution:<10} {amount:>20}  "
        f"{alert.typology} {alert.name.zh}"
    )


def _introduce(echo: Echo, demo: Demo, folder: Path, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    begins = to_rfc3339(demo.start_us + _BEIJING_US)[:10]
    echo(f"Lookthrough 穿透 is running in one process; data and log in {folder}/")
    echo(f"  API and docs  {url}/docs")
    echo(f"  feed          simulated custody banks, {demo.days} days from {begins}, a day in 4 seconds")
    echo("Worth pasting into another terminal:")
    echo(f"  curl -s '{url}/v1/alerts?limit=3'")
    echo(f"  curl -s '{url}/v1/institutions'")
    echo(f"  curl -s '{url}/v1/feeds'")
    echo("Alerts as they come (detected, severity, confidence, institution, amount, typology):")
