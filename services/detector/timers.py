"""Event-time timers: an account to look at again when the clock passes an instant."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final, NamedTuple

from schemas.instant import FOREVER

NEVER_US: Final = FOREVER + 1
"""Later than any clock."""


class Timer(NamedTuple):
    due_us: int
    typology: int
    account: int


class Timers:
    """One a typology and account, the earliest. At most `max_timers`; past it none is set (`refused`)."""

    def __init__(self, max_timers: int = 1_000_000) -> None:
        self._max = max_timers
        self._heap: list[Timer] = []
        self._due: dict[tuple[int, int], int] = {}
        self.next_us = NEVER_US
        """When the next is due."""
        self.refused = 0

    def __len__(self) -> int:
        return len(self._due)

    def set(self, timer: Timer) -> None:
        due_us = self._due.get(timer[1:])
        if due_us is not None and due_us <= timer.due_us:
            return
        if due_us is None and len(self._due) >= self._max:
            self.refused += 1
            return
        self._due[timer.typology, timer.account] = timer.due_us
        heappush(self._heap, timer)
        self.next_us = min(self.next_us, timer.due_us)

    def pop(self) -> Timer:
        """The next, by (due, typology, account). There is one."""
        timer = heappop(self._heap)
        del self._due[timer.typology, timer.account]
        while self._heap and self._due.get(self._heap[0][1:]) != self._heap[0].due_us:
            heappop(self._heap)
        self.next_us = self._heap[0].due_us if self._heap else NEVER_US
        return timer
