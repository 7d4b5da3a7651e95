"""The columnar batch: what the topic `transactions` carries, as one Arrow IPC stream a message.

Kafka's, Faust's and Python's cost per message is paid once per some hundred transactions.
Rows are in the order in which the bank sent them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from schemas.account import TOKEN_BYTES
from schemas.errors import MalformedBatch

VERSION: Final = "1"
MAX_ROWS: Final = 65_536

_text = pa.string()
_small_set = pa.dictionary(pa.int16(), pa.string())

SCHEMA: Final = pa.schema(
    [
        pa.field("tx_id", _text, nullable=False),
        pa.field("ts_us", pa.int64(), nullable=False),
        pa.field("src", pa.binary(TOKEN_BYTES), nullable=False),
        pa.field("dst", pa.binary(TOKEN_BYTES), nullable=False),
        pa.field("amount_minor", pa.int64(), nullable=False),
        pa.field("currency", _small_set, nullable=False),
        pa.field("purpose", pa.int8(), nullable=False),  # schemas.transaction.Purpose
        pa.field("product", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("channel", _small_set, nullable=False),
        pa.field("src_bank", _small_set, nullable=False),
        pa.field("dst_bank", _small_set, nullable=False),
        pa.field("instruction", _text, nullable=False),
        pa.field("reversal_of", _text, nullable=False),
    ]
)

_SMALL_SETS: Final = tuple(field.name for field in SCHEMA if field.type == _small_set)


@dataclass(frozen=True, slots=True)
class BatchId:
    """Which batch of which feed these rows are, and which part of it this partition received.

    `batch_id` is the idempotency key within the feed; the same (feed_id, batch_id, part) always
    holds the same rows, so a consumer that has seen it may drop it.
    """

    feed_id: str
    batch_id: str
    part: int


class Sent(NamedTuple):
    """By which feed the rows from `first` up to but not `end` were."""

    feed_id: str
    first: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class TransferBatch:
    """Decoded columns of one message, or of several that were joined. Arrays are read-only views into a
    buffer, of one message its own."""

    id: BatchId
    """Of several messages: the first one's."""
    columns: pa.RecordBatch
    senders: tuple[Sent, ...] = ()
    """Of several messages."""

    @property
    def sent(self) -> tuple[Sent, ...]:
        """By whom each row was."""
        return self.senders or (Sent(self.id.feed_id, 0, self.rows),)

    @property
    def rows(self) -> int:
        return int(self.columns.num_rows)

    @property
    def small_texts(self) -> int:
        """Texts of the largest dictionary of a small set, used or not: see joined()."""
        return max(len(self.columns.column(name).dictionary) for name in _SMALL_SETS)

    def int64(self, name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Zero-copy int64 view of `ts_us` or `amount_minor`."""
        view: np.ndarray[tuple[int], np.dtype[np.int64]] = self.columns.column(name).to_numpy()
        return view

    def purposes(self) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
        view: np.ndarray[tuple[int], np.dtype[np.int8]] = self.columns.column("purpose").to_numpy()
        return view

    def tokens(self, name: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
        """Zero-copy (rows, 2) uint64 view of `src` or `dst`: the token's two little-endian halves."""
        column = self.columns.column(name)
        view = np.frombuffer(column.buffers()[1], dtype=np.dtype("<u8")).reshape(-1, 2)
        return view[column.offset : column.offset + len(column)]


def joined(batches: Sequence[TransferBatch]) -> TransferBatch:
    """The rows of all, one batch after the other. Raises pyarrow.ArrowInvalid where their `small_texts` are
    more than an int16 tells."""
    if len(batches) == 1:
        return batches[0]
    senders, first = list[Sent](), 0
    for batch in batches:
        for sent in batch.sent:
            senders.append(Sent(sent.feed_id, first + sent.first, first + sent.end))
        first += batch.rows
    return TransferBatch(batches[0].id, pa.concat_batches([one.columns for one in batches]), tuple(senders))


def encode(batch: TransferBatch) -> bytes:
    """Arrow IPC stream bytes. Raises MalformedBatch when over MAX_ROWS or not of SCHEMA."""
    if batch.rows > MAX_ROWS:
        raise MalformedBatch(f"{batch.rows} rows in one columnar batch; the bound is {MAX_ROWS}")
    if not batch.columns.schema.equals(SCHEMA):
        raise MalformedBatch("the columns are not those of schemas.batch.SCHEMA")
    schema = SCHEMA.with_metadata(
        {
            "version": VERSION,
            "feed_id": batch.id.feed_id,
            "batch_id": batch.id.batch_id,
            "part": str(batch.id.part),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(batch.columns.replace_schema_metadata(schema.metadata))
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def decode(message: bytes) -> TransferBatch:
    """Raises MalformedBatch for bytes that are not one batch of SCHEMA at VERSION."""
    try:
        with pa.ipc.open_stream(message) as reader:
            schema = reader.schema
            columns = reader.read_next_batch()
        metadata = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    except (pa.ArrowException, StopIteration, UnicodeDecodeError, OSError) as error:
        raise MalformedBatch(f"not an Arrow IPC stream of one batch: {error}") from None
    if metadata.get("version") != VERSION:
        raise MalformedBatch(f"batch version {metadata.get('version')!r}; this reads {VERSION!r}")
    if not schema.equals(SCHEMA):
        raise MalformedBatch("the columns are not those of schemas.batch.SCHEMA")
    if columns.num_rows > MAX_ROWS:
        raise MalformedBatch(f"{columns.num_rows} rows; the bound is {MAX_ROWS}")
    try:
        identity = BatchId(metadata["feed_id"], metadata["batch_id"], int(metadata["part"]))
    except (KeyError, ValueError) as error:
        raise MalformedBatch(f"batch metadata: {error}") from None
    return TransferBatch(identity, columns)
