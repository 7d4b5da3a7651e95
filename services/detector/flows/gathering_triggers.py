"""Whether an account may collect what was scattered: enough of its payers passed on to it nearly all that
sources in common had paid them. Told in compiled code for all rows of a batch, by the choices and the sums of
the confirmation; where something is not known, the answer is that it may."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int64s, Record, direct, kernel, signed
from services.detector.books.stranger_legs import (
    MAX_LEGS,
    NO_LEG,
    Known,
    Scope,
    leg_before,
    newest_leg,
    slot_of,
)
from services.detector.flows.commission_fits import divisor
from services.detector.flows.commissions import LEAST_PERCENT, RATES
from services.detector.flows.gathering_sources import (
    Listed,
    Room,
    feeds,
    foremost_source,
    have_source_in_common,
    note_sources,
    place_among,
    source_of,
)
from services.detector.flows.shape_rules import passes_on
from services.detector.flows.shape_triggers import (
    Asked,
    Rows,
    asked,
    bring_ends_near,
    count_bits,
    new_stamp,
    scope_of,
)
from services.detector.graph.ordering import before
from services.detector.parties.everyday import NOT_KNOWN, STRANGERS, are_strangers
from services.detector.typology import Step

_FAR: Final = 2**62
_MILLION: Final = 1_000_000
_ROUNDING: Final = 1 - 1e-9
_PASSED: Final = np.dtype(
    [
        ("received_minor", "<i8"),
        ("whole_minor", "<i8"),  # all that it got, whoever paid
        ("paid_minor", "<i8"),
        ("payments", "<i8"),
        ("first_us", "<i8"),
        ("first_seq", "<i8"),
        ("unit", "<i8"),  # of what it received and paid
    ]
)


class Gathering(NamedTuple):
    """So many middles, or so many who kept the same whole percentage, or a crowd of so many; 0: no crowd is
    enough. `most`: the middles looked at, MOST_MIDDLES at most."""

    middles: int
    alike: int
    crowd: int
    max_chance_ppm: int
    most: int


class _Sums(NamedTuple):
    """Scratch: what one middle passed on, and how many kept which percentage."""

    passed: Array
    rates: Int64s


def gathering(step: Step, rows: Rows, window_us: int, rule: Gathering, room: Room) -> Rows:
    """Those of `rows` whose payee may collect what was scattered, their payer among its middles. `room` is
    for the searches of one engine only."""
    chosen = np.zeros(rows.size, np.bool_)
    if rows.size:
        columns, sums = asked(step, rows, window_us), _Sums(np.zeros(1, _PASSED), np.zeros(RATES, np.int64))
        find_gatherings(step.legs.known, columns, rule, room, sums, chosen)
    return rows[chosen]


@direct
@kernel
def find_gatherings(
    known: Known, asked: Asked, rule: Gathering, room: Room, sums: _Sums, chosen: Bools
) -> None:
    others = min(rule.middles, rule.alike, rule.crowd if rule.crowd > 0 else rule.middles) - 1
    for place in range(asked.rows.size):
        bring_ends_near(known, asked, place)
        row = asked.rows[place]
        scope, now_us = scope_of(asked, row), asked.clock_us[row]
        payer, collector = signed(asked.src[row]), signed(asked.dst[row])
        payments = list_payments(known, scope, collector, now_us, room)
        middles = list_middles(room, payments, rule.most)
        new = place_among(room.middles, middles, payer)
        listed = Listed(collector, payments, middles, new)
        if payments == NOT_KNOWN:
            chosen[place] = True
        elif new < middles and have_source_in_common(known, scope, listed, others, room):
            stamp = new_stamp(known)
            told = note_sources(known, scope, listed, now_us, stamp, room)
            chosen[place] = not told or gathers(known, scope, listed, now_us, stamp, rule, room, sums)


@kernel
def list_payments(known: Known, scope: Scope, collector: int, now_us: int, room: Room) -> int:
    """How many there are; NOT_KNOWN where it is not known of all."""
    count = 0
    number = newest_leg(known.ledger, collector, True, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        number = leg_before(known.ledger, number, True, scope)
        told = are_strangers(known.holders, collector, signed(leg.src), now_us)
        if told == NOT_KNOWN:
            return NOT_KNOWN
        if told == STRANGERS:
            payment = room.payments[count]
            payment.middle = leg.src
            payment.ts_us = leg.ts_us
            payment.seq = leg.seq
            payment.minor = leg.amount_minor
            count += 1
    return count


@kernel
def list_middles(room: Room, payments: int, most: int) -> int:
    """Those who paid, of more than `most` those who did so latest; how many."""
    count = 0
    for each in range(payments):
        payment = room.payments[each]
        place = place_among(room.middles, count, payment.middle)
        middle = room.middles[place]
        if place == count:
            count += 1
            middle.account = payment.middle
            middle.last_us = -_FAR
        if before(middle.last_us, middle.last_seq, payment.ts_us, payment.seq):
            middle.last_us = payment.ts_us
            middle.last_seq = payment.seq
    while count > most:
        earliest = 0
        for place in range(1, count):
            if pays_before(room.middles[place], room.middles[earliest]):
                earliest = place
        count -= 1
        room.middles[earliest] = room.middles[count]
    return count


@kernel
def pays_before(one: Record, other: Record) -> bool:
    return before(one.last_us, one.last_seq, other.last_us, other.last_seq)


@kernel
def gathers(
    known: Known,
    scope: Scope,
    listed: Listed,
    now_us: int,
    stamp: int,
    rule: Gathering,
    room: Room,
    sums: _Sums,
) -> bool:
    collector, payments, middles, new = listed
    source = foremost_source(known, scope, listed, stamp, room)
    chosen = source_of(room.sources, source, stamp).middles
    passing, keeping, alike = 0, 0, 0
    sums.rates[:] = 0
    passed = sums.passed[0]
    for turn in range(middles):
        place = (new + turn) % middles  # the one that pays now first: without it there is nothing
        if chosen >> place & 1:
            weigh(known, scope, collector, now_us, source, chosen, place, stamp, room, passed)
            pay(room, payments, signed(room.middles[place].account), passed)
            if passes_on(passed.received_minor, passed.paid_minor):
                passing += 1
                if passed.paid_minor <= passed.whole_minor:
                    keeping += 1
                    rate = rate_of(passed, rule.max_chance_ppm)
                    if rate >= LEAST_PERCENT:
                        sums.rates[rate - LEAST_PERCENT] += 1
                        alike = max(alike, sums.rates[rate - LEAST_PERCENT])
        if passing == 0:
            return False
        is_crowd = rule.crowd > 0 and passing >= rule.crowd
        if is_crowd or keeping >= rule.middles or alike >= rule.alike:
            return True
    return False


@kernel
def weigh(
    known: Known,
    scope: Scope,
    collector: int,
    now_us: int,
    source: int,
    chosen: int,
    place: int,
    stamp: int,
    room: Room,
    passed: Record,
) -> None:
    """What a middle got from the source, and from others who paid two or more of those `chosen`."""
    middle = room.middles[place]
    passed.received_minor = passed.whole_minor = passed.unit = 0
    passed.first_us = passed.first_seq = _FAR
    number = newest_leg(known.ledger, middle.account, True, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        number = leg_before(known.ledger, number, True, scope)
        account = signed(leg.src)
        if are_strangers(known.holders, middle.account, account, now_us) != STRANGERS:
            continue
        passed.whole_minor += leg.amount_minor
        if not feeds(leg, collector, middle):
            continue
        shared = count_bits(source_of(room.sources, account, stamp).middles & chosen)
        if account == source or shared >= 2:
            passed.received_minor += leg.amount_minor
            passed.unit = divisor(signed(leg.amount_minor), signed(passed.unit))
            if before(leg.ts_us, leg.seq, passed.first_us, passed.first_seq):
                passed.first_us = leg.ts_us
                passed.first_seq = leg.seq


@kernel
def pay(room: Room, payments: int, account: int, passed: Record) -> None:
    """What it paid the collector after the first of that."""
    passed.paid_minor = passed.payments = 0
    for each in range(payments):
        payment = room.payments[each]
        is_own = payment.middle == account
        if is_own and before(passed.first_us, passed.first_seq, payment.ts_us, payment.seq):
            passed.paid_minor += payment.minor
            passed.payments += 1
            passed.unit = divisor(signed(payment.minor), signed(passed.unit))


@kernel
def rate_of(passed: Record, max_chance_ppm: int) -> int:
    """The whole percentage it passed on; 0: none, or one that may be an accident."""
    received, paid, payments = passed.received_minor, passed.paid_minor, passed.payments
    if received == 0:
        return 0
    rate = (200 * paid + received) // (2 * received)
    if abs(100 * paid - rate * received) > 100 * payments or not LEAST_PERCENT <= rate <= 100:
        return 0
    unit = max(2 * payments + 1, passed.unit)
    is_rare = _ROUNDING * RATES * float(unit) * _MILLION < (1.0 + max_chance_ppm) * received
    return signed(rate) if is_rare else 0
