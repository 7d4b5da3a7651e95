"""The minimal subgraph that proves a finding, as networkx and as the alert carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import networkx as nx

from schemas.account import OUTSIDE
from schemas.alert import Evidence, EvidenceEdge, EvidenceNode, Limit
from services.detector.legs import Leg
from services.detector.typology import Context

MAX_EDGES = 500
"""Transfers on one alert; those of which most is attributed come first."""


def subgraph(
    context: Context, attributed: Mapping[int, int], earlier: Sequence[EvidenceEdge] = ()
) -> tuple[nx.MultiDiGraph[str], tuple[Limit, ...]]:
    """The transfers `attributed` names, each with `attributed_minor`, those of `earlier` that are not
    among them, and each account with the role, party and institution that the registry gives it now;
    and the bound, where it left some out."""
    held = [seq for seq in attributed if context.graph.holds(seq)]
    foremost = sorted(held, key=lambda seq: (-attributed[seq], seq))[:MAX_EDGES]
    graph = context.graph.to_networkx(context.graph.edges(foremost))
    for _, _, seq, data in graph.edges(keys=True, data=True):
        data["attributed_minor"] = attributed[int(seq)]
    known = {(data["feed_id"], data["tx_id"]) for _, _, data in graph.edges(data=True)}
    kept = [one for one in earlier if (one.feed_id, one.tx_id) not in known]
    kept.sort(key=lambda one: (-one.attributed_minor, one.ts, one.feed_id, one.tx_id))
    room = MAX_EDGES - len(foremost)
    for place, one in enumerate(kept[:room]):
        data = {"ts_us": one.ts, **one.model_dump(exclude={"src", "dst", "ts"})}
        graph.add_edge(one.src, one.dst, key=place - MAX_EDGES, **data)
    for token, data in graph.nodes(data=True):
        account = context.registry.account(token, context.now_us)
        data["role"] = account.role.value if account else "unknown"
        data["party_id"] = account.party_id if account else None
        data["institution_id"] = account.institution_id if account else None
        if token == OUTSIDE.hex():
            data["role"] = "outside"
    cut = len(held) + len(kept) > MAX_EDGES
    return graph, (Limit(name="evidence_edges", bound=MAX_EDGES),) if cut else ()


def keep(context: Context, leg: Leg, attributed_minor: int) -> EvidenceEdge:
    """`leg` as evidence that stays when the graph lets the transfer go. Raises Unknown once it has."""
    feed_id, tx_id = context.graph.transfer_id(leg.seq)
    return EvidenceEdge(
        tx_id=tx_id,
        feed_id=feed_id,
        src=context.token(leg.src),
        dst=context.token(leg.dst),
        ts=leg.ts_us,
        amount_minor=leg.amount_minor,
        attributed_minor=attributed_minor,
        currency=context.graph.currency(leg.currency),
        purpose=leg.purpose.name,
    )


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
