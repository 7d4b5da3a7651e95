"""Columns in and out: a batch in the graph's codes, and the columns of some transfers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

from compiled import Array, Int64s
from schemas.batch import Sent, TransferBatch
from services.detector.graph.codes import Codes
from services.detector.graph.fingerprints import fingerprints
from services.detector.graph.lists import EDGE
from services.detector.graph.state import Rows

_BYTES: Final = np.dtype((np.void, EDGE.itemsize))
_OUTCOME: Final = {
    "seq": np.int64,
    "as_of": np.int64,
    "head": np.int64,
    "clock_us": np.int64,
    "status": np.int8,
    "late": np.bool_,
    "in_degree": np.int32,
    "out_degree": np.int32,
    "in_minor": np.int64,
    "out_minor": np.int64,
    "payers": np.int32,
    "payees": np.int32,
    "marked_payers": np.int32,
}


def rows_of(batch: TransferBatch, currencies: Codes, products: Codes) -> Rows:
    """The batch's columns, and room for what becomes of its rows."""
    count = batch.rows
    given: dict[str, Any] = {
        "src": np.empty(count, np.int32),
        "dst": np.empty(count, np.int32),
        "ts_us": batch.int64("ts_us"),
        "amount_minor": batch.int64("amount_minor"),
        "purpose": batch.purposes(),
        "currency": currencies.encode(batch.columns.column("currency")).astype(np.int16),
        "product": products.encode(batch.columns.column("product")),
        "digests": np.concatenate([fingerprints(sent.feed_id, tx_ids) for sent, tx_ids in sent_ids(batch)]),
    }
    room: dict[str, Any] = {name: np.empty(count, dtype) for name, dtype in _OUTCOME.items()}
    return Rows(**given, **room)


def sent_ids(batch: TransferBatch) -> Iterator[tuple[Sent, pa.StringArray]]:
    """By whom rows were, and their transaction ids, in the order of rows."""
    tx_ids = batch.columns.column("tx_id")
    for sent in batch.sent:
        yield sent, tx_ids.slice(sent.first, sent.end - sent.first)


def in_order(records: Array) -> Int64s:
    """Places of EDGE records in the order of (ts_us, seq)."""
    return np.lexsort((records["seq"], records["ts_us"]))


def copied(records: Array) -> Array:
    """The same EDGE records elsewhere, as bytes: numpy copies records field by field."""
    copy: Array = records.view(_BYTES).copy().view(EDGE)
    return copy
