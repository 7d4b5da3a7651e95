"""The evidence of an alert as a networkx graph, and its two written forms."""

from __future__ import annotations

import io
import re
from typing import Any, Final

import networkx as nx

from schemas.alert import Alert, EvidenceEdge, EvidenceNode
from schemas.instant import to_rfc3339

GRAPHML: Final = "application/graphml+xml"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def graph_of(alert: Alert) -> nx.MultiDiGraph[str]:
    """Accounts as nodes, transfers as edges keyed "feed_id/tx_id"; times as RFC 3339, amounts in
    minor units. What is not known is left out, since GraphML has no null, and a character that XML
    cannot hold is U+FFFD, so that both written forms say the same."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(
        alert_id=alert.alert_id, version=alert.version, typology=alert.typology
    )
    for node in alert.evidence.nodes:
        graph.add_node(node.account, **_node(node))
    for edge in alert.evidence.edges:
        key = _NOT_XML.sub("\ufffd", f"{edge.feed_id}/{edge.tx_id}")
        graph.add_edge(edge.src, edge.dst, key, **_edge(edge))
    return graph


def node_link(alert: Alert) -> dict[str, Any]:
    """What networkx.node_link_graph(data, edges="edges") reads back."""
    data: dict[str, Any] = nx.node_link_data(graph_of(alert), edges="edges")
    return data


def graphml(alert: Alert) -> bytes:
    """What networkx.read_graphml reads back."""
    sink = io.BytesIO()
    nx.write_graphml(graph_of(alert), sink, named_key_ids=True)
    return sink.getvalue()


def _node(node: EvidenceNode) -> dict[str, Any]:
    return _writable(node.model_dump(exclude={"account"}, exclude_none=True))


def _edge(edge: EvidenceEdge) -> dict[str, Any]:
    return _writable(edge.model_dump(exclude={"src", "dst"}) | {"ts": to_rfc3339(edge.ts)})


def _writable(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _NOT_XML.sub("\ufffd", value) if isinstance(value, str) else value
        for name, value in attributes.items()
    }
