"""What people and firms do among themselves, besides business with institutions, that only looks odd:
moving money between accounts of one's own, trading both ways, ordering and thinking better of it,
and having dealings with a neighbour who happens to work for a platform.

Accounts are indexes of the register; each pair has its own labels.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OwnAccounts:
    """Two accounts of one person, at two banks."""

    first: int
    second: int
    pattern: int


@dataclass(frozen=True, slots=True)
class Partners:
    """Two firms that sell to each other."""

    first: int
    second: int
    two_way_trade: int
    cancelled_order: int


@dataclass(frozen=True, slots=True)
class Dealings:
    """A platform's employee, and clients of that platform who are his friends."""

    employee: int
    friends: tuple[int, ...]
    pattern: int


@dataclass(frozen=True, slots=True)
class Habits:
    own_accounts: tuple[OwnAccounts, ...]
    partners: tuple[Partners, ...]
    dealings: tuple[Dealings, ...]
