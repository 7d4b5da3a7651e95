"""The direct topics: banks and registers that write to the log themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from logging import getLogger
from threading import Event
from typing import Final

from pydantic import TypeAdapter, ValidationError

from eventlog.log import Consumer, Message
from schemas.errors import Conflict, LookthroughError, MalformedBatch, Unavailable
from schemas.feed import BatchHeader
from schemas.record import Identifier
from schemas.registry import FeedFormat
from schemas.topics import DIRECT_FEEDS, DIRECT_REGISTRY, MAX_MESSAGE_BYTES
from services.ingest.body import Body
from services.ingest.choice import format_of
from services.ingest.ingest import Ingest
from services.ingest.ledger import batch_id_of
from services.ingest.registration import RESERVED_FEEDS, UNKNOWN_FEED
from services.ingest.rejects import Origin, rejects_of_batch
from services.ingest.staging import Staged

GROUP: Final = "ingest"
POLL_MS: Final = 500
POLL_MESSAGES: Final = 64
"""Taken together and made durable with one flush; the log bounds their bytes."""

RETRY_SECONDS: Final = (1, 2, 5, 10, 30)

_IDENTIFIER: Final[TypeAdapter[str]] = TypeAdapter(Identifier)
_log = getLogger(__name__)


class DirectIntake:
    """Takes what stands on the direct topics. Used from one thread.

    A message is a batch; its headers are feed, format, sequence, control-count and control-sum, of
    which only the feed is needed (and may be the key). Nothing on a topic stops it: a message that
    cannot be a batch is kept as reject number 0 of its feed, or of "unknown". The position is
    committed when all that was polled is durable; what is read again after a crash is a duplicate.
    """

    def __init__(self, ingest: Ingest, consumer: Consumer) -> None:
        self._ingest = ingest
        self._consumer = consumer
        self._untaken: Sequence[Message] = ()

    def step(self, timeout_ms: int = POLL_MS) -> int:
        """Take what is there, or wait for it. How many messages. Raises Unavailable: call it again."""
        self._untaken = self._untaken or self._consumer.poll(timeout_ms, POLL_MESSAGES)
        taken = len(self._untaken)
        if taken:
            self._take(self._untaken)
            self._consumer.commit()
            self._untaken = ()
        self._ingest.metrics.direct_lag.set(self._consumer.lag())
        return taken

    def _take(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.topic == DIRECT_REGISTRY.name:
                with Body.of(message.value, MAX_MESSAGE_BYTES) as body:
                    self._ingest.registration.register(body)
        with ExitStack() as opened:
            round_ = _Round(self._ingest, opened)
            for message in messages:
                if message.topic == DIRECT_FEEDS.name:
                    round_.take(message)
            round_.publish()


class _Round:
    """Batches that are published together."""

    def __init__(self, ingest: Ingest, opened: ExitStack) -> None:
        self._ingest = ingest
        self._opened = opened
        self._staged: list[Staged] = []
        self._refused: list[tuple[Origin, str, Body]] = []

    def take(self, message: Message) -> None:
        body = self._opened.enter_context(Body.of(message.value, MAX_MESSAGE_BYTES))
        try:
            self._stage(message, body)
        except Unavailable:
            raise
        except LookthroughError as error:
            self._refuse(message, body, error.code, str(error))
        except Exception as error:  # a fault of ours must not stop the feeds behind it
            place = f"{message.topic}/{message.partition}@{message.offset}"
            _log.exception("cannot take %s", place)
            self._refuse(message, body, "internal", f"internal error at {place}: {type(error).__name__}")

    def publish(self) -> None:
        outcomes = self._ingest.receiver.publish(self._staged)
        for staged, outcome in zip(self._staged, outcomes, strict=True):
            if isinstance(outcome, Conflict):
                self._ingest.metrics.error(outcome.code)
                self._refused.append((staged.origin, str(outcome), staged.body))
        if self._refused:
            self._reject()

    def _reject(self) -> None:
        with self._ingest.outlet as outlet:
            for origin, reason, body in self._refused:
                with body.open() as whole:
                    outlet.rejects(rejects_of_batch(origin, reason, whole))
            outlet.flush()

    def _stage(self, message: Message, body: Body) -> None:
        outcome = self._ingest.receiver.stage(self._header(message, body), body)
        if isinstance(outcome, Staged):
            self._staged.append(self._opened.enter_context(outcome))

    def _refuse(self, message: Message, body: Body, code: str, reason: str) -> None:
        self._ingest.metrics.error(code)
        feed_id = _feed_id(message)
        batch_id = batch_id_of(feed_id, None, body.digest)
        self._refused.append((Origin(feed_id, batch_id, body.digest, self._ingest.clock()), reason, body))

    def _header(self, message: Message, body: Body) -> BatchHeader:
        """Raises Unknown for the feed, MalformedBatch for the rest."""
        said = {name: value.decode("utf-8", "replace") for name, value in message.headers.items() if value}
        feed = self._ingest.receiver.feed(said.get("feed", message.key.decode("utf-8", "replace")))
        try:
            named = FeedFormat(said["format"]) if "format" in said else None
            return BatchHeader.model_validate(
                {
                    "feed_id": feed.feed_id,
                    "sequence": said.get("sequence"),
                    "format": format_of(body, feed, named),
                    "control_count": said.get("control-count"),
                    "control_sum": said.get("control-sum"),
                }
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise MalformedBatch(f"header {first['loc'][0]}: {first['msg']}") from None
        except ValueError as error:
            raise MalformedBatch(f"header format: {error}") from None


def run(ingest: Ingest, stop: Event) -> None:
    """Take from the direct topics until `stop`; wait and try again while the log does not answer."""
    with closing(ingest.log.consume((DIRECT_FEEDS, DIRECT_REGISTRY), GROUP)) as consumer:
        intake = DirectIntake(ingest, consumer)
        while not stop.is_set():
            _patiently(intake.step, stop)


def _patiently(step: Callable[[], int], stop: Event) -> None:
    attempt = 0
    while not stop.is_set():
        try:
            step()
        except Unavailable as error:
            wait_seconds = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
            _log.warning("direct topics: %s; trying again in %d s", error, wait_seconds)
            stop.wait(wait_seconds)
            attempt += 1
        else:
            return


def _feed_id(message: Message) -> str:
    """The feed that the message names, where that can be a feed's name."""
    said = message.headers.get("feed") or message.key
    try:
        feed_id = _IDENTIFIER.validate_python(said.decode())
    except (ValidationError, UnicodeDecodeError):
        return UNKNOWN_FEED
    return UNKNOWN_FEED if feed_id in RESERVED_FEEDS else feed_id
