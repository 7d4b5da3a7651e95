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
        if dst not in self._graph or src not in self._graph:
            return False
        arrival_us = {dst: ts_us - self._shapes.cycle_window_us}
        departure_us = {src: ts_us}
        ahead, behind = [dst], [src]
        for _ in range(CYCLE_LEGS - 1):
            if not ahead or not behind:
                return False
            if len(ahead) <= len(behind):
                met = ahead = self._onward(ahead, arrival_us, ts_us)
            else:
                met = behind = self._back(behind, departure_us, ts_us - self._shapes.cycle_window_us)
            if any(arrival_us.get(one, ts_us) < departure_us.get(one, 0) for one in met):
                return True
        return False

    def _onward(self, layer: list[int], arrival_us: dict[int, int], until_us: int) -> list[int]:
        following: dict[int, int] = {}
        for account in layer:
            arrived_us = arrival_us[account]
            for payee, legs in self._graph.adj[account].items():
                bound_us = following.get(payee, arrival_us.get(payee, until_us))
                for leg in legs.values():
                    if arrived_us < leg["ts_us"] < bound_us:
                        following[payee] = bound_us = leg["ts_us"]
        arrival_us.update(following)
        return list(following)

    def _back(self, layer: list[int], departure_us: dict[int, int], since_us: int) -> list[int]:
        following: dict[int, int] = {}
        for account in layer:
            departed_us = departure_us[account]
            for payer, legs in self._graph.pred[account].items():
                bound_us = following.get(payer, departure_us.get(payer, since_us))
                for leg in legs.values():
                    if bound_us < leg["ts_us"] < departed_us:
                        following[payer] = bound_us = leg["ts_us"]
        departure_us.update(following)
        return list(following)


def make(stream: Stream, shapes: Shapes) -> NetworkxPeer:
    return NetworkxPeer(stream, shapes)
