"""networkx's MultiDiGraph as the window: temporal cycles through each new transfer.

networkx has no temporal search of its own; this is the one of the plain peer over its adjacency.
"""

from __future__ import annotations

from collections import deque
from importlib.metadata import version

import networkx as nx

from benchmarks.graph.stream import WINDOW_US, Kind, Stream
from benchmarks.graph.subject import CYCLE_LEGS, Hits, Shapes


def versions() -> dict[str, str]:
    return {"networkx": version("networkx")}


class NetworkxPeer:
    def __init__(self, stream: Stream, shapes: Shapes) -> None:
        self._stream = stream
        self._shapes = shapes
        self._graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        self._live: deque[tuple[int, int, int, int]] = deque()

    def fill(self, first: int, last: int) -> None:
        for row, ts_us, src, dst, amount_minor in self.prepare(first, last):
            self._insert(row, ts_us, src, dst, amount_minor)

    def prepare(self, first: int, last: int) -> list[tuple[int, int, int, int, int]]:
        s = self._stream
        columns = (column[first:last].tolist() for column in (s.ts_us, s.src, s.dst, s.amount_minor))
        return list(zip(range(first, last), *columns, strict=True))

    def take(self, prepared: list[tuple[int, int, int, int, int]]) -> Hits:
        found: Hits = {Kind.cycle: set()} if self._shapes.has_cycles else {}
        for row, ts_us, src, dst, amount_minor in prepared:
            if self._shapes.has_cycles and self._closes_cycle(ts_us, src, dst):
                found[Kind.cycle].add(row)
            self._insert(row, ts_us, src, dst, amount_minor)
        return found

    def hits(self, _first: int, taken: Hits) -> Hits:
        return taken

    def counters(self) -> dict[str, int]:
        return {"live": self._graph.number_of_edges()}

    def _insert(self, row: int, ts_us: int, src: int, dst: int, amount_minor: int) -> None:
        while self._live and self._live[0][0] < ts_us - WINDOW_US:
            _, old_src, old_dst, old_row = self._live.popleft()
            self._graph.remove_edge(old_src, old_dst, old_row)
        self._live.append((ts_us, src, dst, row))
        self._graph.add_edge(src, dst, row, ts_us=ts_us, amount_minor=amount_minor)

    def _closes_cycle(self, ts_us: int, src: int, dst: int) -> bool:
        if dst not in self._graph:
            return False
        arrival_us = {dst: ts_us - self._shapes.cycle_window_us}
        layer = [dst]
        for _ in range(CYCLE_LEGS - 1):
            following = set()
            for account in layer:
                arrived_us = arrival_us[account]
                for payee, legs in self._graph.adj[account].items():
                    earliest_us = min(
                        (leg["ts_us"] for leg in legs.values() if leg["ts_us"] > arrived_us), default=ts_us
                    )
                    if earliest_us >= arrival_us.get(payee, ts_us):
                        continue
                    if payee == src:
                        return True
                    arrival_us[payee] = earliest_us
                    following.add(payee)
            layer = list(following)
        return False


def make(stream: Stream, shapes: Shapes) -> NetworkxPeer:
    return NetworkxPeer(stream, shapes)
