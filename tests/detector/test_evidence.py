"""Evidence is the same whether its edges were shown before or not."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.alert import EvidenceEdge
from schemas.instant import HOUR
from services.detector.evidence import EvidenceEdges
from services.detector.graph import RollingGraph
from tests.detector.graph.stream import Transfer, batch, token

_TRANSFERS = [
    Transfer(f"t{seq}", seq % 5, 5 + seq % 3, (20 - seq // 2) * HOUR, 100 + seq) for seq in range(20)
]
_ATTRIBUTED = st.dictionaries(st.integers(0, 19), st.integers(1, 3))


def edge(seq: int, attributed_minor: int) -> EvidenceEdge:
    transfer = _TRANSFERS[seq]
    return EvidenceEdge(
        tx_id=transfer.tx_id,
        feed_id="bank",
        src=token(transfer.src).hex(),
        dst=token(transfer.dst).hex(),
        ts=transfer.ts_us,
        amount_minor=transfer.amount_minor,
        attributed_minor=attributed_minor,
        currency="CNY",
        purpose="unknown",
    )


def context() -> Any:
    graph = RollingGraph(window_us=1_000 * HOUR, lateness_us=100 * HOUR, max_transfers=100, max_accounts=20)
    graph.apply(batch(_TRANSFERS))
    return SimpleNamespace(graph=graph)


_CONTEXT = context()


@given(st.integers(0, 25), st.lists(_ATTRIBUTED, max_size=8))
def test_edges_are_those_of_the_graph_however_many_are_kept(most: int, asked: list[dict[int, int]]) -> None:
    edges = EvidenceEdges(most)
    for attributed in asked:
        ordered = sorted(attributed, key=lambda seq: (_TRANSFERS[seq].ts_us, seq))
        assert edges.of(_CONTEXT, attributed) == tuple(edge(seq, attributed[seq]) for seq in ordered)
        assert len(edges._shown) <= most


def test_an_edge_shown_lately_is_not_made_again() -> None:
    edges = EvidenceEdges(2)
    (first,) = edges.of(_CONTEXT, {3: 7})
    assert edges.of(_CONTEXT, {3: 7, 4: 1})[1] is first
    edges.of(_CONTEXT, {5: 1})
    assert edges.of(_CONTEXT, {3: 7})[0] is not first


def test_what_is_kept_is_not_pickled() -> None:
    edges = EvidenceEdges(5)
    edges.of(_CONTEXT, {1: 1})
    restored = pickle.loads(pickle.dumps(edges))
    assert not restored._shown
    assert restored.of(_CONTEXT, {1: 1}) == edges.of(_CONTEXT, {1: 1})
