"""What an account should hold by its flows: sums of its transfers between two instants of event time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from compiled import Bools
from services.detector.graph import Edges
from services.detector.typology import Context


class Flow(NamedTuple):
    """What came and went, in minor units."""

    came: int = 0
    went: int = 0

    @property
    def net(self) -> int:
        return self.came - self.went


class Between(NamedTuple):
    """An account and currency; the graph is asked for at most `max_edges` transfers each way."""

    context: Context
    account: int
    currency: str
    max_edges: int

    def flow(self, after_us: int, until_us: int) -> Flow | None:
        """With after_us < time <= until_us. None: there are more, or the graph did not keep them all."""
        if until_us <= after_us:
            return Flow()
        graph, as_of = self.context.graph, self.context.as_of
        came = graph.edges_in(self.account, after_us + 1, until_us, as_of, self.max_edges)
        went = graph.edges_out(self.account, after_us + 1, until_us, as_of, self.max_edges)
        if came.truncated or went.truncated or self.context.limits:
            return None
        return Flow(*(int(each.amount_minor[self._mine(each)].sum()) for each in (came, went)))

    def _mine(self, edges: Edges) -> Bools:
        codes = [one for one in np.unique(edges.currency) if self._is_mine(int(one))]
        mine: Bools = np.isin(edges.currency, codes)
        return mine

    def _is_mine(self, code: int) -> bool:
        return self.context.graph.currency(code) == self.currency
