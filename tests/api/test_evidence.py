import io

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alert import Alert
from schemas.instant import to_rfc3339
from services.api import evidence, examples

ALERT = examples.ALERT


def named(tx_id: str) -> Alert:
    first, *rest = ALERT.evidence.edges
    edges = (first.model_copy(update={"tx_id": tx_id}), *rest)
    return ALERT.model_copy(update={"evidence": ALERT.evidence.model_copy(update={"edges": edges})})


def read_graphml(text: bytes) -> nx.MultiDiGraph:
    return nx.read_graphml(io.BytesIO(text), force_multigraph=True)


def same(left: nx.MultiDiGraph, right: nx.MultiDiGraph) -> bool:
    return (
        dict(left.nodes(data=True)) == dict(right.nodes(data=True))
        and sorted(left.edges(keys=True)) == sorted(right.edges(keys=True))
        and all(left.edges[edge] == right.edges[edge] for edge in right.edges)
    )


def test_the_graph_holds_every_account_and_transfer() -> None:
    graph = evidence.graph_of(ALERT)
    assert set(graph) == {node.account for node in ALERT.evidence.nodes}
    for edge in ALERT.evidence.edges:
        attributes = graph.edges[edge.src, edge.dst, f"{edge.feed_id}/{edge.tx_id}"]
        assert attributes["amount_minor"] == edge.amount_minor
        assert attributes["attributed_minor"] == edge.attributed_minor
        assert attributes["ts"] == to_rfc3339(edge.ts)
    assert graph.graph == {"alert_id": ALERT.alert_id, "version": 2, "typology": "self_lending"}


def test_two_transfers_between_the_same_accounts_stay_two() -> None:
    edge = ALERT.evidence.edges[0]
    twice = (edge, edge.model_copy(update={"tx_id": "again", "amount_minor": 2**63 - 1}))
    alert = ALERT.model_copy(update={"evidence": ALERT.evidence.model_copy(update={"edges": twice})})
    back = read_graphml(evidence.graphml(alert))
    assert back.number_of_edges(edge.src, edge.dst) == 2
    assert back.edges[edge.src, edge.dst, "bank_b/again"]["amount_minor"] == 2**63 - 1


def test_node_link_loads_back() -> None:
    back = nx.node_link_graph(evidence.node_link(ALERT), edges="edges")
    assert same(back, evidence.graph_of(ALERT))


def test_graphml_loads_back() -> None:
    assert same(read_graphml(evidence.graphml(ALERT)), evidence.graph_of(ALERT))


@given(st.text(min_size=1, max_size=20))
def test_any_transaction_id_can_be_written_and_read(tx_id: str) -> None:
    graph = evidence.graph_of(named(tx_id))
    assert same(nx.node_link_graph(evidence.node_link(named(tx_id)), edges="edges"), graph)
    back = read_graphml(evidence.graphml(named(tx_id)))
    assert back.number_of_edges() == graph.number_of_edges()


@pytest.mark.parametrize("tx_id", ["a\x00b", "a\x1bb", "a\ufffeb"])
def test_what_xml_cannot_hold_is_replaced(tx_id: str) -> None:
    keys = [key for *_, key in read_graphml(evidence.graphml(named(tx_id))).edges(keys=True)]
    assert "bank_b/a\ufffdb" in keys


def test_markup_in_an_id_stays_text() -> None:
    back = read_graphml(evidence.graphml(named('"/><node id="x"/>')))
    assert len(back) == 3
