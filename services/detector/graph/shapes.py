"""What may be searched on every transfer, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from compiled import Array, Int32s, Int64s
from schemas.errors import InvalidSetting

MOST_LEGS: Final = 16


class Shape(IntEnum):
    """What a transfer u -> v completes, as the last of its legs. All are within their window."""

    cycle = 0
    """v -> ... -> u -> v, each leg before the next. The account is v, the count that of the legs."""
    scatter_gather = 1
    """a -> several middles, u among them, -> v, each middle paid before it pays; u was paid an amount
    within the bounds on what a leg carries. The account is a, the count that of the middles."""
    fan_in = 2
    """Several distinct payers of v. The account is v; the search stops at the threshold."""
    fan_out = 3
    """Several distinct payees of u. The account is u; the search stops at the threshold."""
    gather_scatter = 4
    """Several distinct payers of u, and several distinct payees, v the last. The account is u."""
    bipartite = 5
    """Several payers of v, u among them, who each pay several of u's payees, v among them.
    The account is u, the count that of the payers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """What is searched, and how far. A threshold of 0 leaves a shape out.

    Legs of a cycle carry from `least_permille` to `most_permille` of the closing transfer's amount,
    in its currency, and so does what the last middle of a scatter-gather was paid; 0: no such bound.
    An account with more than `hub_degree` live legs in one direction is not expanded in it: it may be
    an end, or the account at which the two halves of a cycle meet. A leg is a transfer between two
    accounts. One search reads at most `budget` of them.
    """

    cycle_legs: int = 0
    """At most so many legs, the closing one included."""
    cycle_window_us: int = 1
    least_permille: int = 0
    most_permille: int = 0
    window_us: int = 1
    """Of all shapes but cycles."""
    middles: int = 0
    fan_in: int = 0
    fan_out: int = 0
    gather_scatter: int = 0
    bipartite: int = 0
    hub_degree: int = 200
    budget: int = 400

    def __post_init__(self) -> None:
        """Raises InvalidSetting for a setting out of range."""
        bounds = {
            "cycle_legs": (self.cycle_legs, 0, MOST_LEGS),
            "cycle_window_us": (self.cycle_window_us, 1, 1 << 60),
            "least_permille": (self.least_permille, 0, 1000),
            "most_permille": (self.most_permille, 0, 1_000_000),
            "window_us": (self.window_us, 1, 1 << 60),
            "hub_degree": (self.hub_degree, 0, 1 << 30),
            "budget": (self.budget, 1, 1 << 20),
        }
        for name in ("middles", "fan_in", "fan_out", "gather_scatter", "bipartite"):
            bounds[name] = (getattr(self, name), 0, 1 << 20)
        for name, (value, least, most) in bounds.items():
            if not least <= value <= most:
                raise InvalidSetting(f"{name} is {value}; it must be {least} to {most}")
        if self.cycle_legs == 1:
            raise InvalidSetting("cycle_legs is 1; a cycle has at least 2")


BUDGET_SPENT: Final = 1
HUB_MET: Final = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """One shape that one transfer completed."""

    row: int
    shape: Shape
    account: int
    count: int
    legs: tuple[int, ...]
    """Of a cycle: sequence numbers in the order of the legs, the closing one last. Else empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What the rows of one batch completed: arrays of one length, in the order of rows."""

    row: Int32s
    shape: Array
    """A Shape."""
    account: Int32s
    count: Int32s
    first_leg: Int32s
    """Where a cycle's legs begin in `legs`; there are `count` of them."""
    legs: Int64s
    cut: Array
    """For each row of the batch: BUDGET_SPENT, HUB_MET, both or 0. A search of the row that was cut
    short may have missed a shape; what it found is true."""
    budget_spent: int
    """Rows of this batch with BUDGET_SPENT."""
    hub_met: int
    visited: int
    """Legs read by all searches."""

    def __len__(self) -> int:
        return int(self.row.size)

    def hit(self, place: int) -> Hit:
        shape = Shape(int(self.shape[place]))
        first, count = int(self.first_leg[place]), int(self.count[place])
        legs = self.legs[first : first + count].tolist() if shape == Shape.cycle else []
        return Hit(int(self.row[place]), shape, int(self.account[place]), count, tuple(legs))
