"""The world's transfers in the order in which banks report them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from schemas.instant import DAY
from schemas.transaction import Transaction
from simulator.world import Day


class _Sent(NamedTuple):
    """In the order of sending; ids go by the order of events."""

    sent_us: int
    tx_id: str
    transfer: Transaction


class Arrivals:
    """Holds what is reported on a later day. Days are given in their order."""

    def __init__(self) -> None:
        self._held: list[_Sent] = []

    def of(self, day: Day) -> Iterator[Transaction]:
        """What is reported on the day; what is in time comes as it happens."""
        late = day.sent_us > 0
        sent_us = np.where(late, day.sent_us, day.columns.at).tolist()
        sent = [_Sent(at_us, one.tx_id, one) for at_us, one in zip(sent_us, day.transfers, strict=True)]
        for row in np.flatnonzero(late).tolist():
            heapq.heappush(self._held, sent[row])
        in_time = (sent[row] for row in np.flatnonzero(~late).tolist())
        until_us = day.date.begin_us + DAY
        return (one.transfer for one in heapq.merge(in_time, self._due(until_us)))

    def rest(self) -> Iterator[Transaction]:
        """What is still to be reported when the world ends."""
        return (heapq.heappop(self._held).transfer for _ in range(len(self._held)))

    def _due(self, until_us: int) -> Iterator[_Sent]:
        while self._held and self._held[0].sent_us < until_us:
            yield heapq.heappop(self._held)
