"""What a row must meet to complete a shape among strangers, told in compiled code for all rows of a batch:
necessary, mostly near enough to sufficient. Each looks at what was there just after its row."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from compiled import Bools, Int16s, Int32s, Int64s, direct, kernel, signed
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
from services.detector.books.strangers import IN_A_ROLE
from services.detector.books.suspects import Named, is_named
from services.detector.parties.everyday import NO_STRANGERS, are_strangers
from services.detector.typology import Step

Rows = npt.NDArray[np.intp]
_GROUP: Final = 64
"""Rows whose legs are brought near together."""


class Asked(NamedTuple):
    """Rows of a batch, and the columns of it that are read."""

    rows: Rows
    src: Int32s
    dst: Int32s
    seq: Int64s
    head: Int64s
    clock_us: Int64s
    currency: Int16s
    marks: npt.NDArray[np.uint32]
    barred: int
    """Of marks: those of accounts that have no legs between strangers."""
    window_us: int
    lists: Int64s
    """Scratch: room for the lists of both ends of _GROUP rows."""


class Crowd(NamedTuple):
    """So many that began to deal with the hub within `within_us`, so much together; 0: none is enough.
    Or so many named; `news_us`: by when before they dealt, 0: whenever. `inward`: they pay the hub."""

    inward: bool
    members: int
    minor: int
    within_us: int
    named: int
    news_us: int


class Relay(NamedTuple):
    """Several payers and several payees of one account, so much together."""

    side: int
    minor: int


def asked(step: Step, rows: Rows, window_us: int) -> Asked:
    one = step.applied
    return Asked(
        rows,
        one.src,
        one.dst,
        one.seq,
        one.head,
        one.clock_us,
        one.currency,
        step.marks,
        IN_A_ROLE,
        window_us,
        np.empty(4 * _GROUP, np.int64),
    )


def crowded(step: Step, rows: Rows, window_us: int, crowd: Crowd) -> Rows:
    """Those of `rows` at which there may be such a crowd."""
    chosen = np.zeros(rows.size, np.bool_)
    find_crowds(step.legs.known, step.suspected, asked(step, rows, window_us), crowd, chosen)
    return rows[chosen]


def relaying(step: Step, rows: Rows, window_us: int, relay: Relay) -> Rows:
    """Those of `rows` whose payer may be such an account."""
    chosen = np.zeros(rows.size, np.bool_)
    find_relays(step.legs.known, asked(step, rows, window_us), relay, chosen)
    return rows[chosen]


@direct
@kernel
def find_crowds(known: Known, named: Named, asked: Asked, crowd: Crowd, chosen: Bools) -> None:
    for place in range(asked.rows.size):
        row = asked.rows[place]
        hub = signed(asked.dst[row] if crowd.inward else asked.src[row])
        other = signed(asked.src[row] if crowd.inward else asked.dst[row])
        now_us = asked.clock_us[row]
        scope = scope_of(asked, row)
        chosen[place] = (crowd.members > 0 and is_crowd(known, scope, hub, now_us, crowd)) or (
            is_named(named, other) and has_named(known, named, scope, hub, now_us, crowd)
        )


@kernel
def bring_ends_near(known: Known, asked: Asked, place: int) -> None:
    """The legs of both ends of the rows from this place on, where it is the first of a group of rows."""
    if place % _GROUP != 0:
        return
    count = 0
    for row in asked.rows[place : place + _GROUP]:
        for account in (signed(asked.src[row]), signed(asked.dst[row])):
            asked.lists[count] = 2 * account
            asked.lists[count + 1] = 2 * account + 1
            count += 2
    since_us = asked.clock_us[asked.rows[place]] - asked.window_us
    bring_lists_near(known.ledger, asked.lists, count, since_us)


@kernel
def scope_of(asked: Asked, row: int) -> Scope:
    since_us = asked.clock_us[row] - asked.window_us
    currency = signed(asked.currency[row])
    return Scope(asked.head[row], asked.seq[row], since_us, currency, asked.marks, asked.barred)


@kernel
def is_crowd(known: Known, scope: Scope, hub: int, now_us: int, crowd: Crowd) -> bool:
    stamp = new_stamp(known)
    members = 0
    minor = 0
    number = newest_leg(known.ledger, hub, crowd.inward, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        other = signed(leg.src if crowd.inward else leg.dst)
        if leg.since_us >= now_us - crowd.within_us and may_be_strangers(known, hub, other, now_us):
            minor += leg.amount_minor
            members += is_new(known, other, 0, stamp)
            if members >= crowd.members and minor >= crowd.minor:
                return True
        number = leg_before(known.ledger, number, crowd.inward, scope)
    return False


@kernel
def has_named(known: Known, named: Named, scope: Scope, hub: int, now_us: int, crowd: Crowd) -> bool:
    stamp = new_stamp(known)
    members = 0
    number = newest_leg(known.ledger, hub, crowd.inward, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        other = signed(leg.src if crowd.inward else leg.dst)
        is_known = is_named(named, other) and (
            crowd.news_us == 0 or named.first_us[other] < leg.ts_us - crowd.news_us
        )
        if is_known and may_be_strangers(known, hub, other, now_us):
            members += is_new(known, other, 0, stamp)
            if members >= crowd.named:
                return True
        number = leg_before(known.ledger, number, crowd.inward, scope)
    return False


@direct
@kernel
def find_relays(known: Known, asked: Asked, relay: Relay, chosen: Bools) -> None:
    for place in range(asked.rows.size):
        row = asked.rows[place]
        scope = scope_of(asked, row)
        account, now_us = signed(asked.src[row]), asked.clock_us[row]
        chosen[place] = has_several(known, scope, account, True, now_us, relay.side, relay.minor) and (
            has_several(known, scope, account, False, now_us, relay.side, 0)
        )


@kernel
def has_several(
    known: Known, scope: Scope, account: int, inward: bool, now_us: int, least: int, minor: int
) -> bool:
    """So many distinct payers (payees), so much together."""
    stamp = new_stamp(known)
    members = 0
    number = newest_leg(known.ledger, account, inward, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        other = signed(leg.src if inward else leg.dst)
        if may_be_strangers(known, account, other, now_us):
            members += is_new(known, other, 0, stamp)
            minor -= leg.amount_minor
            if members >= least and minor <= 0:
                return True
        number = leg_before(known.ledger, number, inward, scope)
    return False


@kernel
def new_stamp(known: Known) -> int:
    known.searches[0] += 1
    return signed(known.searches[0])


@kernel
def is_new(known: Known, account: int, place: int, stamp: int) -> bool:
    """Not seen in this search; it is from now on."""
    was = signed(known.stamps[2 * account + place])
    known.stamps[2 * account + place] = stamp
    return was != stamp


@kernel
def may_be_strangers(known: Known, one: int, other: int, now_us: int) -> bool:
    return are_strangers(known.holders, one, other, now_us) != NO_STRANGERS


@kernel
def count_bits(bits: int) -> int:
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count
