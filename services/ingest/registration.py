"""Registry records in: checked, tokenised, appended where they change something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import BinaryIO, Final, NamedTuple

from pydantic import ValidationError

from eventlog.log import Log
from registry import Registry
from schemas.account import OUTSIDE
from schemas.errors import InvalidRecord
from schemas.feed import Count
from schemas.record import Record, content_id
from schemas.registry import REGISTRY_RECORD, Account, Feed, Party, RegistryRecord, version_key
from schemas.topics import REGISTRY_TOPIC
from services.ingest.body import Body
from services.ingest.metrics import Metrics
from services.ingest.normalise import Bad
from services.ingest.outlet import Outlet
from services.ingest.rejects import KeyedReject, Origin, rejects_of
from services.ingest.tokens import Tokeniser

LINE_BYTES: Final = 64 << 10
GROUP_RECORDS: Final = 5_000
"""How many records are made durable, and come into force, together."""

MESSAGE_RECORDS: Final = 250
"""A record has 16 KB at most, so this many fit topics.MAX_MESSAGE_BYTES twice over."""

NAMED_REJECTS: Final = 100
REGISTRY_FEED: Final = "registry"
UNKNOWN_FEED: Final = "unknown"
RESERVED_FEEDS: Final = frozenset({REGISTRY_FEED, UNKNOWN_FEED})
"""Under these names stand the rejects that belong to no feed."""


class RejectedLine(Record):
    line: Count
    field: str
    reason: str
    reject_id: str


class RegistryReceipt(Record):
    """What became of a push of registry records. `rejects` names the first 100 of `rejected`."""

    records: Count = 0
    accepted: Count = 0
    unchanged: Count = 0
    rejected: Count = 0
    rejects: tuple[RejectedLine, ...] = ()

    def and_then(self, later: RegistryReceipt) -> RegistryReceipt:
        return RegistryReceipt(
            records=self.records + later.records,
            accepted=self.accepted + later.accepted,
            unchanged=self.unchanged + later.unchanged,
            rejected=self.rejected + later.rejected,
            rejects=(*self.rejects, *later.rejects)[:NAMED_REJECTS],
        )


class _Change(NamedTuple):
    record: RegistryRecord
    json: bytes


class Registration:
    """Takes registry records and keeps `registry` at what the topic `registry` says.

    A change goes to every partition of the transfers first and to the topic `registry` last: after
    a crash in between it is not known, and pushed again it is appended again, which is harmless.
    Safe to use from several threads.
    """

    def __init__(
        self,
        log: Log,
        registry: Registry,
        tokens: Tokeniser,
        outlet: Outlet,
        metrics: Metrics,
        clock: Callable[[], int],
    ) -> None:
        """Rebuilds `registry` from the log. Blocks while the topic is read."""
        self._registry = registry
        self._tokens = tokens
        self._outlet = outlet
        self._metrics = metrics
        self._clock = clock
        self._digests: dict[bytes, bytes] = {}
        for message in log.replay(REGISTRY_TOPIC):
            if message.value:
                self._apply(_Change(REGISTRY_RECORD.validate_json(message.value), message.value))

    def register(self, body: Body) -> RegistryReceipt:
        """Take records, one JSON object a line, clear account and identity numbers. Blocks.

        Bad lines are kept as rejects of the feed "registry"; the others go on. Raises Unavailable:
        what came before the group that failed is in force, and pushing all of it again is harmless.
        """
        origin = Origin(REGISTRY_FEED, content_id(REGISTRY_FEED, body.digest), body.digest, self._clock())
        receipt = RegistryReceipt()
        with body.open() as stream:
            lines = _lines(stream)
            while group := list(islice(lines, GROUP_RECORDS)):
                receipt = receipt.and_then(self._take(origin, group))
        self._metrics.changes("accepted", receipt.accepted)
        self._metrics.changes("unchanged", receipt.unchanged)
        self._metrics.changes("rejected", receipt.rejected)
        return receipt

    def _take(self, origin: Origin, group: Sequence[tuple[int, bytes]]) -> RegistryReceipt:
        read: list[RegistryRecord] = []
        named: list[RejectedLine] = []
        rejects: list[KeyedReject] = []
        for number, line in group:
            try:
                read.append(tokenised(record_of(line), self._tokens))
            except InvalidRecord as error:
                bad = Bad(number, "", error.field, error.reason, line)
                kept = list(rejects_of(origin, bad))
                rejects += kept
                reject_id = kept[0].reject_id.decode()
                named.append(
                    RejectedLine(line=number, field=error.field, reason=error.reason, reject_id=reject_id)
                )
        with self._outlet:
            changes = self._changes(read)
            self._outlet.rejects(rejects)
            self._publish(changes)
        return RegistryReceipt(
            records=len(group),
            accepted=len(changes),
            unchanged=len(read) - len(changes),
            rejected=len(named),
            rejects=tuple(named[:NAMED_REJECTS]),
        )

    def _publish(self, changes: Sequence[_Change]) -> None:
        for start in range(0, len(changes), MESSAGE_RECORDS):
            self._outlet.registry_changes([one.json for one in changes[start : start + MESSAGE_RECORDS]])
        self._outlet.flush()
        for change in changes:
            self._outlet.registry_record(change.record, change.json)
        self._outlet.flush()
        for change in changes:
            self._apply(change)

    def _changes(self, records: Sequence[RegistryRecord]) -> list[_Change]:
        """Those that differ from the version in force, or from one before them in `records`."""
        changes = []
        ahead: dict[bytes, bytes] = {}
        for record in records:
            change = _Change(record, record.model_dump_json().encode())
            key, digest = _key(change), _digest(change.json)
            if ahead.get(key, self._digests.get(key)) != digest:
                ahead[key] = digest
                changes.append(change)
        return changes

    def _apply(self, change: _Change) -> None:
        self._digests[_key(change)] = _digest(change.json)
        self._registry.apply(change.record)


def tokenised(record: RegistryRecord, tokens: Tokeniser) -> RegistryRecord:
    """`record` with its account or identity number replaced by a token. Raises InvalidRecord for an
    account number that stands for the outside world and for a feed under a reserved name."""
    match record:
        case Account():
            token = tokens.account(record.account_id)
            if token == OUTSIDE:
                raise InvalidRecord("account_id", "names the outside world, which is not an account")
            return record.model_copy(update={"account_id": token.hex()})
        case Party():
            return record.model_copy(update={"identity": tokens.identity(record.identity)})
        case Feed() if record.feed_id in RESERVED_FEEDS:
            raise InvalidRecord("feed_id", f"{record.feed_id!r} is a reserved name")
        case _:
            return record


def record_of(line: bytes) -> RegistryRecord:
    """Raises InvalidRecord, without repeating what the line holds."""
    if len(line) > LINE_BYTES:
        raise InvalidRecord("", f"a line may have {LINE_BYTES} bytes; this is the beginning of a longer one")
    try:
        return REGISTRY_RECORD.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = [str(part) for part in first["loc"][1:]]
        named = ".".join(place) or ("kind" if first["type"].startswith("union_tag") else "")
        raise InvalidRecord(named, first["msg"]) from None


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, line) of those not blank; of one too long, its beginning."""
    number = 0
    while line := stream.readline(LINE_BYTES + 1):
        number += 1
        rest = line
        while len(line) > LINE_BYTES and rest and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_BYTES)
        if line.strip():
            yield number, line


def _key(change: _Change) -> bytes:
    return _digest(version_key(change.record).encode())


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
