"""From messages of `transactions` to messages of `alerts` and `risk-scores`; the part that the Faust
worker and the embedded runner share. No I/O of its own: `Read` is how it asks for what it missed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from logging import getLogger
from typing import Final, NamedTuple, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from eventlog.log import Message
from schemas.alert import Alert
from schemas.balance import BALANCES as BALANCE_RECORDS
from schemas.balance import Balance
from schemas.batch import TransferBatch, decode
from schemas.errors import InvalidInput, MalformedBatch
from schemas.registry import RegistryRecord
from schemas.risk import RiskScore
from schemas.topics import ALERTS, BALANCES, KIND_HEADER, REGISTRY, RISK_SCORES, TRANSFERS, Topic

GROUP: Final = "detector"
ALARM_FILL: Final = 0.8
"""Share of an engine's stated maximum at which an alarm is due, while there is time to act."""
R = TypeVar("R")

_log = getLogger(__name__)
_registry: TypeAdapter[list[RegistryRecord]] = TypeAdapter(list[RegistryRecord])


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

    def apply_transfers(self, batch: TransferBatch) -> Findings: ...
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
    engine: Engine
    next: int = 0  # the first offset that the engine has not seen


class Detector:
    """The engines of the partitions that this process reads, each a function of its partition's log.

    One message in, its outputs out. The engine first catches up, in silence, with whatever lies
    between what it has seen and the message: all of it after a restart, the part another worker
    handled when a partition comes back. Used from one thread.
    """

    def __init__(self, engine: Callable[[], Engine], read: Read) -> None:
        self.counts = Counts()
        self._engine = engine
        self._read = read
        self._partitions: dict[int, _Partition] = {}

    def apply(self, message: Message) -> list[Output]:
        """Outputs of `message`; none when the engine has seen it, so the caller must have sent what
        an earlier call returned, or else drop() the partition."""
        if message.partition not in self._partitions:
            self._partitions[message.partition] = _Partition(self._engine())
        partition = self._partitions[message.partition]
        if message.offset < partition.next:
            return []
        if message.offset > partition.next:
            self._catch_up(partition, message)
        return outputs(self._advance(partition, message))

    def drop(self, partition: int) -> None:
        """Forget the partition's engine: it is built anew from the log when it is needed."""
        self._partitions.pop(partition, None)
        self.counts.fill.pop(partition, None)

    def keep(self, partitions: Collection[int]) -> None:
        """Drop every other partition's engine."""
        for partition in self._partitions.keys() - set(partitions):
            self.drop(partition)

    def _catch_up(self, partition: _Partition, message: Message) -> None:
        start = partition.next
        _log.info("partition %d: replaying %d to %d", message.partition, start, message.offset - 1)
        for missed in self._read(message.partition, start, message.offset):
            self._advance(partition, missed)
            self.counts.replayed += 1

    def _advance(self, partition: _Partition, message: Message) -> Findings | None:
        """What the engine finds in `message`; None when it cannot be decoded, which is the same at
        each replay and so leaves the engine's state a function of the log."""
        partition.next = message.offset + 1
        self.counts.messages += 1
        try:
            findings = self._give(partition.engine, message)
            self._note_fill(message.partition, partition.engine.fill)
            return findings
        except InvalidInput as error:
            self.counts.undecodable += 1
            place = f"{message.topic}/{message.partition}@{message.offset}"
            _log.error("%s cannot be decoded and is skipped: %s", place, error)
            return None

    def _note_fill(self, partition: int, fill: float) -> None:
        if fill >= ALARM_FILL > self.counts.fill.get(partition, 0.0):
            _log.warning(
                "partition %d: the engine is %.0f %% full; when it is full, its window shortens and new"
                " accounts are refused: raise its maximum or add partitions and workers",
                partition,
                100 * fill,
            )
        self.counts.fill[partition] = fill

    def _give(self, engine: Engine, message: Message) -> Findings:
        """Raises InvalidInput, before the engine has seen anything of it."""
        kind = message.headers.get(KIND_HEADER)
        if kind == TRANSFERS:
            batch = decode(message.value)
            self.counts.transfers += batch.rows
            return engine.apply_transfers(batch)
        if kind == REGISTRY:
            return engine.apply_registry(_records(_registry, message.value))
        if kind == BALANCES:
            return engine.apply_balances(_records(BALANCE_RECORDS, message.value))
        raise MalformedBatch(f"header {KIND_HEADER} is {kind!r}")


def outputs(findings: Findings | None) -> list[Output]:
    """As they go on the log, alerts first, in the order found."""
    if findings is None:
        return []
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


def _records(kind: TypeAdapter[list[R]], value: bytes) -> list[R]:
    try:
        return kind.validate_json(value)
    except ValidationError as error:
        raise MalformedBatch(f"not a JSON array of such records: {error}") from None
