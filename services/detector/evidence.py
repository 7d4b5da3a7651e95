"""The minimal subgraph that proves a finding, as networkx and as the alert carries it."""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx

from schemas.account import OUTSIDE
from schemas.alert import Evidence, EvidenceEdge, EvidenceNode, Limit
from schemas.errors import Unknown
from services.detector.typology import Context

MAX_EDGES = 500
"""Transfers on one alert; those of which most is attributed come first."""


def subgraph(
    context: Context, attributed: Mapping[int, int]
) -> tuple[nx.MultiDiGraph[str], tuple[Limit, ...]]:
    """The transfers `attributed` names, each with `attributed_minor`, and each account with the role,
    party and institution that the registry gives it now; and the bound, where it left some out."""
    held = [seq for seq in attributed if _is_held(context, seq)]
    foremost = sorted(held, key=lambda seq: (-attributed[seq], seq))[:MAX_EDGES]
    graph = context.graph.to_networkx(context.graph.edges(foremost))
    for _, _, seq, data in graph.edges(keys=True, data=True):
        data["attributed_minor"] = attributed[int(seq)]
    for token, data in graph.nodes(data=True):
        account = context.registry.account(token, context.now_us)
        data["role"] = account.role.value if account else "unknown"
        data["party_id"] = account.party_id if account else None
        data["institution_id"] = account.institution_id if account else None
        if token == OUTSIDE.hex():
            data["role"] = "outside"
    cut = len(attributed) > MAX_EDGES
    return graph, (Limit(name="evidence_edges", bound=MAX_EDGES),) if cut else ()


def _is_held(context: Context, seq: int) -> bool:
    """False once the graph, at its stated maximum, has let the transfer go before its time."""
    try:
        context.graph.transfer_id(seq)
    except Unknown:
        return False
    return True


def evidence_of(graph: nx.MultiDiGraph[str]) -> Evidence:
    """Edges in time order, nodes by account."""
    edges = sorted(graph.edges(keys=True, data=True), key=lambda edge: (edge[3]["ts_us"], edge[2]))
    return Evidence(
        nodes=tuple(EvidenceNode(account=token, **graph.nodes[token]) for token in sorted(graph)),
        edges=tuple(
            EvidenceEdge(
                tx_id=data["tx_id"],
                feed_id=data["feed_id"],
                src=src,
                dst=dst,
                ts=data["ts_us"],
                amount_minor=data["amount_minor"],
                attributed_minor=data["attributed_minor"],
                currency=data["currency"],
                purpose=data["purpose"],
            )
            for src, dst, _, data in edges
        ),
    )
