"""The minimal subgraph that proves a finding, as the alert carries it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any, Final, TypeAlias

import numpy as np

from schemas.account import OUTSIDE
from schemas.alert import Evidence, EvidenceEdge, EvidenceNode, Limit
from services.detector.legs import PURPOSES, Leg
from services.detector.typology import Context

MAX_EDGES: Final = 500
"""Transfers on one alert; those of which most is attributed come first."""
_OUTSIDE: Final = OUTSIDE.hex()
_UNKNOWN: Final = ("unknown", None, None)
_PURPOSE_NAMES: Final = tuple(purpose.name for purpose in PURPOSES)
_payer, _payee = attrgetter("src"), attrgetter("dst")
_Shown: TypeAlias = tuple[int, int, EvidenceEdge]
"""Its time, its sequence number, itself: as evidence is sorted."""


class EvidenceEdges:
    """Transfers as evidence. At most `most` of 1 kB each are kept, past it all forgotten, and none pickled:
    three in four are shown again, by a later version of the alert or another on the same account."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most

    def __getstate__(self) -> dict[str, Any]:
        return {"_most": self._most}

    @cached_property
    def _shown(self) -> dict[tuple[int, int], _Shown]:
        """By sequence number and how much is attributed, which make the same edge whenever it is shown."""
        return {}

    def of(self, context: Context, attributed: Mapping[int, int]) -> tuple[EvidenceEdge, ...]:
        """In the order of (ts_us, seq). The graph holds them all."""
        shown, wanted = self._shown, attributed.items()
        found = [shown[one] for one in wanted if one in shown]
        if len(found) < len(wanted):
            new = dict([one for one in wanted if one not in shown])
            made = _made(context, new)
            if len(shown) + len(made) > self._most:
                shown.clear()
            for one in made[: self._most]:
                shown[one[1], new[one[1]]] = one
            found += made
        found.sort()
        return tuple([edge for _, _, edge in found])


def evidence_of(
    context: Context,
    made: EvidenceEdges,
    attributed: Mapping[int, int],
    earlier: Sequence[EvidenceEdge] = (),
) -> tuple[Evidence, tuple[Limit, ...]]:
    """The transfers `attributed` names, as far as the graph holds them, and those of `earlier` that are not
    among them, in time order; each account with the role, party and institution that the registry gives it
    now; and the bound, where it left some out."""
    held = foremost = _held(context, attributed)
    if len(held) > MAX_EDGES:
        foremost = dict(sorted(held.items(), key=lambda one: (-one[1], one[0]))[:MAX_EDGES])
    edges = made.of(context, foremost)
    kept = _besides(earlier, edges) if earlier else []
    if kept:
        edges = tuple(sorted((*kept[: MAX_EDGES - len(foremost)], *edges), key=attrgetter("ts")))
    cut = len(held) + len(kept) > MAX_EDGES
    evidence = Evidence(nodes=_nodes(context, edges), edges=edges)
    return evidence, (Limit(name="evidence_edges", bound=MAX_EDGES),) if cut else ()


def keep(context: Context, leg: Leg, attributed_minor: int) -> EvidenceEdge:
    """`leg` as evidence that stays when the graph lets the transfer go. Raises Unknown once it has."""
    feed_id, tx_id = context.graph.transfer_id(leg.seq)
    return EvidenceEdge.vouched(
        {
            "tx_id": tx_id,
            "feed_id": feed_id,
            "src": context.token(leg.src),
            "dst": context.token(leg.dst),
            "ts": leg.ts_us,
            "amount_minor": leg.amount_minor,
            "attributed_minor": attributed_minor,
            "currency": context.graph.currency(leg.currency),
            "purpose": _PURPOSE_NAMES[leg.purpose],
        }
    )


def _held(context: Context, attributed: Mapping[int, int]) -> Mapping[int, int]:
    """Those in the graph's window as of the finding."""
    oldest = context.graph.oldest(context.as_of)
    if min(attributed, default=oldest) >= oldest:
        return attributed
    return {seq: minor for seq, minor in attributed.items() if seq >= oldest}


def _besides(earlier: Iterable[EvidenceEdge], edges: Iterable[EvidenceEdge]) -> list[EvidenceEdge]:
    """Those that are none of `edges`, of which most is attributed first."""
    known = {(one.feed_id, one.tx_id) for one in edges}
    kept = [one for one in earlier if (one.feed_id, one.tx_id) not in known]
    kept.sort(key=lambda one: (-one.attributed_minor, one.ts, one.feed_id, one.tx_id))
    return kept


def _made(context: Context, attributed: Mapping[int, int]) -> list[_Shown]:
    """All at once, in the order of seq, in which their ids lie: a third of the time."""
    graph, seqs = context.graph, sorted(attributed)
    edges = graph.read(np.array(seqs))
    ids, times = graph.transfer_ids(seqs), edges.ts_us.tolist()
    ends = graph.tokens(np.concatenate((edges.src, edges.dst)))
    made = [
        EvidenceEdge.vouched(
            {
                "tx_id": tx_id,
                "feed_id": feed_id,
                "src": src,
                "dst": dst,
                "ts": ts_us,
                "amount_minor": amount_minor,
                "attributed_minor": attributed[seq],
                "currency": graph.currency(currency),
                "purpose": _PURPOSE_NAMES[purpose],
            }
        )
        for (seq, ts_us, amount_minor, _, _, _, currency, purpose), (feed_id, tx_id), src, dst in zip(
            edges.records.tolist(), ids, ends[: len(seqs)], ends[len(seqs) :], strict=True
        )
    ]
    return list(zip(times, seqs, made, strict=True))


def _nodes(context: Context, edges: Sequence[EvidenceEdge]) -> tuple[EvidenceNode, ...]:
    """The ends of `edges`, by account."""
    registry, now_us = context.registry, context.now_us
    tokens = sorted({*map(_payer, edges), *map(_payee, edges)})
    if not registry.knows_accounts:
        return tuple([_node(token, *_UNKNOWN) for token in tokens])
    nodes = []
    for token in tokens:
        account = registry.account(token, now_us)
        known = (account.role.value, account.party_id, account.institution_id) if account else _UNKNOWN
        nodes.append(_node(token, *known))
    return tuple(nodes)


@lru_cache(maxsize=10_000)
def _node(token: str, role: str, party_id: str | None, institution_id: str | None) -> EvidenceNode:
    """Three in four are of an account that an alert shortly before was of, too."""
    return EvidenceNode.vouched(
        {
            "account": token,
            "role": "outside" if token == _OUTSIDE else role,
            "party_id": party_id,
            "institution_id": institution_id,
        }
    )
