"""From messages of `transactions` to messages of `alerts` and `risk-scores`; the part that the Faust
worker and the embedded runner share. No I/O of its own: `Read` is how it asks for what it missed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from logging import getLogger
from typing import Final, NamedTuple, Protocol

from eventlog.log import Message
from schemas.alert import Alert
from schemas.balance import Balance
from schemas.batch import TransferBatch
from schemas.errors import InvalidInput
from schemas.registry import RegistryRecord
from schemas.risk import RiskScore
from schemas.topics import ALERTS, KIND_HEADER, RISK_SCORES, Topic
from services.detector.intake import Changes, Content, Statements, Transfers, content_of, together

GROUP: Final = "detector"
ALARM_FILL: Final = 0.8
"""Share of an engine's stated maximum at which an alarm is due, while there is time to act."""

_log = getLogger(__name__)


class Findings(Protocol):
    @property
    def alerts(self) -> Sequence[Alert]: ...
    @property
    def scores(self) -> Sequence[RiskScore]: ...


class Engine(Protocol):
    """Deterministic: the same calls in the same order give the same findings."""

    @property
    def fill(self) -> float:
        """Share of its stated maximum in use."""

    def apply_transfers(self, *batches: TransferBatch) -> Findings:
        """In this order: what is found does not depend on how many are given at once."""

    def apply_registry(self, records: Sequence[RegistryRecord]) -> Findings: ...
    def apply_balances(self, records: Sequence[Balance]) -> Findings: ...


Read = Callable[[int, int, int], Iterable[Message]]
"""Messages of one partition of `transactions`: (partition, from offset, up to but not offset)."""


class Output(NamedTuple):
    topic: Topic
    key: bytes
    value: bytes


@dataclass(slots=True)
class Counts:
    """What was read since the process began; replayed messages are counted apart. `fill`: how full each
    partition's engine is, as a share of its stated maximum."""

    messages: int = 0
    transfers: int = 0
    replayed: int = 0
    undecodable: int = 0
    fill: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Partition:
    number: int
    engine: Engine
    next: int = 0  # the first offset that the engine has not seen


class Detector:
    """The engines of the partitions that this process reads, each a function of its partition's log.

    Messages in, their outputs out. The engine first catches up, in silence, with whatever lies
    between what it has seen and the messages: all of it after a restart, the part another worker
    handled when a partition comes back. Used from one thread.
    """

    def __init__(self, engine: Callable[[], Engine], read: Read) -> None:
        self.counts = Counts()
        self._engine = engine
        self._read = read
        self._partitions: dict[int, _Partition] = {}

    def apply(self, messages: Iterable[Message]) -> list[Output]:
        """Outputs of messages in the order of their partitions' logs; none of those that the engine has
        seen, so the caller must have sent what an earlier call returned, or else drop() the partitions."""
        found: list[Output] = []
        for number, mine in _by_partition(messages).items():
            if number not in self._partitions:
                self._partitions[number] = _Partition(number, self._engine())
            partition = self._partitions[number]
            for run in _without_gaps(mine):
                unseen = [message for message in run if message.offset >= partition.next]
                if unseen:
                    self._catch_up(partition, unseen[0].offset)
                    for findings in self._advance(partition, unseen):
                        found += outputs(findings)
        return found

    def drop(self, partition: int) -> None:
        """Forget the partition's engine: it is built anew from the log when it is needed."""
        self._partitions.pop(partition, None)
        self.counts.fill.pop(partition, None)

    def keep(self, partitions: Collection[int]) -> None:
        """Drop every other partition's engine."""
        for partition in self._partitions.keys() - set(partitions):
            self.drop(partition)

    def _catch_up(self, partition: _Partition, end: int) -> None:
        start = partition.next
        if start == end:
            return
        _log.info("partition %d: replaying %d to %d", partition.number, start, end - 1)
        before = self.counts.messages
        for _ in self._advance(partition, self._read(partition.number, start, end)):
            pass
        self.counts.replayed += self.counts.messages - before
        partition.next = end

    def _advance(self, partition: _Partition, messages: Iterable[Message]) -> Iterator[Findings]:
        """What the engine finds in messages that follow one another. To one that cannot be decoded it is as
        if it were not there, at each replay too: the engine's state stays a function of the log."""
        for content in together(self._decoded(partition, messages)):
            yield _give(partition.engine, content)
            self._note_fill(partition.number, partition.engine.fill)

    def _decoded(self, partition: _Partition, messages: Iterable[Message]) -> Iterator[Content]:
        for message in messages:
            partition.next = message.offset + 1
            self.counts.messages += 1
            try:
                content = content_of(message.headers.get(KIND_HEADER), message.value)
            except InvalidInput as error:
                self.counts.undecodable += 1
                place = f"{message.topic}/{message.partition}@{message.offset}"
                _log.error("%s cannot be decoded and is skipped: %s", place, error)
                continue
            if isinstance(content, Transfers):
                self.counts.transfers += sum(batch.rows for batch in content.batches)
            yield content

    def _note_fill(self, partition: int, fill: float) -> None:
        if fill >= ALARM_FILL > self.counts.fill.get(partition, 0.0):
            _log.warning(
                "partition %d: the engine is %.0f %% full; when it is full, its window shortens and new"
                " accounts are refused: raise its maximum or add partitions and workers",
                partition,
                100 * fill,
            )
        self.counts.fill[partition] = fill


def _by_partition(messages: Iterable[Message]) -> dict[int, list[Message]]:
    found: dict[int, list[Message]] = {}
    for message in messages:
        found.setdefault(message.partition, []).append(message)
    return found


def _without_gaps(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Of one partition, cut where an offset does not follow the one before."""
    for _, run in groupby(enumerate(messages), lambda each: each[1].offset - each[0]):
        yield [message for _, message in run]


def _give(engine: Engine, content: Content) -> Findings:
    match content:
        case Transfers(batches):
            return engine.apply_transfers(*batches)
        case Changes(records):
            return engine.apply_registry(records)
        case Statements(statements):
            return engine.apply_balances(statements)


def outputs(findings: Findings) -> list[Output]:
    """As they go on the log, alerts first, in the order found."""
    return [
        *(
            Output(ALERTS, alert.alert_id.encode(), alert.model_dump_json().encode())
            for alert in findings.alerts
        ),
        *(
            Output(RISK_SCORES, score.institution_id.encode(), score.model_dump_json().encode())
            for score in findings.scores
        ),
    ]
