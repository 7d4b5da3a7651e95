"""Whether an account may be one of a layer: several that got money from payers in common and passed it on to
payees in common. Told in compiled code for all rows of a batch, by the sums of the confirmation; where
something is not known, the answer is that it may."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, Int64s, Record, direct, kernel, signed
from services.detector.books.stranger_legs import (
    MAX_LEGS,
    NO_LEG,
    Known,
    Scope,
    leg_before,
    newest_leg,
    slot_of,
)
from services.detector.flows.shape_rules import count_days, passes_on
from services.detector.flows.shape_triggers import Asked, Rows, asked, is_new, new_stamp, scope_of
from services.detector.graph.ordering import before
from services.detector.parties.everyday import NOT_KNOWN, STRANGERS, are_strangers
from services.detector.typology import Step

_MOST_MIDDLES: Final = 256
"""Accounts that are weighed for one row."""
_FAR: Final = 2**62
_PAYER: Final = 0
_PAYEE: Final = 1
"""Places of an account's two stamps: as a payer and as a payee of the row's payer."""

RELAY: Final = np.dtype(
    [
        ("received_minor", "<i8"),
        ("paid_minor", "<i8"),
        ("payers", "<i8"),
        ("payees", "<i8"),
        ("legs", "<i8"),
        ("first_us", "<i8"),
        ("first_seq", "<i8"),
        ("is_known", "<i8"),
    ]
)
"""What one account got from the payers in common, and paid to the payees in common after the first of it."""


class Layer(NamedTuple):
    """So many accounts with so many payers and so many payees in common, which got so much together."""

    side: int
    minor: int


def in_layer(step: Step, rows: Rows, window_us: int, layer: Layer) -> Rows:
    """Those of `rows` whose payer may be one of a layer that is worked off at one leg a day or faster."""
    chosen = np.zeros(rows.size, np.bool_)
    relay, middles = np.zeros(1, RELAY), np.empty(_MOST_MIDDLES, np.int32)
    columns = asked(step, rows, window_us)
    find_layers(step.legs.known, columns, step.applied.ts_us, layer, relay, middles, chosen)
    return rows[chosen]


@direct
@kernel
def find_layers(
    known: Known, asked: Asked, ts_us: Int64s, layer: Layer, relay: Array, middles: Int32s, chosen: Bools
) -> None:
    for place in range(asked.rows.size):
        row = asked.rows[place]
        scope, now_us = scope_of(asked, row), asked.clock_us[row]
        account = signed(asked.src[row])
        stamp = new_stamp(known)
        payers = mark_side(known, scope, account, True, now_us, stamp)
        payees = mark_side(known, scope, account, False, now_us, stamp)
        if payers == NOT_KNOWN or payees == NOT_KNOWN:
            chosen[place] = True
        elif min(payers, payees) >= layer.side:
            own = relay[0]
            weigh(known, scope, account, now_us, stamp, own)
            chosen[place] = own.is_known == 0 or (
                is_middle(own, layer)
                and has_others(known, scope, account, now_us, ts_us[row], stamp, layer, own, middles)
            )


@kernel
def mark_side(known: Known, scope: Scope, account: int, inward: bool, now_us: int, stamp: int) -> int:
    """Stamp the account's payers (payees); how many they are, or NOT_KNOWN."""
    members = 0
    number = newest_leg(known.ledger, account, inward, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        other = signed(leg.src if inward else leg.dst)
        told = are_strangers(known.holders, account, other, now_us)
        if told == NOT_KNOWN:
            return NOT_KNOWN
        if told == STRANGERS:
            members += is_new(known, other, _PAYER if inward else _PAYEE, stamp)
        number = leg_before(known.ledger, number, inward, scope)
    return members


@kernel
def weigh(known: Known, scope: Scope, middle: int, now_us: int, stamp: int, relay: Record) -> None:
    """What is stamped with `stamp` or later is in common, and goes on being so."""
    relay.received_minor = relay.paid_minor = relay.payers = relay.payees = relay.legs = 0
    relay.first_us = relay.first_seq = _FAR
    relay.is_known = 1
    seen = new_stamp(known)
    for inward in (True, False):
        side = _PAYER if inward else _PAYEE
        number = newest_leg(known.ledger, middle, inward, scope)
        for _ in range(MAX_LEGS):
            if number == NO_LEG:
                break
            leg = known.ledger.legs[slot_of(known.ledger, number)]
            number = leg_before(known.ledger, number, inward, scope)
            other = signed(leg.src if inward else leg.dst)
            is_later = inward or before(relay.first_us, relay.first_seq, leg.ts_us, leg.seq)
            if known.stamps[2 * other + side] < stamp or not is_later:
                continue
            told = are_strangers(known.holders, middle, other, now_us)
            if told == NOT_KNOWN:
                relay.is_known = 0
                return
            if told == STRANGERS:
                add_leg(relay, leg, inward, is_new(known, other, side, seen))


@kernel
def add_leg(relay: Record, leg: Record, inward: bool, is_first_of_other: bool) -> None:
    relay.legs += 1
    if inward:
        relay.received_minor += leg.amount_minor
        relay.payers += is_first_of_other
        if before(leg.ts_us, leg.seq, relay.first_us, relay.first_seq):
            relay.first_us = leg.ts_us
            relay.first_seq = leg.seq
    else:
        relay.paid_minor += leg.amount_minor
        relay.payees += is_first_of_other


@kernel
def is_middle(relay: Record, layer: Layer) -> bool:
    return min(relay.payers, relay.payees) >= layer.side and passes_on(relay.received_minor, relay.paid_minor)


@kernel
def has_others(
    known: Known,
    scope: Scope,
    account: int,
    now_us: int,
    ts_us: int,
    stamp: int,
    layer: Layer,
    relay: Record,
    middles: Int32s,
) -> bool:
    """Whether enough others pay its payees as it does; `relay` is the account's own, and scratch."""
    days = count_days(relay.first_us, ts_us)
    count, seen, minor, legs = 1, 0, signed(relay.received_minor), signed(relay.legs)
    number = newest_leg(known.ledger, account, False, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        payee = signed(known.ledger.legs[slot_of(known.ledger, number)].dst)
        number = leg_before(known.ledger, number, False, scope)
        other = newest_leg(known.ledger, payee, True, scope)
        for _ in range(MAX_LEGS):
            if other == NO_LEG:
                break
            middle = signed(known.ledger.legs[slot_of(known.ledger, other)].src)
            other = leg_before(known.ledger, other, True, scope)
            if middle == account or is_listed(middles, seen, middle):
                continue
            if seen == middles.size:
                return True
            middles[seen] = middle
            seen += 1
            weigh(known, scope, middle, now_us, stamp, relay)
            if relay.is_known == 0:
                return True
            if is_middle(relay, layer):
                count += 1
                minor += relay.received_minor
                legs += relay.legs
                if count >= layer.side and minor >= layer.minor and days <= legs:
                    return True
    return False


@kernel
def is_listed(middles: Int32s, count: int, middle: int) -> bool:
    place = 0
    while place < count and middles[place] != middle:
        place += 1
    return place < count
