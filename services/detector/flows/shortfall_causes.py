"""Where the money is that a reserve lacks: with those who got it, or who took clients' top-ups in its place.

What a reserve pays to somebody who is neither client nor merchant leaves it short. So do top-ups that its
clients paid to somebody else's account and were credited for. Whose clients they are is told by whose
reserve they had paid into or been paid from before.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from schemas.alert import EvidenceEdge
from schemas.instant import DAY
from services.detector.evidence import keep
from services.detector.typology import Context, Transfer

_MAX_ELSEWHERE: Final = 5_000
_MAX_CAUSES: Final = 10_000
_MAX_SHOWN: Final = 500
_MAX_ASKED: Final = 30
"""Payers of one account that are asked whose clients they are."""
_KNOWN_US: Final = 30 * DAY
_MAX_EDGES: Final = 2_000


class _TopUp(NamedTuple):
    payer: int
    holder: int
    edge: EvidenceEdge


class Cause(NamedTuple):
    """Transfers that left `holder` with the money, to now; at least one of them is new."""

    holder: int
    edges: Sequence[EvidenceEdge]

    @property
    def minor(self) -> int:
        return sum(one.attributed_minor for one in self.edges)


class Causes:
    """Per institution and holder the newest _MAX_SHOWN transfers, while there was one in the last month."""

    def __init__(self) -> None:
        self._elsewhere: deque[_TopUp] = deque(maxlen=_MAX_ELSEWHERE)
        self._known: OrderedDict[tuple[str, str, int], list[EvidenceEdge]] = OrderedDict()

    def note(self, context: Context, transfer: Transfer) -> None:
        """A top-up to an account that is no reserve."""
        edge = keep(context, transfer.leg, transfer.amount_minor)
        self._elsewhere.append(_TopUp(transfer.src, transfer.dst, edge))

    def elsewhere(
        self, context: Context, reserves: Collection[int], currency: str, after_us: int, until_us: int
    ) -> dict[int, list[EvidenceEdge]]:
        """Top-ups with after_us < time <= until_us by who took them in, where most payers are clients."""
        found: dict[int, list[_TopUp]] = {}
        for one in self._elsewhere:
            if after_us < one.edge.ts <= until_us and one.edge.currency == currency:
                found.setdefault(one.holder, []).append(one)
        return {
            holder: [one.edge for one in of]
            for holder, of in found.items()
            if _are_clients(context, [one.payer for one in of], reserves)
        }

    def take(
        self, context: Context, subject: str, currency: str, found: dict[int, list[EvidenceEdge]]
    ) -> list[Cause]:
        """Add what was found; each holder's whole."""
        causes = []
        for holder, new in sorted(found.items()):
            key = subject, currency, holder
            known = self._known.pop(key, [])
            if known and known[-1].ts < context.now_us - _KNOWN_US:
                known = []
            told = {(one.feed_id, one.tx_id) for one in known}
            fresh = [one for one in new if (one.feed_id, one.tx_id) not in told]
            self._known[key] = [*known, *fresh][-_MAX_SHOWN:]
            if fresh:
                causes.append(Cause(holder, tuple(self._known[key])))
        while len(self._known) > _MAX_CAUSES:
            self._known.popitem(last=False)
        return causes


def _are_clients(context: Context, payers: Sequence[int], reserves: Collection[int]) -> bool:
    """Most of the first payers asked had to do with one of the reserves."""
    asked = list(dict.fromkeys(payers))[:_MAX_ASKED]
    known = sum(_is_client(context, one, reserves) for one in asked)
    return 2 * known > len(asked)


def _is_client(context: Context, payer: int, reserves: Collection[int]) -> bool:
    window = (context.now_us - _KNOWN_US, context.now_us, context.as_of, _MAX_EDGES)
    paid, got = context.graph.edges_out(payer, *window), context.graph.edges_in(payer, *window)
    return not set(reserves).isdisjoint((*paid.dst.tolist(), *got.src.tolist()))
