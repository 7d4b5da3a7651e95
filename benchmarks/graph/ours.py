"""The rolling graph of services/detector/graph, through its public interface."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version

import numpy as np
import pyarrow as pa

from benchmarks.graph.stream import WINDOW_US, Stream
from benchmarks.graph.subject import Hits, Shapes
from schemas.account import TOKEN_BYTES
from schemas.batch import SCHEMA, BatchId, TransferBatch
from services.detector.graph import Applied, RollingGraph

MAX_ACCOUNTS = 1_000_000
SHAPES = frozenset({Shapes.update})
"""What can be asked of it."""


def versions() -> dict[str, str]:
    return {name: version(name) for name in ("numba", "numpy", "pyarrow")}


def tokens(accounts: int) -> np.ndarray:
    """(accounts + 1, 2) halves of random tokens, by account number."""
    return np.random.default_rng(7).integers(1, 2**63, (accounts + 1, 2), np.uint64)


class Batches:
    """Rows of a stream as the detector gets them."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._tokens = tokens(stream.accounts)

    def batch(self, first: int, last: int) -> TransferBatch:
        stream, count = self._stream, last - first
        blank = pa.array(np.zeros(count, np.int8))
        columns = {
            "tx_id": pa.array([f"T{row:09d}" for row in range(first, last)]),
            "ts_us": pa.array(stream.ts_us[first:last]),
            "src": self._token_column(stream.src[first:last]),
            "dst": self._token_column(stream.dst[first:last]),
            "amount_minor": pa.array(stream.amount_minor[first:last]),
            "purpose": blank,
            "instruction": pa.array([""] * count),
            "reversal_of": pa.array([""] * count),
        }
        for name in ("currency", "product", "channel", "src_bank", "dst_bank"):
            kind = SCHEMA.field(name).type
            only = pa.array(["CNY" if name == "currency" else ""])
            columns[name] = pa.DictionaryArray.from_arrays(blank.cast(kind.index_type), only)
        arrays = [columns[name] for name in SCHEMA.names]
        return TransferBatch(
            BatchId("bench", str(first), 0), pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
        )

    def _token_column(self, accounts: np.ndarray) -> pa.FixedSizeBinaryArray:
        data = pa.py_buffer(self._tokens[accounts].tobytes())
        return pa.FixedSizeBinaryArray.from_buffers(pa.binary(TOKEN_BYTES), accounts.size, [None, data])


def new_graph(live: int) -> RollingGraph:
    return RollingGraph(
        window_us=WINDOW_US, lateness_us=0, max_transfers=live + live // 2, max_accounts=MAX_ACCOUNTS
    )


class Ours:
    def __init__(self, stream: Stream) -> None:
        self._batches = Batches(stream)
        self._graph = new_graph(stream.live)

    def fill(self, first: int, last: int) -> None:
        self._graph.apply(self._batches.batch(first, last))

    def prepare(self, first: int, last: int) -> TransferBatch:
        return self._batches.batch(first, last)

    def take(self, prepared: TransferBatch) -> Applied:
        return self._graph.apply(prepared)

    def hits(self, _first: int, _taken: Applied) -> Hits:
        return {}

    def counters(self) -> dict[str, int]:
        return asdict(self._graph.counters) | {"live": self._graph.live, "accounts": self._graph.accounts}


def make(stream: Stream, shapes: Shapes) -> Ours:
    assert shapes in SHAPES
    RollingGraph.warm()
    return Ours(stream)
