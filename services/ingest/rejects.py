"""What was not let in, as Reject records small enough for a message and together whole.

A record longer than RAW_BYTES, and the body of a batch that was rejected as a whole (number 0), is
kept in pieces: rejects of the same number, in order, whose `raw` put together is what came.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final, Literal, NamedTuple

from schemas.record import content_id
from schemas.reject import Reject
from services.ingest.normalise import Bad

RAW_BYTES: Final = 1 << 20
"""JSON writes one byte as at most six, so that a piece fits topics.MAX_MESSAGE_BYTES."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The batch that rejects are of. `digest` sets what a repaired batch of that id holds apart."""

    feed_id: str
    batch_id: str
    digest: str
    received_us: int


class KeyedReject(NamedTuple):
    """A Reject ready for its topic."""

    reject_id: bytes
    json: bytes


def keyed(reject: Reject) -> KeyedReject:
    return KeyedReject(reject.reject_id.encode(), reject.model_dump_json().encode())


def reject_id_of(origin: Origin, number: int, piece: int) -> str:
    """The same for the same content of the same batch, so that taking it twice adds nothing."""
    return content_id(origin.feed_id, origin.batch_id, origin.digest, str(number), str(piece))


def rejects_of(origin: Origin, bad: Bad) -> Iterator[KeyedReject]:
    """One reject, or as many as the record has pieces."""
    return map(keyed, _rejects(origin, bad, BytesIO(bad.raw)))


def rejects_of_batch(origin: Origin, reason: str, body: BinaryIO) -> Iterator[KeyedReject]:
    """The batch as a whole: record number 0, its body in `raw`."""
    return map(keyed, _rejects(origin, Bad(0, "", "", reason, b""), body))


def _rejects(origin: Origin, bad: Bad, raw: BinaryIO) -> Iterator[Reject]:
    for position, piece in enumerate(_pieces(raw)):
        text, encoding = _text(piece)
        yield Reject(
            reject_id=reject_id_of(origin, bad.number, position),
            feed_id=origin.feed_id,
            batch_id=origin.batch_id,
            record_number=bad.number,
            tx_id=bad.tx_id,
            field=bad.field,
            reason=bad.reason if position == 0 else f"{bad.reason} (continued, piece {position + 1})",
            raw=text,
            raw_encoding=encoding,
            received_at=origin.received_us,
        )


def _pieces(raw: BinaryIO) -> Iterator[bytes]:
    """At least one piece; cut after a line where there is one, so that text stays whole."""
    held = raw.read(RAW_BYTES + 1)
    while len(held) > RAW_BYTES:
        cut = held.rfind(b"\n", 0, RAW_BYTES) + 1 or RAW_BYTES
        yield held[:cut]
        held = held[cut:]
        held += raw.read(RAW_BYTES + 1 - len(held))
    yield held


def _text(raw: bytes) -> tuple[str, Literal["utf-8", "base64"]]:
    try:
        return raw.decode(), "utf-8"
    except UnicodeDecodeError:
        return b64encode(raw).decode(), "base64"
