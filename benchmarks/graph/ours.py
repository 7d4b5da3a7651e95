"""The rolling graph of services/detector/graph, through its public interface."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version

import numpy as np
import pyarrow as pa

from benchmarks.graph.stream import WINDOW_US, Kind, Stream
from benchmarks.graph.subject import CYCLE_LEGS, MIN_SPREAD, Hits, Shapes
from schemas.account import TOKEN_BYTES
from schemas.batch import SCHEMA, BatchId, TransferBatch
from services.detector.graph import Found, RollingGraph, Shape
from services.detector.graph import Shapes as Searched

MAX_ACCOUNTS = 1_000_000
FAN = 50
"""Counterparties from which on a fan counts as one."""
CARRIED_PERMILLE = (500, 2_000)
"""What a leg may carry of what the closing leg carries."""
BOTH_SIDES = 3
"""Payees in common, of so many payers: a bipartite shape."""


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


def asked(shapes: Shapes) -> Searched:
    """The settings of the searches. Hub degree and budget are the graph's defaults."""
    least, most = CARRIED_PERMILLE if shapes is Shapes.catalogue else (0, 0)
    fan, both_sides = (FAN, BOTH_SIDES) if shapes is Shapes.catalogue else (0, 0)
    return Searched(
        cycle_legs=CYCLE_LEGS if shapes.has_cycles else 0,
        cycle_window_us=shapes.cycle_window_us,
        least_permille=least,
        most_permille=most,
        window_us=WINDOW_US,
        middles=MIN_SPREAD if shapes.has_scatter_gather else 0,
        fan_in=fan,
        fan_out=fan,
        gather_scatter=fan,
        bipartite=both_sides,
    )


class Ours:
    def __init__(self, stream: Stream, shapes: Shapes) -> None:
        self._batches = Batches(stream)
        self._graph = new_graph(stream.live)
        self._shapes = shapes
        self._asked = asked(shapes)
        self._cut = {"searched": 0, "budget_spent": 0, "hub_met": 0}

    def fill(self, first: int, last: int) -> None:
        self._graph.apply(self._batches.batch(first, last))

    def prepare(self, first: int, last: int) -> TransferBatch:
        return self._batches.batch(first, last)

    def take(self, prepared: TransferBatch) -> Found | None:
        if self._shapes is Shapes.update:
            self._graph.apply(prepared)
            return None
        return self._graph.apply_and_search(prepared, self._asked)[1]

    def hits(self, first: int, taken: Found | None) -> Hits:
        if taken is None:
            return {}
        self._cut["searched"] += taken.cut.size
        self._cut["budget_spent"] += taken.budget_spent
        self._cut["hub_met"] += taken.hub_met
        shape_of = {Kind.cycle: Shape.cycle, Kind.scatter_gather: Shape.scatter_gather}
        return {
            kind: set((first + taken.row[taken.shape == shape_of[kind]]).tolist())
            for kind in self._shapes.kinds
        }

    def counters(self) -> dict[str, int]:
        held = {"live": self._graph.live, "accounts": self._graph.accounts}
        return asdict(self._graph.counters) | held | self._cut


def make(stream: Stream, shapes: Shapes) -> Ours:
    RollingGraph.warm()
    return Ours(stream, shapes)
