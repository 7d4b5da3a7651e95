"""What is measured: the shapes to search, and the one way each subject is driven."""

from __future__ import annotations

from enum import Enum
from typing import Final, Protocol

from benchmarks.graph.stream import DAY_US, Kind, Stream

CYCLE_LEGS: Final = 6
MIN_SPREAD: Final = 3
"""Accounts between scatter and gather from which on it counts as one."""
CYCLE_WINDOW_US: Final = 30 * DAY_US
SHORT_CYCLE_WINDOW_US: Final = DAY_US
"""Where the full window is more than a peer can do: both are then measured with this one."""


class Shapes(Enum):
    """What is searched on every transfer, beside keeping the window."""

    update = "update"
    """Nothing: the window and the aggregates of each account."""
    scatter_gather = "scatter_gather"
    """At least MIN_SPREAD accounts between one that paid them all and one they all paid."""
    short_cycles = "short_cycles"
    """Temporal cycles within SHORT_CYCLE_WINDOW_US."""
    cycles = "cycles"
    """Temporal cycles of at most CYCLE_LEGS legs, whatever their amounts."""
    both = "both"
    """scatter_gather and cycles."""
    catalogue = "catalogue"
    """All shapes of the catalogue and cycles that carry an amount on: what a detector asks."""

    @property
    def has_cycles(self) -> bool:
        return self in (Shapes.short_cycles, Shapes.cycles, Shapes.both, Shapes.catalogue)

    @property
    def has_scatter_gather(self) -> bool:
        return self in (Shapes.scatter_gather, Shapes.both, Shapes.catalogue)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return (Kind.scatter_gather,) * self.has_scatter_gather + (Kind.cycle,) * self.has_cycles

    @property
    def cycle_window_us(self) -> int:
        return SHORT_CYCLE_WINDOW_US if self is Shapes.short_cycles else CYCLE_WINDOW_US


Hits = dict[Kind, set[int]]
"""Rows of the stream whose transfer closed a cycle, or gathered what was scattered."""


class Subject(Protocol):
    """One implementation with one stream. Made, filled, then measured."""

    def fill(self, first: int, last: int) -> None:
        """Take rows [first, last) in, without searching where that can be left out. Not timed."""

    def prepare(self, first: int, last: int) -> object:
        """Rows [first, last) as the subject wants them. Not timed."""

    def take(self, prepared: object) -> object:
        """Take the rows in and search. Timed; what it returns, hits() can read."""

    def hits(self, first: int, taken: object) -> Hits:
        """What a batch that began at row `first` hit. Not timed."""

    def counters(self) -> dict[str, int]:
        """What it counted beside: truncated searches and so on."""


class Make(Protocol):
    """A module `benchmarks.graph.<subject>` is of this shape; it makes itself ready at import."""

    def versions(self) -> dict[str, str]: ...

    def make(self, stream: Stream, shapes: Shapes) -> Subject: ...
