"""Many lists of transfers read side by side.

The next transfer of an account's list is known only once the last was read, and each may be a wait
for memory. So a search goes down all the lists of a layer in lockstep: a round reads one transfer of
every list and asks for the next ones, which are on their way while the others are looked at.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.kernel import Array, Record, kernel, prefetch, signed
from services.detector.graph.lists import INWARD, earlier_than, newest_of
from services.detector.graph.reach import FAR, before
from services.detector.graph.ring import BLOCK_BITS, slot_of
from services.detector.graph.state import State

ANY_CURRENCY: Final = -1
ANY_AMOUNT: Final = 2**63 - 1

TOGETHER: Final = 16
"""Legs that are enough to be looked at."""

LANE: Final = np.dtype(
    [
        ("seq", "<i8"),  # the transfer to read next
        ("bound_ts", "<i8"),  # legs lie before this one; outward, after it
        ("bound_seq", "<i8"),
        ("floor_us", "<i8"),  # no leg is earlier
        ("source", "<i8"),  # whatever the search knows the lane by
    ]
)
"""One list that is being read."""

SEEN: Final = np.dtype(
    [("seq", "<i8"), ("ts_us", "<i8"), ("amount_minor", "<i8"), ("far", "<i8"), ("source", "<i8")]
)
"""A leg that the round came upon: far is the account at its other end."""

SCOPE: Final = np.dtype(
    [
        ("oldest", "<i8"),  # sequence numbers
        ("since_us", "<i8"),
        ("until_us", "<i8"),
        ("least_minor", "<i8"),
        ("most_minor", "<i8"),
        ("currency", "<i8"),
        ("lanes", "<i8"),
        ("seen", "<i8"),
        ("visited", "<i8"),  # transfers read
        ("budget", "<i8"),
        ("visited_in_all", "<i8"),
    ]
)
"""Which legs count, and how far the walk has come."""

LABEL: Final = np.dtype([("search", "<u4"), ("mark", "<i4")])
"""Scratch of one search at one side of an account; of other searches it is as if blank. An account
has two side by side: outward at 2 x its index, then inward."""


class Walk(NamedTuple):
    lanes: Array
    seen: Array
    scope: Array
    labels: Array


def new_walk(budget: int, labels: Array) -> Walk:
    lanes = 2 * budget + 4
    return Walk(np.zeros(lanes, LANE), np.zeros(lanes + TOGETHER, SEEN), np.zeros(1, SCOPE), labels)


@kernel
def open_scope(state: State, walk: Walk, since_us: int, until_us: int) -> None:
    """Legs of this time, of any amount; nothing is visited yet."""
    scope = walk.scope[0]
    scope.oldest = state.ring.cursor[0].head
    scope.since_us = since_us
    scope.until_us = until_us
    scope.lanes = 0
    scope.visited = 0
    any_amount(walk)


@kernel
def any_amount(walk: Walk) -> None:
    scope = walk.scope[0]
    scope.least_minor = 0
    scope.most_minor = ANY_AMOUNT
    scope.currency = ANY_CURRENCY


@kernel
def bound_amounts(
    state: State, walk: Walk, leg: Record, slot: int, least_permille: int, most_permille: int
) -> None:
    """Only legs that carry so much of this one's amount, in its currency; 0: no bound."""
    scope = walk.scope[0]
    whole, rest = leg.amount_minor // 1000, leg.amount_minor % 1000
    if least_permille > 0:
        scope.least_minor = whole * least_permille + (rest * least_permille + 999) // 1000
        scope.currency = state.ring.currencies[slot]
    if most_permille > 0:
        scope.currency = state.ring.currencies[slot]
        if whole < FAR // most_permille:
            scope.most_minor = whole * most_permille + rest * most_permille // 1000


@kernel
def youngest_until(state: State, seq: int) -> int:
    """No transfer logged up to `seq` is younger: the clock at a place of the log a little later."""
    cursor = state.ring.cursor[0]
    following = ((seq >> BLOCK_BITS) + 1) << BLOCK_BITS
    if following >= cursor.next:
        return signed(cursor.clock_us)
    return signed(state.ring.clocks[(following >> BLOCK_BITS) & (state.ring.clocks.size - 1)])


@kernel
def open_lane(
    state: State, walk: Walk, account: int, direction: int, bound_ts: int, bound_seq: int, source: int
) -> None:
    """Read this account's list too, if there may be a leg on it."""
    scope = walk.scope[0]
    seq = newest_of(state, account, direction)
    floor_us = scope.since_us if direction == INWARD else max(scope.since_us, bound_ts)
    if seq < scope.oldest or youngest_until(state, seq) < floor_us:
        return
    prefetch(state.ring.legs, slot_of(state.ring, seq))
    lane = walk.lanes[scope.lanes]
    lane.seq = seq
    lane.bound_ts = bound_ts
    lane.bound_seq = bound_seq
    lane.floor_us = floor_us
    lane.source = source
    scope.lanes += 1


@kernel
def read_on(state: State, walk: Walk, direction: int) -> bool:
    """Read the lanes until there are some legs to look at, so that their accounts' labels are waited
    for together too. False when nothing is left, or the budget is spent."""
    scope = walk.scope[0]
    scope.seen = 0
    is_more = scope.lanes > 0
    while scope.lanes > 0 and scope.seen < TOGETHER and scope.visited <= scope.budget:
        read_round(state, walk, direction)
    return bool(is_more and scope.visited <= scope.budget)


@kernel
def read_round(state: State, walk: Walk, direction: int) -> None:
    """Read one transfer of every lane, and note those that are legs."""
    scope = walk.scope[0]
    lanes = scope.lanes
    scope.lanes = 0
    scope.visited += lanes
    scope.visited_in_all += lanes
    for place in range(lanes):
        lane = walk.lanes[place]
        seq = signed(lane.seq)
        slot = slot_of(state.ring, seq)
        leg = state.ring.legs[slot]
        if is_leg(state, scope, lane, leg, slot, direction):
            note(walk, leg, lane, direction)
        seq = earlier_than(leg, seq, direction)
        if seq >= scope.oldest and youngest_until(state, seq) >= lane.floor_us:
            prefetch(state.ring.legs, slot_of(state.ring, seq))
            lane.seq = seq
            if scope.lanes != place:
                walk.lanes[scope.lanes] = lane
            scope.lanes += 1


@kernel
def is_leg(state: State, scope: Record, lane: Record, leg: Record, slot: int, direction: int) -> bool:
    ts_us = leg.ts_us
    if not scope.since_us <= ts_us <= scope.until_us or leg.src == leg.dst:
        return False
    if not scope.least_minor <= leg.amount_minor <= scope.most_minor:
        return False
    if leg.src == OUTSIDE_INDEX or leg.dst == OUTSIDE_INDEX:
        return False
    if scope.currency != ANY_CURRENCY and state.ring.currencies[slot] != scope.currency:
        return False
    if direction == INWARD:
        return before(ts_us, lane.seq, lane.bound_ts, lane.bound_seq)
    return before(lane.bound_ts, lane.bound_seq, ts_us, lane.seq)


@kernel
def note(walk: Walk, leg: Record, lane: Record, direction: int) -> None:
    scope = walk.scope[0]
    seen = walk.seen[scope.seen]
    seen.seq = lane.seq
    seen.ts_us = leg.ts_us
    seen.amount_minor = leg.amount_minor
    seen.far = leg.src if direction == INWARD else leg.dst
    seen.source = lane.source
    prefetch(walk.labels, 2 * signed(seen.far))
    scope.seen += 1
