"""The plain peer: dicts and deques, as one would write it in an afternoon.

Cycles: earliest arrival from the payee and latest departure to the payer, layer by layer from the
narrower end, until they meet. Whether there is one, not which. Scatter-gather: the payees of each
payer of the payer, in common with the payers of the payee, whatever their order in time, which is
half of the work.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from platform import python_version

from benchmarks.graph.stream import WINDOW_US, Kind, Stream
from benchmarks.graph.subject import CYCLE_LEGS, MIN_SPREAD, Hits, Shapes

Leg = tuple[int, int, int]
"""Time, other end, amount."""


def versions() -> dict[str, str]:
    return {"python": python_version()}


class DictPeer:
    def __init__(self, stream: Stream, shapes: Shapes) -> None:
        self._stream = stream
        self._shapes = shapes
        self._live: deque[tuple[int, int, int, int]] = deque()
        self._out: defaultdict[int, deque[Leg]] = defaultdict(deque)
        self._in: defaultdict[int, deque[Leg]] = defaultdict(deque)
        self._payees: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._payers: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._in_minor: Counter[int] = Counter()
        self._out_minor: Counter[int] = Counter()

    def fill(self, first: int, last: int) -> None:
        for _, ts_us, src, dst, amount_minor in self.prepare(first, last):
            self._insert(ts_us, src, dst, amount_minor)

    def prepare(self, first: int, last: int) -> list[tuple[int, int, int, int, int]]:
        s = self._stream
        columns = (column[first:last].tolist() for column in (s.ts_us, s.src, s.dst, s.amount_minor))
        return list(zip(range(first, last), *columns, strict=True))

    def take(self, prepared: list[tuple[int, int, int, int, int]]) -> Hits:
        found: Hits = {kind: set() for kind in self._shapes.kinds}
        for row, ts_us, src, dst, amount_minor in prepared:
            if self._shapes.has_cycles and self._closes_cycle(ts_us, src, dst):
                found[Kind.cycle].add(row)
            self._insert(ts_us, src, dst, amount_minor)
            if self._shapes.has_scatter_gather and self._gathers(src, dst):
                found[Kind.scatter_gather].add(row)
        return found

    def hits(self, _first: int, taken: Hits) -> Hits:
        return taken

    def counters(self) -> dict[str, int]:
        return {"live": len(self._live)}

    def _insert(self, ts_us: int, src: int, dst: int, amount_minor: int) -> None:
        while self._live and self._live[0][0] < ts_us - WINDOW_US:
            self._expire()
        self._live.append((ts_us, src, dst, amount_minor))
        self._out[src].append((ts_us, dst, amount_minor))
        self._in[dst].append((ts_us, src, amount_minor))
        self._payees[src][dst] += 1
        self._payers[dst][src] += 1
        self._out_minor[src] += amount_minor
        self._in_minor[dst] += amount_minor

    def _expire(self) -> None:
        _, src, dst, amount_minor = self._live.popleft()
        self._out[src].popleft()
        self._in[dst].popleft()
        self._out_minor[src] -= amount_minor
        self._in_minor[dst] -= amount_minor
        for counts, other in ((self._payees[src], dst), (self._payers[dst], src)):
            counts[other] -= 1
            if not counts[other]:
                del counts[other]

    def _closes_cycle(self, ts_us: int, src: int, dst: int) -> bool:
        """Layer by layer from both ends, the narrower one first, until they meet."""
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
        """Accounts now reached earlier than before."""
        following: dict[int, int] = {}
        for account in layer:
            arrived_us = arrival_us[account]
            for leg_us, payee, _ in reversed(self._out.get(account, ())):
                if leg_us <= arrived_us:
                    break
                if leg_us < following.get(payee, arrival_us.get(payee, until_us)):
                    following[payee] = leg_us
        arrival_us.update(following)
        return list(following)

    def _back(self, layer: list[int], departure_us: dict[int, int], since_us: int) -> list[int]:
        """Accounts that may now be left later than before."""
        following: dict[int, int] = {}
        for account in layer:
            departed_us = departure_us[account]
            for leg_us, payer, _ in self._in.get(account, ()):
                if leg_us >= departed_us:
                    break
                if leg_us > following.get(payer, departure_us.get(payer, since_us)):
                    following[payer] = leg_us
        departure_us.update(following)
        return list(following)

    def _gathers(self, src: int, dst: int) -> bool:
        payers = self._payers[dst].keys()
        return len(payers) >= MIN_SPREAD and any(
            len(self._payees[source].keys() & payers) >= MIN_SPREAD
            for source in self._payers[src]
            if source != dst
        )


def make(stream: Stream, shapes: Shapes) -> DictPeer:
    return DictPeer(stream, shapes)
