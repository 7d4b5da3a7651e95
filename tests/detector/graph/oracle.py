"""The meaning of the rolling graph, in plain lists and networkx. Slow, and meant to be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import networkx as nx

from tests.detector.graph.stream import Transfer

OUTSIDE = 0
Key = tuple[int, int]


@dataclass(frozen=True)
class Live:
    seq: int
    transfer: Transfer

    @property
    def key(self) -> Key:
        """The order of legs on a path."""
        return self.transfer.ts_us, self.seq


@dataclass(frozen=True)
class Row:
    """What is expected of one row."""

    seq: int
    status: str
    late: bool
    clock_us: int
    in_degree: int
    out_degree: int
    in_minor: int
    out_minor: int
    payers: int
    payees: int
    marked_payers: int


@dataclass(frozen=True)
class Reach:
    hops: dict[int, int]
    """Fewest legs, by sequence number."""
    hubs: frozenset[int]
    """Met before the last possible leg."""
    beyond: bool
    hub_met: bool
    """At the last, or before."""


@dataclass
class Oracle:
    window_us: int
    lateness_us: int
    max_transfers: int
    max_accounts: int
    live: list[Live] = field(default_factory=list)
    accounts: set[int] = field(default_factory=set)
    marked: set[int] = field(default_factory=set)
    clock_us: int = -(2**62)
    next_seq: int = 0

    def apply(self, transfer: Transfer) -> Row:
        self.clock_us = max(self.clock_us, transfer.ts_us)
        horizon_us = self.clock_us - self.window_us - self.lateness_us
        while self.live and self.live[0].transfer.ts_us < horizon_us:
            self.live.pop(0)
        known = [self._intern(transfer.src), self._intern(transfer.dst)]
        status = self._admit(transfer, horizon_us, all(known))
        seq = -1
        if status == "inserted":
            if len(self.live) == self.max_transfers:
                self.live.pop(0)
            seq = self.next_seq
            self.next_seq += 1
            self.live.append(Live(seq, transfer))
        late = transfer.ts_us < self.clock_us - self.lateness_us
        return self._row(transfer, seq, status, late, *known)

    def _intern(self, account: int) -> bool:
        if account != OUTSIDE and len(self.accounts) < self.max_accounts:
            self.accounts.add(account)
        return account == OUTSIDE or account in self.accounts

    def _admit(self, transfer: Transfer, horizon_us: int, known: bool) -> str:
        if transfer.ts_us < horizon_us:
            return "too_late"
        if transfer.tx_id in {edge.transfer.tx_id for edge in self.live}:
            return "duplicate"
        return "inserted" if known else "refused"

    def _row(
        self, transfer: Transfer, seq: int, status: str, late: bool, src_known: bool, dst_known: bool
    ) -> Row:
        src = transfer.src if src_known else OUTSIDE
        dst = transfer.dst if dst_known else OUTSIDE
        out = [edge.transfer for edge in self.live if edge.transfer.src == src != OUTSIDE]
        into = [edge.transfer for edge in self.live if edge.transfer.dst == dst != OUTSIDE]
        payers = {leg.src for leg in into} - {OUTSIDE, dst}
        return Row(
            seq=seq,
            status=status,
            late=late,
            clock_us=self.clock_us,
            in_degree=len(into),
            out_degree=len(out),
            in_minor=sum(leg.amount_minor for leg in into if leg.currency == "CNY"),
            out_minor=sum(leg.amount_minor for leg in out if leg.currency == "CNY"),
            payers=len(payers),
            payees=len({leg.dst for leg in out} - {OUTSIDE, src}),
            marked_payers=len(payers & self.marked),
        )

    def list_in(self, account: int, since_us: int, until_us: int) -> list[int]:
        """Sequence numbers in (time, sequence) order."""
        return [
            edge.seq
            for edge in sorted(self.live, key=lambda edge: edge.key)
            if edge.transfer.dst == account and since_us <= edge.transfer.ts_us <= until_us
        ]

    def list_out(self, account: int, since_us: int, until_us: int) -> list[int]:
        return [
            edge.seq
            for edge in sorted(self.live, key=lambda edge: edge.key)
            if edge.transfer.src == account and since_us <= edge.transfer.ts_us <= until_us
        ]

    def graph(self, since_us: int, until_us: int) -> nx.MultiDiGraph[int]:
        """The legs a path may have."""
        graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        for edge in self.live:
            leg = edge.transfer
            if since_us <= leg.ts_us <= until_us and leg.src != leg.dst and OUTSIDE not in (leg.src, leg.dst):
                graph.add_edge(leg.src, leg.dst, key=edge.key)
        return graph

    def backward(self, account: int, at_us: int, since_us: int, max_hops: int, hub_degree: int) -> Reach:
        graph = self.graph(since_us, at_us)
        hubs = {
            other
            for other in self.accounts
            if other != account and len(self.list_in(other, since_us, self.clock_us)) > hub_degree
        }
        return _reach(graph, account, max_hops, hubs, ends=True)

    def forward(self, account: int, from_us: int, until_us: int, max_hops: int, hub_degree: int) -> Reach:
        graph = self.graph(from_us, until_us)
        hubs = {
            other
            for other in self.accounts
            if other != account and len(self.list_out(other, from_us, self.clock_us)) > hub_degree
        }
        return _reach(graph, account, max_hops, hubs, ends=False)


def _reach(graph: nx.MultiDiGraph[int], account: int, max_hops: int, hubs: set[int], ends: bool) -> Reach:
    hops: dict[int, int] = {}
    met: set[int] = set()
    is_met = False
    for walk in _walks(graph if ends else graph.reverse(), account, max_hops + 1, hubs, ends):
        far, key = walk[-1]
        hops[key[1]] = min(len(walk), hops.get(key[1], len(walk)))
        if far in hubs and len(walk) < max_hops:
            met.add(far)
        is_met |= far in hubs and len(walk) <= max_hops
    within = {seq: legs for seq, legs in hops.items() if legs <= max_hops}
    return Reach(within, frozenset(met), len(within) < len(hops), is_met)


def _walks(
    graph: nx.MultiDiGraph[int], account: int, legs: int, hubs: set[int], ends: bool
) -> Iterator[list[tuple[int, Key]]]:
    """All walks against the edges of `graph` from `account`, every leg before (after) the last one."""
    stack: list[list[tuple[int, Key]]] = [[]]
    while stack:
        walk = stack.pop()
        place, bound = walk[-1] if walk else (account, None)
        if walk:
            yield walk
        if len(walk) == legs or place in hubs or place not in graph:
            continue
        for payer, _, key in graph.in_edges(place, keys=True):
            if bound is None or (key < bound if ends else key > bound):
                stack.append([*walk, (payer, key)])
