"""The meaning of the shapes, over the plain list of live transfers and networkx. Meant to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import networkx as nx

from services.detector.graph import Shapes
from tests.detector.graph.oracle import OUTSIDE, Key, Live, Oracle

Legs = tuple[Live, ...]


@dataclass(frozen=True)
class ShapesOracle:
    """What the transfer logged last, `new`, completes."""

    shapes: Shapes
    legs: tuple[Live, ...]
    """All that the new one sees: live, between two accounts; itself the last of them."""

    @classmethod
    def of(cls, shapes: Shapes, oracle: Oracle) -> ShapesOracle:
        return cls(shapes, tuple(leg for leg in oracle.live if _is_leg(leg) or leg is oracle.live[-1]))

    @property
    def new(self) -> Live:
        return self.legs[-1]

    def graph(self, window_us: int) -> nx.MultiDiGraph[int]:
        """The legs of the window that ends with the new one, which is among them."""
        graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        until_us = self.new.transfer.ts_us
        for leg in self.legs:
            if until_us - window_us <= leg.transfer.ts_us <= until_us and _is_leg(leg):
                graph.add_edge(leg.transfer.src, leg.transfer.dst, key=leg.key, leg=leg)
        return graph

    def cycles(self) -> Iterator[Legs]:
        """Every simple cycle of at most so many legs, each before the next, the new one last, that
        all carry enough of its amount, and not too much."""
        graph = self.graph(self.shapes.cycle_window_us)
        u, v = self.new.transfer.src, self.new.transfer.dst
        if u == v or not {u, v} <= set(graph):
            return
        graph.remove_edges_from(
            [(a, b, key) for a, b, key, leg in graph.edges(keys=True, data="leg") if not self._carries(leg)]
        )
        for path in nx.all_simple_edge_paths(graph, v, u, cutoff=self.shapes.cycle_legs - 1):
            keys = [key for _, _, key in path]
            if keys == sorted(keys) and keys[-1] < self.new.key:
                yield (*(graph.edges[edge]["leg"] for edge in path), self.new)

    def _carries(self, leg: Live) -> bool:
        shapes, new = self.shapes, self.new.transfer
        amount, least, most = leg.transfer.amount_minor * 1000, shapes.least_permille, shapes.most_permille
        is_enough = least == 0 or amount >= new.amount_minor * least
        is_not_too_much = most == 0 or amount <= new.amount_minor * most
        is_bound = least or most
        return is_enough and is_not_too_much and (leg.transfer.currency == new.currency or not is_bound)

    def scatter_gathers(self) -> dict[int, int]:
        """Accounts that paid the new one's payer, and through how many middles they reach its payee."""
        graph = self.graph(self.shapes.window_us)
        u, v = self.new.transfer.src, self.new.transfer.dst
        if u not in graph or v not in graph or u == v:
            return {}
        return {
            a: sum(self._passes(graph, a, middle, v) for middle in graph.predecessors(v))
            for a in graph.predecessors(u)
            if a != v
            and any(key < self.new.key and self._carries(leg) for key, leg in self._between(graph, a, u))
        }

    def _between(self, graph: nx.MultiDiGraph[int], src: int, dst: int) -> Iterator[tuple[Key, Live]]:
        return ((key, data["leg"]) for key, data in graph.get_edge_data(src, dst, default={}).items())

    def _passes(self, graph: nx.MultiDiGraph[int], a: int, middle: int, v: int) -> bool:
        paid = graph.get_edge_data(a, middle, default={})
        pays = [key for key in graph.get_edge_data(middle, v) if key <= self.new.key]
        return any(key < later for key in paid for later in pays)

    def payers(self, account: int) -> set[int]:
        graph = self.graph(self.shapes.window_us)
        return set(graph.predecessors(account)) if account in graph else set()

    def payees(self, account: int) -> set[int]:
        graph = self.graph(self.shapes.window_us)
        return set(graph.successors(account)) if account in graph else set()

    def bipartite(self) -> int:
        """Payers of the new one's payee who pay enough of the payees of its payer; it is one of them."""
        u, v = self.new.transfer.src, self.new.transfer.dst
        common = [len(self.payees(payer) & self.payees(u)) for payer in self.payers(v) - {u}]
        return 1 + sum(count >= self.shapes.bipartite for count in common)


def _is_leg(leg: Live) -> bool:
    ends: Sequence[int] = (leg.transfer.src, leg.transfer.dst)
    return OUTSIDE not in ends and ends[0] != ends[1]
