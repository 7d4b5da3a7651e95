"""Which legs count in a search, and how many it may still read."""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Record, kernel, signed
from services.detector.graph.adjacency import Adjacency, end_of
from services.detector.graph.arcs import LEAST_CODE, MOST_CODE, OTHER_CURRENCY, code_of, tick_of
from services.detector.graph.carried import part_of
from services.detector.graph.ring import slot_of, time_of
from services.detector.graph.state import State

_ANY_CURRENCY: Final = -1

SCOPE: Final = np.dtype(
    [
        ("since_us", "<i8"),
        ("until_us", "<i8"),
        ("since_tick", "<i8"),  # of those times, or as much closer as a search has found by itself
        ("until_tick", "<i8"),
        ("least_minor", "<i8"),
        ("most_minor", "<i8"),
        ("least_code", "<i8"),  # of those amounts, as an ARC has them
        ("most_code", "<i8"),
        ("currency", "<i8"),  # where an ARC's code does not tell it
        ("visited", "<i8"),  # legs read
        ("budget", "<i8"),
        ("is_cut", "<i8"),  # 1: legs were left unread for want of budget
        ("visited_in_all", "<i8"),
    ]
)


@kernel
def open_scope(scope: Record, since_us: int, until_us: int, budget: int) -> None:
    """Legs of this time, of any amount; nothing is visited yet."""
    scope.since_us = since_us
    scope.until_us = until_us
    scope.since_tick = tick_of(since_us)
    scope.until_tick = tick_of(until_us)
    scope.visited = 0
    scope.budget = budget
    scope.is_cut = 0
    any_amount(scope)


@kernel
def any_amount(scope: Record) -> None:
    scope.least_code = LEAST_CODE
    scope.most_code = MOST_CODE
    scope.currency = _ANY_CURRENCY


@kernel
def bound_amounts(state: State, scope: Record, seq: int, least_permille: int, most_permille: int) -> None:
    """Only legs that carry so much of this one's amount, in its currency; 0: no bound."""
    if least_permille + most_permille == 0:
        return
    slot = slot_of(state.ring, seq)
    least, most = part_of(signed(state.ring.legs[slot].amount_minor), least_permille, most_permille)
    is_summed = state.ring.currencies[slot] == state.rules[0].sum_currency
    scope.least_minor = least
    scope.most_minor = most
    scope.least_code = code_of(least) + (0 if is_summed else OTHER_CURRENCY)
    scope.most_code = code_of(most) + (0 if is_summed else OTHER_CURRENCY)
    scope.currency = _ANY_CURRENCY if is_summed else signed(state.ring.currencies[slot])


@kernel
def is_in_time(state: State, scope: Record, tick: int, seq: int) -> bool:
    """Whether the leg's time is among those asked for; its `tick` is within the bounds."""
    if scope.since_tick < tick < scope.until_tick:
        return True
    return bool(scope.since_us <= time_of(state.ring, seq) <= scope.until_us)


@kernel
def carries_enough(state: State, scope: Record, code: int, seq: int) -> bool:
    """Whether the leg's amount and currency are those asked for; its `code` is within the bounds."""
    if scope.least_code < code < scope.most_code and scope.currency == _ANY_CURRENCY:
        return True
    slot = slot_of(state.ring, seq)
    if not scope.least_minor <= state.ring.legs[slot].amount_minor <= scope.most_minor:
        return False
    return bool(scope.currency == _ANY_CURRENCY or state.ring.currencies[slot] == scope.currency)


@kernel
def lowest_to_read(kept: Adjacency, scope: Record, number: int) -> int:
    """The place in `arcs` of the list's last leg to be read, which is its oldest if the budget allows."""
    held = kept.lists[number]
    return end_of(held) - min(signed(held.live), max(signed(scope.budget - scope.visited), 0))


@kernel
def note_read(kept: Adjacency, scope: Record, number: int, at: int, lowest: int) -> None:
    """The list was read down to the place `at`; there was no more to be had of it unless the budget
    ended at `lowest`."""
    held = kept.lists[number]
    read = end_of(held) - at
    scope.visited += read
    scope.visited_in_all += read
    if at == lowest and read < held.live:
        scope.is_cut = 1
