"""Who paid the payers of a collector, its middles: compiled parts of one search among strangers."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int64s, Record, kernel, signed
from services.detector.books.stranger_legs import (
    MAX_LEGS,
    NO_LEG,
    Known,
    Scope,
    bring_lists_near,
    leg_before,
    newest_leg,
    slot_of,
)
from services.detector.flows.shape_rules import adds_little, passes_enough
from services.detector.flows.shape_triggers import count_bits
from services.detector.graph.ordering import before
from services.detector.parties.everyday import NOT_KNOWN, STRANGERS, are_strangers

MOST_MIDDLES: Final = 62
"""Bits of a source's middles."""
_SLOTS: Final = 1 << 14
"""More than MOST_MIDDLES x MAX_LEGS."""

_PAYMENT: Final = np.dtype([("middle", "<i8"), ("ts_us", "<i8"), ("seq", "<i8"), ("minor", "<i8")])
_MIDDLE: Final = np.dtype([("account", "<i8"), ("last_us", "<i8"), ("last_seq", "<i8")])
_SOURCE: Final = np.dtype([("stamp", "<i8"), ("account", "<i8"), ("middles", "<i8")])


class Room(NamedTuple):
    """Scratch: the collector's payers and their payments to it, and who paid them."""

    payments: Array
    middles: Array
    sources: Array
    """Open addressing; what has another stamp than the search's is free."""
    feeding: Int64s
    """Those who paid one middle."""
    lists: Int64s


class Listed(NamedTuple):
    """How many payments and middles there are of the collector, and which of these pays now."""

    collector: int
    payments: int
    middles: int
    new: int


def new_room() -> Room:
    return Room(
        np.zeros(MAX_LEGS, _PAYMENT),
        np.zeros(MAX_LEGS, _MIDDLE),
        np.zeros(_SLOTS, _SOURCE),
        np.zeros(MAX_LEGS, np.int64),
        np.zeros(MAX_LEGS, np.int64),
    )


@kernel
def have_source_in_common(known: Known, scope: Scope, listed: Listed, others: int, room: Room) -> bool:
    """Whether a source of the middle that pays now paid it no more than can have been passed on, and so many
    other middles too. Few have one in common, so this is asked before all sources are noted."""
    sources = list_sources(known, scope, listed, room) if listed.middles > others else 0
    for each in range(sources):
        room.lists[each] = 2 * room.feeding[each]
    bring_lists_near(known.ledger, room.lists, sources, scope.since_us)
    for each in range(sources):
        if feeds_others(known, scope, signed(room.feeding[each]), listed, room) >= others:
            return True
    return False


@kernel
def list_sources(known: Known, scope: Scope, listed: Listed, room: Room) -> int:
    """Of the middle that pays now: who paid it, at once, no more than it can have passed on, by what it paid
    the collector in all; some twice. How many; none where all that it got is less than it can have passed on
    by its last payment alone."""
    middle = room.middles[listed.new]
    paid_minor, last_minor = 0, 0
    for each in range(listed.payments):
        payment = room.payments[each]
        if payment.middle == middle.account:
            paid_minor += payment.minor
        if payment.seq == middle.last_seq:
            last_minor = signed(payment.minor)
    count, received_minor = 0, 0
    number = newest_leg(known.ledger, middle.account, True, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        number = leg_before(known.ledger, number, True, scope)
        if feeds(leg, listed.collector, middle):
            received_minor += leg.amount_minor
            if passes_enough(leg.amount_minor, paid_minor):
                room.feeding[count] = leg.src
                count += 1
    return count if adds_little(received_minor, last_minor) else 0


@kernel
def feeds_others(known: Known, scope: Scope, source: int, listed: Listed, room: Room) -> int:
    """How many middles but the one that pays now it paid before these paid last; as many as there are where
    it paid more often than is looked at."""
    fed = 0
    number = newest_leg(known.ledger, source, False, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            return count_bits(fed)
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        number = leg_before(known.ledger, number, False, scope)
        place = place_among(room.middles, listed.middles, signed(leg.dst))
        is_other = place < listed.middles and place != listed.new
        if is_other and feeds(leg, listed.collector, room.middles[place]):
            fed |= 1 << place
    return listed.middles


@kernel
def note_sources(known: Known, scope: Scope, listed: Listed, now_us: int, stamp: int, room: Room) -> bool:
    """Who paid which middles before these paid last. False where it is not known of all."""
    for place in range(listed.middles):
        middle = room.middles[place]
        number = newest_leg(known.ledger, middle.account, True, scope)
        for _ in range(MAX_LEGS):
            if number == NO_LEG:
                break
            leg = known.ledger.legs[slot_of(known.ledger, number)]
            number = leg_before(known.ledger, number, True, scope)
            told = are_strangers(known.holders, middle.account, signed(leg.src), now_us)
            if told == NOT_KNOWN:
                return False
            if told == STRANGERS and feeds(leg, listed.collector, middle):
                source_of(room.sources, signed(leg.src), stamp).middles |= 1 << place
    return True


@kernel
def feeds(leg: Record, collector: int, middle: Record) -> bool:
    is_source = leg.src != collector
    return is_source and before(leg.ts_us, leg.seq, middle.last_us, middle.last_seq)


@kernel
def source_of(sources: Array, account: int, stamp: int) -> Record:
    """The account's place, taken for it where it had none."""
    mask = sources.size - 1
    place = (account * 0x9E3779B1 >> 8) & mask
    while sources[place].stamp == stamp and sources[place].account != account:
        place = (place + 1) & mask
    source = sources[place]
    if source.stamp != stamp:
        source.stamp = stamp
        source.account = account
        source.middles = 0
    return source


@kernel
def foremost_source(known: Known, scope: Scope, listed: Listed, stamp: int, room: Room) -> int:
    """Of those who paid the middle that pays now, the one who paid most middles; -1: nobody did."""
    middle = room.middles[listed.new]
    best, most = -1, 0
    number = newest_leg(known.ledger, middle.account, True, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        number = leg_before(known.ledger, number, True, scope)
        account = signed(leg.src)
        if not feeds(leg, listed.collector, middle):
            continue
        count = count_bits(source_of(room.sources, account, stamp).middles)
        if count > most or (count == most and account < best):
            best, most = account, count
    return best


@kernel
def place_among(middles: Array, count: int, account: int) -> int:
    """`count`: it is none of them."""
    place = 0
    while place < count and middles[place].account != account:
        place += 1
    return place
