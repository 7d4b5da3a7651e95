"""How much of what a few accounts pay is certain money: first in, first out, over what the graph holds."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from attribution import Payments, carry
from compiled import Bools, Int64s
from schemas.alert import Limit
from services.detector.flows.tracing import places
from services.detector.graph import Edges
from services.detector.legs import some_of
from services.detector.typology import Context


@dataclass(frozen=True, slots=True, eq=False)
class Attributed:
    """`edges`: the transfers in and out of the accounts followed. `carried_minor`: how much of each
    is the origins' money; of an origin, all of it."""

    edges: Edges
    carried_minor: Int64s
    limits: tuple[Limit, ...]


def attribute(
    context: Context,
    accounts: Collection[int],
    since_us: int,
    currency: int,
    is_origin: Callable[[Edges], Bools],
    max_edges: int,
) -> Attributed:
    """Follow the money of the transfers that are origins through `accounts`, of which there is at
    least one. At most `max_edges` transfers in and as many out of each count, the last ones."""
    followed = np.array(sorted(accounts), np.int32)
    edges = context.graph.edges_around(followed, since_us, context.now_us, context.as_of, max_edges)
    edges = some_of(edges, edges.currency == currency)
    origins = is_origin(edges)
    payments = Payments(places(followed, edges.src), places(followed, edges.dst), edges.amount_minor, origins)
    carried = carry(payments, followed.size, max_legs=len(edges) + 1).by_legs
    limits = (Limit(name="edges", bound=max_edges),) if edges.truncated else ()
    return Attributed(edges, carried, limits)
