"""By which legs the money that a transfer brings home may have left it, told for many transfers in turn.

What left home and reached a payer took a time-respecting path, graph.reach. The legs out of home are listed
first, and only the others of a path are searched for, from the payer back, which spares the widest layer of
all: a leg begins a path where it pays an account before the latest departure from there. It errs on one
side: an account's degree is counted from when the first of those legs left, so that one may be passed that
is a hub in a longer time.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from compiled import Array, Bools, Int32s, Int64s, Record, kernel, signed
from services.detector.graph.accounts import OUTSIDE_INDEX, look_up
from services.detector.graph.carried import ANY, Carried, carries, part_of
from services.detector.graph.lists import (
    INWARD,
    OUTWARD,
    View,
    bring_lists_near,
    earlier_than,
    is_in_view,
    lowest,
    newest_of,
)
from services.detector.graph.ordering import before
from services.detector.graph.reach import Search, is_hub, walk
from services.detector.graph.ring import slot_of
from services.detector.graph.state import State

_GROUP: Final = 32
"""Transfers whose lists are brought near together."""
_PAYERS_LEGS: Final = 4
_HOMES_LEGS: Final = 32
_READ_AHEAD: Final = 64
"""Legs out of home and on that are looked at, before a path is searched from the payer back."""


class Coming(NamedTuple):
    """Transfers by sequence number. Home is the payee, and with it those whose tokens are
    `homes[ends[g] : ends[g + 1]]`, where g is the transfer's group."""

    seq: Int64s
    group: Int32s
    homes: Array
    """Halves of tokens."""
    ends: Int64s


class Departing(NamedTuple):
    """Legs by which money leaves home: of so much, with such a purpose (by code), in the transfer's currency
    and at most so long before it; not to its payer."""

    least_minor: int
    purposes: Bools
    window_us: int


class Way(NamedTuple):
    """Paths of at most so many legs, from home to the payer, which each carry from the one share of the
    transfer's amount to the other, in its currency; a most of 0: whatever they carry."""

    max_legs: int
    least_permille: int = 0
    most_permille: int = 0


@kernel
def find_returning(
    state: State,
    search: Search,
    coming: Coming,
    oldest: Int64s,
    departing: Departing,
    way: Way,
    left: Int64s,
    chosen: Bools,
) -> None:
    """Choose the transfers with such legs. The number of `search` is the first of as many unused ones;
    `oldest`: what the oldest transfer was that was live just after each; `left`: room."""
    for first in range(0, chosen.size, _GROUP):
        end = min(first + _GROUP, chosen.size)
        bring_payers_near(state, coming, oldest, first, end, left)
        for place in range(first, end):
            scope, carried = scope_of(state, coming, place, oldest[place], departing, way)
            chosen[place] = is_brought_any(state, scope, carried, payer_of(state, coming, place), left.size)
        bring_homes_near(state, coming, oldest, chosen, first, end, left)
        for place in range(first, end):
            if chosen[place]:
                asked = oldest[place], departing, way
                chosen[place] = has_departures(state, search, coming, place, asked, left)


@kernel
def list_departures(
    state: State,
    search: Search,
    coming: Coming,
    place: int,
    oldest: int,
    departing: Departing,
    way: Way,
    left: Int64s,
) -> tuple[int, bool]:
    """Fill `left` with the legs of one transfer; how many there are, and whether a bound kept some from being
    found: as many legs as there is room for are read of those out of home, and found of the others."""
    scope, carried = scope_of(state, coming, place, oldest, departing, way)
    payer = payer_of(state, coming, place)
    if not is_brought_any(state, scope, carried, payer, left.size):
        return 0, False
    count, is_cut = list_leaving(state, scope, coming, place, departing, carried, left)
    if count == 0:
        return 0, is_cut
    asked = since_first(state, search, place, scope, carried, left, count)
    is_whole = walk(state, asked, payer, lowest(state, asked.scope), way.max_legs - 1)
    return keep_reached(state, asked, left, count), is_cut or not is_whole


@kernel
def has_departures(
    state: State,
    search: Search,
    coming: Coming,
    place: int,
    asked: tuple[int, Departing, Way],
    left: Int64s,
) -> bool:
    """Whether list_departures() finds any, where is_brought_any()."""
    oldest, departing, way = asked
    scope, carried = scope_of(state, coming, place, oldest, departing, way)
    count, _ = list_leaving(state, scope, coming, place, departing, carried, left)
    if count == 0:
        return False
    payer, back = (
        payer_of(state, coming, place),
        since_first(state, search, place, scope, carried, left, count),
    )
    low = lowest(state, back.scope)
    if not may_lead_to(state, back, left, count, payer, low):
        return False
    walk(state, back, payer, low, way.max_legs - 1)
    return keep_reached(state, back, left, count) > 0


@kernel
def payer_of(state: State, coming: Coming, place: int) -> int:
    return signed(state.ring.legs[slot_of(state.ring, coming.seq[place])].src)


@kernel
def scope_of(
    state: State, coming: Coming, place: int, oldest: int, departing: Departing, way: Way
) -> tuple[View, Carried]:
    """What the legs of a transfer's path are among, and what they carry."""
    seq = signed(coming.seq[place])
    slot = slot_of(state.ring, seq)
    at_us = signed(state.ring.legs[slot].ts_us)
    return View(oldest, seq, at_us - departing.window_us, at_us), carried_by(state, slot, way)


@kernel
def bring_payers_near(
    state: State, coming: Coming, oldest: Int64s, first: int, end: int, room: Int64s
) -> None:
    """What came to them last."""
    count = min(end - first, room.size)
    for each in range(count):
        room[each] = newest_of(state, payer_of(state, coming, first + each), INWARD)
    bring_lists_near(state, room, count, INWARD, oldest[first], _PAYERS_LEGS)


@kernel
def bring_homes_near(
    state: State, coming: Coming, oldest: Int64s, chosen: Bools, first: int, end: int, room: Int64s
) -> None:
    """What left the homes of those `chosen`."""
    count = 0
    for place in range(first, end):
        if chosen[place]:
            payee, group = payee_of(state, coming, place), coming.group[place]
            for each in range(coming.ends[group] - 1, coming.ends[group + 1]):
                home = home_at(state, coming, group, each, payee)
                if home >= 0 and count < room.size:
                    room[count] = newest_of(state, home, OUTWARD)
                    count += 1
    bring_lists_near(state, room, count, OUTWARD, oldest[first], _HOMES_LEGS)


@kernel
def payee_of(state: State, coming: Coming, place: int) -> int:
    return signed(state.ring.legs[slot_of(state.ring, coming.seq[place])].dst)


@kernel
def since_first(
    state: State, search: Search, place: int, scope: View, carried: Carried, left: Int64s, count: int
) -> Search:
    """The search of one transfer, from the first of the legs that left home."""
    begun_us = scope.until_us
    for each in range(count):
        begun_us = min(begun_us, signed(state.ring.legs[slot_of(state.ring, left[each])].ts_us))
    scope = View(scope.oldest, scope.newest, begun_us, scope.until_us)
    return renewed(search, search.number + place, scope, carried)


@kernel
def may_lead_to(state: State, search: Search, left: Int64s, count: int, payer: int, low: int) -> bool:
    """Whether legs of a path lead from one of the first `count` of `left` to the payer, each after the one
    before it; so it is too where _READ_AHEAD looks do not tell. What leaves goes no further, as a rule. The
    legs on the way are written behind those."""
    place, end, looks = 0, count, 0
    while place < end:
        way = state.ring.legs[slot_of(state.ring, left[place])]
        account = signed(way.dst)
        seq = -1 if is_hub(state, search, account, low) else newest_of(state, account, OUTWARD)
        while seq >= low:
            slot = slot_of(state.ring, seq)
            leg = state.ring.legs[slot]
            if (
                is_in_view(search.scope, leg, seq)
                and before(way.ts_us, left[place], leg.ts_us, seq)
                and leg.dst != account
                and leg.dst != OUTSIDE_INDEX
                and carries(state.ring, slot, search.carried)
            ):
                if leg.dst == payer or end == left.size:
                    return True
                left[end] = seq
                end += 1
            seq = earlier_than(leg, seq, OUTWARD)
            looks += 1
            if looks == _READ_AHEAD:
                return True
        place += 1
        looks += 1
        if looks >= _READ_AHEAD:
            return True
    return False


@kernel
def carried_by(state: State, slot: int, way: Way) -> Carried:
    if way.most_permille == 0:
        return Carried(ANY.least_minor, ANY.most_minor, ANY.currency)
    amount_minor = signed(state.ring.legs[slot].amount_minor)
    least, most = part_of(amount_minor, way.least_permille, way.most_permille)
    return Carried(least, most, signed(state.ring.currencies[slot]))


@kernel
def is_brought_any(state: State, scope: View, carried: Carried, account: int, most: int) -> bool:
    """Something came to it that may be the money, or there are more than `most` legs to read."""
    low = lowest(state, scope)
    read = 0
    seq = newest_of(state, account, INWARD)
    while seq >= low and read < most:
        read += seq <= scope.newest
        slot = slot_of(state.ring, seq)
        leg = state.ring.legs[slot]
        if is_in_view(scope, leg, seq) and leg.src != account and carries(state.ring, slot, carried):
            return True
        seq = earlier_than(leg, seq, INWARD)
    return read == most


@kernel
def renewed(search: Search, number: int, scope: View, carried: Carried) -> Search:
    """The same question of another view."""
    return Search(
        search.labels,
        search.crowds,
        number,
        search.direction,
        scope,
        carried,
        search.max_hops,
        search.hub_degree,
        search.found,
        search.hops,
        search.hubs,
        search.queue,
        search.layer,
        search.layer_ts,
        search.layer_seqs,
        search.layer_lows,
        search.ahead,
        search.progress,
    )


@kernel
def list_leaving(
    state: State,
    scope: View,
    coming: Coming,
    place: int,
    departing: Departing,
    carried: Carried,
    left: Int64s,
) -> tuple[int, bool]:
    """Fill `left` with the legs out of home; how many, and whether there were more to read than there is
    room for."""
    slot = slot_of(state.ring, coming.seq[place])
    payer, currency = signed(state.ring.legs[slot].src), signed(state.ring.currencies[slot])
    low = lowest(state, scope)
    least_minor = max(departing.least_minor, carried.least_minor)
    count, read = 0, 0
    payee, group = payee_of(state, coming, place), coming.group[place]
    for each in range(coming.ends[group] - 1, coming.ends[group + 1]):
        home = home_at(state, coming, group, each, payee)
        number = newest_of(state, home, OUTWARD) if home >= 0 else -1
        while number >= low:
            if read == left.size:
                return count, True
            read += number <= scope.newest
            at = slot_of(state.ring, number)
            leg = state.ring.legs[at]
            if (
                is_in_view(scope, leg, number)
                and least_minor <= leg.amount_minor <= carried.most_minor
                and leg.dst != home
                and leg.dst != payer
                and departing.purposes[state.ring.purposes[at]]
                and state.ring.currencies[at] == currency
            ):
                left[count] = number
                count += 1
            number = earlier_than(leg, number, OUTWARD)
    return count, False


@kernel
def home_at(state: State, coming: Coming, group: int, place: int, payee: int) -> int:
    """The payee before the first of the group, then the group's. -1: it is the payee again, or no transfer
    has named it."""
    if place < coming.ends[group]:
        return payee
    home = look_up(state.accounts, coming.homes[place, 0], coming.homes[place, 1])
    return -1 if home == payee else home


@kernel
def keep_reached(state: State, search: Search, left: Int64s, count: int) -> int:
    """Of the first `count` legs those that begin a path, in their order; how many."""
    low = lowest(state, search.scope)
    kept = 0
    for each in range(count):
        if begins_path(state, search, state.ring.legs[slot_of(state.ring, left[each])], left[each], low):
            left[kept] = left[each]
            kept += 1
    return kept


@kernel
def begins_path(state: State, search: Search, leg: Record, seq: int, low: int) -> bool:
    label = search.labels[leg.dst]
    if label.search != search.number or not before(leg.ts_us, seq, label.next_ts, label.next_seq):
        return False
    if label.is_hub < 0:
        label.is_hub = is_hub(state, search, signed(leg.dst), low)
    return bool(label.is_hub == 0)
