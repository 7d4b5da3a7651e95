"""What money could have reached an account, and what an account's money could have reached.

A time-respecting path (Kempe, Kleinberg, Kumar, "Connectivity and inference problems for temporal
networks", 2002) is a walk whose legs start one after the other; here a leg is before another when
its time is earlier, or equal with a lower sequence number. Transfers to oneself are no legs, and no
path passes OUTSIDE.

An account's legs are read along the links of the ring, newest logged first.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int32s, Int64s, Record, kernel, prefetch, reserved, signed
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.carried import Carried, carries
from services.detector.graph.lists import INWARD, OUTWARD, View, earlier_than, is_in_view, lowest, newest_of
from services.detector.graph.ordering import before
from services.detector.graph.ring import first_since, slot_of
from services.detector.graph.state import Walkable

FAR: Final = 2**62
_AHEAD: Final = 8
"""Accounts from when one's record is asked for to when it is read."""
_GROUP: Final = 32
"""Accounts whose legs are brought near together."""

LABEL: Final = np.dtype(
    [
        ("search", "<i8"),  # the search this label belongs to
        ("layer", "<i4"),  # last layer the account was queued for
        ("is_hub", "<i4"),  # 1, or 0, or -1: not known yet
        ("done_ts", "<i8"),  # all legs before this one were seen
        ("done_seq", "<i8"),
        ("next_ts", "<i8"),  # legs before this one are to be seen
        ("next_seq", "<i8"),
        ("branch", "<i8"),  # see branches.py
        ("padding", "<i8"),
    ]
)
"""Scratch of one search at one account: a cache line. Outward, times and sequence numbers are negated: before
is after."""

CROWD: Final = np.dtype([("count", "<i8"), ("first", "<i8"), ("last", "<i8"), ("since_us", "<i8")])
"""The legs that made an account a hub in one direction when it last was one: how many were counted, the
sequence numbers that they are in, and the earliest of their times. The next search in that direction that may
see all of them need not count."""

PROGRESS: Final = np.dtype([("legs", "<i8"), ("hubs", "<i8"), ("queued", "<i8"), ("width", "<i8")])


class Search(NamedTuple):
    """One search: what it asks, its scratch, and what it found so far."""

    labels: Array
    crowds: Array
    number: int
    direction: int
    scope: View
    carried: Carried
    max_hops: int
    hub_degree: int
    found: Int64s
    """Sequence numbers of legs; as long as the search may find."""
    hops: Int32s
    """For each: the fewest legs of a path between it, itself included, and the account asked about."""
    hubs: Int32s
    """Accounts that were met before the last possible leg, and not passed."""
    queue: Int32s
    """Accounts of the next layer."""
    layer: Int32s
    """Accounts of this layer, and the leg before which their legs must lie."""
    layer_ts: Int64s
    layer_seqs: Int64s
    layer_lows: Int64s
    """Of each account of this layer: none of its legs that was logged before this one is to be seen."""
    ahead: Int64s
    """Of each account of a group, the leg that is read next; then, of each, before which none is."""
    progress: Array


def new_labels(max_accounts: int) -> Array:
    return reserved(max_accounts + 1, LABEL)


def new_crowds(max_accounts: int) -> Array:
    """For searches in one direction."""
    return reserved(max_accounts + 1, CROWD)


class Scratch(NamedTuple):
    """What searches that may find so many legs work in, one after the other: the last fields of Search."""

    found: Int64s
    hops: Int32s
    hubs: Int32s
    queue: Int32s
    layer: Int32s
    layer_ts: Int64s
    layer_seqs: Int64s
    layer_lows: Int64s
    ahead: Int64s
    progress: Array


def new_scratch(max_edges: int) -> Scratch:
    most = max_edges + 1
    return Scratch(
        np.empty(max_edges, np.int64),
        np.empty(max_edges, np.int32),
        np.empty(most, np.int32),
        np.empty(most, np.int32),
        np.empty(most, np.int32),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty(2 * _GROUP, np.int64),
        np.zeros(1, PROGRESS),
    )


def new_search(
    labels: Array,
    crowds: Array,
    number: int,
    direction: int,
    view: View,
    carried: Carried,
    max_hops: int,
    hub_degree: int,
    scratch: Scratch,
) -> Search:
    """`number` is one that no search over these labels had."""
    return Search(labels, crowds, number, direction, view, carried, max_hops, hub_degree, *scratch)


@kernel
def reach(state: Walkable, search: Search, account: int) -> tuple[bool, bool, bool]:
    """Legs of all time-respecting walks that end (INWARD) or start (OUTWARD) at `account`, by latest
    departure (earliest arrival), breadth first: a layer is one leg more.

    Returns whether there are more legs than may be found, whether there are legs beyond max_hops, and whether
    a hub was met.
    """
    low = lowest(state, search.scope)
    if not walk(state, search, account, low, search.max_hops):
        return True, False, bool(search.progress[0].hubs > 0)
    beyond, met = look_beyond(state, search, low)
    return False, beyond, met


@kernel
def walk(state: Walkable, search: Search, account: int, low: int, hops: int) -> bool:
    """The first `hops` layers; False when there are more legs than may be found."""
    start = label_of(search, account)
    start.is_hub = 0
    start.next_ts = FAR
    search.queue[0] = account
    search.progress[0].legs = 0
    search.progress[0].hubs = 0
    search.progress[0].queued = 1
    for hop in range(hops):
        take_layer(state, search, low)
        for place in range(search.progress[0].width):
            if place % _GROUP == 0:
                bring_group_near(state, search, place)
            if not see_legs(state, search, place, hop + 1):
                return False
    return True


@kernel
def label_of(search: Search, account: int) -> Record:
    label = search.labels[account]
    if label.search != search.number:
        label.search = search.number
        label.layer = 0
        label.is_hub = -1
        label.done_ts = -FAR
        label.done_seq = -FAR
        label.next_ts = -FAR
        label.next_seq = -FAR
    return label


@kernel
def take_layer(state: Walkable, search: Search, low: int) -> None:
    """Make a layer of the queued accounts that have legs to be seen; hubs are put aside."""
    progress = search.progress[0]
    progress.width = 0
    for place in range(progress.queued):
        if place + _AHEAD < progress.queued:
            prefetch(state.accounts.records, signed(search.queue[place + _AHEAD]))
        account = search.queue[place]
        label = search.labels[account]
        if label.is_hub < 0:
            label.is_hub = is_hub(state, search, account, low)
            if label.is_hub == 1:
                search.hubs[progress.hubs] = account
                progress.hubs += 1
        if label.is_hub == 0 and before(label.done_ts, label.done_seq, label.next_ts, label.next_seq):
            put_in_layer(state, search, signed(progress.width), account, low)
            progress.width += 1
    progress.queued = 0


@kernel
def look_beyond(state: Walkable, search: Search, low: int) -> tuple[bool, bool]:
    """Whether accounts that were queued last have legs to be seen, and whether one of these or any before is
    a hub. No more of them are looked at than tells."""
    progress = search.progress[0]
    is_beyond, is_met = False, progress.hubs > 0
    for place in range(progress.queued):
        if is_beyond and is_met:
            break
        if place + _AHEAD < progress.queued:
            prefetch(state.accounts.records, signed(search.queue[place + _AHEAD]))
        account = search.queue[place]
        label = search.labels[account]
        if label.is_hub < 0:
            label.is_hub = is_hub(state, search, account, low)
        is_met = is_met or label.is_hub == 1
        is_ahead = label.is_hub == 0 and before(label.done_ts, label.done_seq, label.next_ts, label.next_seq)
        if is_ahead and not is_beyond:
            put_in_layer(state, search, 0, account, low)
            is_beyond = has_leg_to_see(state, search, 0)
    return is_beyond, is_met


@kernel
def put_in_layer(state: Walkable, search: Search, place: int, account: int, low: int) -> None:
    """Outward, what was logged while the clock was before the earliest arrival is not read."""
    label = search.labels[account]
    search.layer[place] = account
    search.layer_ts[place] = label.next_ts
    search.layer_seqs[place] = label.next_seq
    is_outward = search.direction == OUTWARD
    search.layer_lows[place] = first_since(state.ring, -label.next_ts, low) if is_outward else low


@kernel
def is_hub(state: Walkable, search: Search, account: int, low: int) -> bool:
    """It has more than `hub_degree` transfers in this direction, whatever their time up to the scope's
    newest."""
    scope, most = search.scope, search.hub_degree
    record = state.accounts.records[account]
    live = record.in_degree if search.direction == INWARD else record.out_degree
    if live <= most and low >= state.ring.cursor[0].head:
        return False  # all from `low` on are live and counted
    crowd = search.crowds[account]
    is_seen = crowd.last <= scope.newest and crowd.since_us >= scope.since_us
    if crowd.count > most and crowd.first >= low and is_seen:
        return True
    count, last, since_us = 0, -1, FAR
    seq = newest_of(state, account, search.direction)
    while seq >= low and count <= most:
        leg = state.ring.legs[slot_of(state.ring, seq)]
        if seq <= scope.newest and leg.ts_us >= scope.since_us:
            count += 1
            last = max(last, seq)
            since_us = min(since_us, signed(leg.ts_us))
            crowd.first = seq
        seq = earlier_than(leg, seq, search.direction)
    crowd.count = count
    crowd.last = last
    crowd.since_us = since_us
    return count > most


@kernel
def see_legs(state: Walkable, search: Search, place: int, hop: int) -> bool:
    """Note all legs of one account of the layer; False when there are more than may be found."""
    progress, account = search.progress[0], signed(search.layer[place])
    seq = newest_of(state, account, search.direction)
    while seq >= search.layer_lows[place]:
        slot = slot_of(state.ring, seq)
        leg = state.ring.legs[slot]
        if is_to_see(search, place, leg, seq) and carries(state.ring, slot, search.carried):
            if progress.legs == search.found.size:
                return False
            search.found[progress.legs] = seq
            search.hops[progress.legs] = hop
            progress.legs += 1
            enqueue(search, far_end(search, leg), signed(leg.ts_us), seq, hop)
        seq = earlier_than(leg, seq, search.direction)
    label = search.labels[account]
    label.done_ts = search.layer_ts[place]
    label.done_seq = search.layer_seqs[place]
    return True


@kernel
def has_leg_to_see(state: Walkable, search: Search, place: int) -> bool:
    seq = newest_of(state, signed(search.layer[place]), search.direction)
    while seq >= search.layer_lows[place]:
        slot = slot_of(state.ring, seq)
        leg = state.ring.legs[slot]
        if is_to_see(search, place, leg, seq) and carries(state.ring, slot, search.carried):
            return True
        seq = earlier_than(leg, seq, search.direction)
    return False


@kernel
def bring_group_near(state: Walkable, search: Search, first: int) -> None:
    """Ask for the legs of accounts of the layer from `first` on, and for the labels of their far ends. The
    legs of an account are known each by the one logged after it only, so that walking one account after the
    other waits for every leg. Here the chains of a group are walked side by side."""
    ahead, lows = search.ahead[:_GROUP], search.ahead[_GROUP:]
    walked = min(_GROUP, signed(search.progress[0].width) - first)
    for place in range(walked):
        ahead[place] = newest_of(state, signed(search.layer[first + place]), search.direction)
        lows[place] = search.layer_lows[first + place]
    while walked > 0:
        going_on = 0
        for place in range(walked):
            seq, low = ahead[place], lows[place]
            if seq >= low:
                leg = state.ring.legs[slot_of(state.ring, seq)]
                prefetch(search.labels, far_end(search, leg))
                ahead[going_on] = earlier_than(leg, seq, search.direction)
                lows[going_on] = low
                if ahead[going_on] >= low:
                    prefetch(state.ring.legs, slot_of(state.ring, ahead[going_on]))
                going_on += 1
        walked = going_on


@kernel
def far_end(search: Search, leg: Record) -> int:
    return signed(leg.src if search.direction == INWARD else leg.dst)


@kernel
def is_to_see(search: Search, place: int, leg: Record, seq: int) -> bool:
    """A leg that is visible, before the bound of its account in this layer, and not seen yet."""
    if not is_in_view(search.scope, leg, seq) or leg.src == leg.dst or OUTSIDE_INDEX in (leg.src, leg.dst):
        return False
    label = search.labels[search.layer[place]]
    ts, order = search.direction * signed(leg.ts_us), search.direction * seq
    return before(ts, order, search.layer_ts[place], search.layer_seqs[place]) and not before(
        ts, order, label.done_ts, label.done_seq
    )


@kernel
def enqueue(search: Search, account: int, ts_us: int, seq: int, layer: int) -> None:
    """Note that legs before this one, at its far end, are to be seen in `layer`."""
    label = label_of(search, account)
    ts, order = search.direction * ts_us, search.direction * seq
    if before(label.next_ts, label.next_seq, ts, order):
        label.next_ts = ts
        label.next_seq = order
        if label.layer != layer:
            label.layer = layer
            search.queue[search.progress[0].queued] = account
            search.progress[0].queued += 1
