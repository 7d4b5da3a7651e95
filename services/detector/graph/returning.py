"""Whether transfers may bring money home, told for many at once before any is looked at closely.

What left home and reached a payer took a time-respecting path, graph.reach. Its first leg is looked up
among those that left home and only the others are searched for, from the payer back, which spares the
widest layer of all. It errs on one side: a path is never missed; of one that is found, the account that
the first leg pays may be a hub, and the search may have been given up for its size.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, Int64s, Record, aligned, kernel, signed
from services.detector.graph.accounts import look_up
from services.detector.graph.lists import OUTWARD, View, earlier_than, lowest, newest_of
from services.detector.graph.ordering import before
from services.detector.graph.reach import FAR, Search, label_of, see_legs, take_layer
from services.detector.graph.ring import slot_of
from services.detector.graph.state import State

DEPARTURE: Final = np.dtype([("search", "<i8"), ("ts_us", "<i8"), ("seq", "<i8"), ("padding", "<i8")])
"""Of an account: the first leg by which money left home for it, in the search of that number."""


class Departing(NamedTuple):
    """Legs by which money leaves home: of so much, with such a purpose (by code), in the transfer's currency
    and at most so long before it."""

    least_minor: int
    purposes: Bools
    window_us: int


class Coming(NamedTuple):
    """Transfers by sequence number. Home is the payee and whose tokens are `homes[ends[i] : ends[i + 1]]`;
    `legs[first[i] : first[i] + length[i]]` are the transfer's cycle."""

    seq: Int64s
    homes: Array
    """Halves of tokens."""
    ends: Int64s
    legs: Int64s
    first: Int32s
    length: Int32s


def new_departures(max_accounts: int) -> Array:
    return aligned(max_accounts + 1, DEPARTURE)


@kernel
def find_returning(
    state: State,
    search: Search,
    departures: Array,
    coming: Coming,
    oldest: Int64s,
    departing: Departing,
    chosen: Bools,
) -> None:
    """Choose the transfers on whose cycle a leg leaves home, or whose payer a path reaches that begins with
    one and goes on over at most `max_hops` of `search`, whose number is the first of as many unused ones.
    `oldest`: what the oldest transfer was that was live just after each."""
    for place in range(coming.seq.size):
        seq = coming.seq[place]
        leg = state.ring.legs[slot_of(state.ring, seq)]
        since_us = leg.ts_us - departing.window_us
        scope = View(oldest[place], seq, since_us, signed(leg.ts_us))
        chosen[place] = has_departed(state, coming, departing, place)
        if chosen[place]:
            continue
        asked = renewed(search, search.number + place, scope)
        begun_us = note_departures(state, asked, departures, coming, departing, place)
        if begun_us == FAR:
            continue
        scope = View(scope.oldest, seq, max(since_us, begun_us), scope.until_us)
        asked = renewed(search, asked.number, scope)
        chosen[place] = begun_us == -FAR or has_reached(state, asked, departures, signed(leg.src))


@kernel
def renewed(search: Search, number: int, scope: View) -> Search:
    """The same question of another view, with nothing found yet."""
    search.progress[0].legs = 0
    search.progress[0].hubs = 0
    return Search(
        search.kept,
        search.labels,
        search.crowds,
        number,
        search.direction,
        scope,
        search.max_hops,
        search.hub_degree,
        search.found,
        search.hops,
        search.hubs,
        search.queue,
        search.layer,
        search.layer_ts,
        search.layer_seqs,
        search.ahead,
        search.progress,
    )


@kernel
def has_departed(state: State, coming: Coming, departing: Departing, place: int) -> bool:
    """On the transfer's cycle."""
    first = coming.first[place]
    currency = state.ring.currencies[slot_of(state.ring, coming.seq[place])]
    for each in range(first, first + coming.length[place]):
        slot = slot_of(state.ring, coming.legs[each])
        is_departure = departs(state, slot, currency, departing)
        if is_departure and is_home(state, coming, place, signed(state.ring.legs[slot].src)):
            return True
    return False


@kernel
def is_home(state: State, coming: Coming, place: int, account: int) -> bool:
    if account == state.ring.legs[slot_of(state.ring, coming.seq[place])].dst:
        return True
    for each in range(coming.ends[place], coming.ends[place + 1]):
        if account == home_at(state, coming, each):
            return True
    return False


@kernel
def home_at(state: State, coming: Coming, place: int) -> int:
    """-1: no transfer has named it."""
    return look_up(state.accounts, coming.homes[place, 0], coming.homes[place, 1])


@kernel
def departs(state: State, slot: int, currency: int, departing: Departing) -> bool:
    """It would from a home."""
    leg = state.ring.legs[slot]
    is_said = departing.purposes[state.ring.purposes[slot]] and state.ring.currencies[slot] == currency
    return bool(is_said and leg.amount_minor >= departing.least_minor)


@kernel
def note_departures(
    state: State, search: Search, departures: Array, coming: Coming, departing: Departing, place: int
) -> int:
    """Note of each account the first leg that left home for it. When the first of all did; FAR: none did;
    -FAR: there are more legs out of home than a search may find."""
    seq = coming.seq[place]
    slot = slot_of(state.ring, seq)
    currency = state.ring.currencies[slot]
    low = lowest(state, search.scope)
    begun_us, looked = FAR, 0
    for each in range(coming.ends[place] - 1, coming.ends[place + 1]):
        is_payee = each < coming.ends[place]
        home = signed(state.ring.legs[slot].dst) if is_payee else home_at(state, coming, each)
        number = newest_of(state, home, OUTWARD) if home >= 0 else -1
        while number >= low:
            looked += 1
            if looked > search.found.size:
                return -FAR
            at = slot_of(state.ring, number)
            leg = state.ring.legs[at]
            is_seen = number <= seq and search.scope.since_us <= leg.ts_us <= search.scope.until_us
            is_leg = is_seen and leg.src != leg.dst
            if is_leg and departs(state, at, currency, departing):
                note_departure(departures[leg.dst], search.number, signed(leg.ts_us), number)
                begun_us = min(begun_us, signed(leg.ts_us))
            number = earlier_than(leg, number, OUTWARD)
    return begun_us


@kernel
def note_departure(departure: Record, number: int, ts_us: int, seq: int) -> None:
    if departure.search != number or before(ts_us, seq, departure.ts_us, departure.seq):
        departure.search = number
        departure.ts_us = ts_us
        departure.seq = seq


@kernel
def has_reached(state: State, search: Search, departures: Array, account: int) -> bool:
    """As reach(), layer by layer until a leg is met before which money left home for its payer."""
    if departures[account].search == search.number:
        return True
    progress = search.progress[0]
    low = lowest(state, search.scope)
    start = label_of(search, account)
    start.is_hub = 0
    start.next_ts = FAR
    search.queue[0] = account
    progress.queued = 1
    for hop in range(search.max_hops):
        met = progress.legs
        take_layer(state, search, low)
        for place in range(progress.width):
            if not see_legs(state, search, place, low, hop + 1):
                return True
        for each in range(met, progress.legs):
            seq = search.found[each]
            leg = state.ring.legs[slot_of(state.ring, seq)]
            left = departures[leg.src]
            if left.search == search.number and before(left.ts_us, left.seq, leg.ts_us, seq):
                return True
    return False
