"""The ways in which an account may have passed on what it got less a whole percentage, flows.commissions,
told in compiled code. The choices tried and the chance of an accident are those of passes()."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int64s, kernel, signed
from services.detector.books.stranger_legs import (
    MAX_LEGS,
    NO_LEG,
    Known,
    Scope,
    leg_before,
    newest_leg,
    slot_of,
)
from services.detector.flows.commissions import (
    CHOSEN_INS,
    CHOSEN_OUTS,
    LEAST_PERCENT,
    MOST_INS,
    MOST_OUTS,
    RATES,
    choices,
)
from services.detector.graph.ordering import comes_first
from services.detector.parties.everyday import NOT_KNOWN, STRANGERS, are_strangers

_MILLION: Final = 1_000_000
MOST_FITS: Final = 256
ANY_PERCENT: Final = 0
"""Percent: any that is whole."""
_ROUNDING: Final = 1 - 1e-9
"""What is told in floating point is told a little low, so that nothing is left out."""
_PAYMENT: Final = np.dtype([("ts_us", "<i8"), ("seq", "<i8"), ("minor", "<i8"), ("other", "<i8")])
_FIT: Final = np.dtype(
    [("ins", "<i8"), ("outs", "<i8"), ("legs", "<i8"), ("percent", "<i8"), ("chance", "<f8")]
)


class Choices(NamedTuple):
    """Of payments, latest first: as bits, ascending, so that those of fewer payments come first."""

    bits: Int64s
    rest: Int64s
    """The place of the choice of all but the earliest payment; -1: that is none, and no choice."""
    size: Int64s
    latest: Int64s
    """The place of the latest and of the earliest payment chosen."""
    earliest: Int64s


class Tables(NamedTuple):
    ins: Choices
    outs: Choices


class Account(NamedTuple):
    """Scratch: payments in and out before the last one, latest first, and what fits."""

    ins: Array
    outs: Array
    last: Array
    received: Int64s
    paid: Int64s
    """By choice: the sum of its payments, the last one with what is paid."""
    fits: Array


def _choices(bits: Iterable[int]) -> Choices:
    chosen = sorted(bits)
    place = {one: number for number, one in enumerate(chosen)}
    return Choices(
        np.array(chosen, np.int64),
        np.array([place.get(one & ~(1 << one.bit_length() - 1), -1) if one else -1 for one in chosen]),
        np.array([one.bit_count() for one in chosen], np.int64),
        np.array([(one & -one).bit_length() - 1 for one in chosen], np.int64),
        np.array([one.bit_length() - 1 for one in chosen], np.int64),
    )


def _tables(few_ins: int, few_outs: int) -> Tables:
    ins = (sum(1 << each for each in places) for places in choices(MOST_INS, few_ins).places)
    outs = (sum(1 << each for each in places) for places in choices(MOST_OUTS - 1, few_outs).places)
    return Tables(_choices(ins), _choices([0, *outs]))


RUNS: Final = _tables(1, 0)
ANY_FEW: Final = _tables(CHOSEN_INS, CHOSEN_OUTS - 1)


def new_account() -> Account:
    return Account(
        np.zeros(MOST_INS, _PAYMENT),
        np.zeros(MOST_OUTS - 1, _PAYMENT),
        np.zeros(1, _PAYMENT),
        np.zeros(ANY_FEW.ins.bits.size, np.int64),
        np.zeros(ANY_FEW.outs.bits.size, np.int64),
        np.zeros(MOST_FITS, _FIT),
    )


@kernel
def set_last(account: Account, ts_us: int, seq: int, minor: int, other: int) -> None:
    last = account.last[0]
    last.ts_us = ts_us
    last.seq = seq
    last.minor = minor
    last.other = other


@kernel
def collect(known: Known, scope: Scope, hub: int, now_us: int, account: Account) -> tuple[int, int]:
    """The latest payments in and out before the last one; NOT_KNOWN where it is not known of all."""
    ins = latest(known, scope, hub, True, now_us, account.last, account.ins)
    if ins <= 0:
        return ins, 0
    return ins, latest(known, scope, hub, False, now_us, account.last, account.outs)


@kernel
def latest(known: Known, scope: Scope, hub: int, inward: bool, now_us: int, last: Array, room: Array) -> int:
    """Fill `room`, latest first; how many there are in it."""
    count = 0
    number = newest_leg(known.ledger, hub, inward, scope)
    for _ in range(MAX_LEGS):
        if number == NO_LEG:
            break
        leg = known.ledger.legs[slot_of(known.ledger, number)]
        number = leg_before(known.ledger, number, inward, scope)
        if not comes_first(leg, last[0]):
            continue
        other = signed(leg.src if inward else leg.dst)
        told = are_strangers(known.holders, hub, other, now_us)
        if told == NOT_KNOWN:
            return NOT_KNOWN
        if told != STRANGERS:
            continue
        place = count
        if count == room.size:
            place = count - 1
            if comes_first(leg, room[place]):
                continue
        else:
            count += 1
        while place > 0 and comes_first(room[place - 1], leg):
            room[place] = room[place - 1]
            place -= 1
        one = room[place]
        one.ts_us = leg.ts_us
        one.seq = leg.seq
        one.minor = leg.amount_minor
        one.other = other
    return count


@kernel
def list_fits(
    account: Account, tables: Tables, ins: int, outs: int, thorough: bool, percent: int, bound: float
) -> int:
    """Fill `fits` with the ways whose chance is below `bound`; how many there are, one more than there is
    room for if more. A chance is the least where one way was tried, in units of three."""
    rates = RATES if percent == ANY_PERCENT else 1
    least_received = _ROUNDING * _ROUNDING * rates * (3.0 * _MILLION) / bound
    total = 0
    for place in range(ins):
        total += account.ins[place].minor
    if total < least_received:
        return 0
    counted = sum_choices(tables.ins, account.ins, ins, 0, account.received)
    paying_ways = sum_choices(tables.outs, account.outs, outs, signed(account.last[0].minor), account.paid)
    found = 0
    for other in range(paying_ways):
        out_bits, paid = tables.outs.bits[other], account.paid[other]
        if 200 * paid >= 201 * total:
            continue
        first = account.last[0] if out_bits == 0 else account.outs[tables.outs.earliest[other]]
        paying = tables.outs.size[other] + 1
        for one in range(counted):
            received = account.received[one]
            if received < least_received:
                continue
            if 200 * paid < (2 * LEAST_PERCENT - 1) * received or 200 * paid >= 201 * received:
                continue
            rate = (200 * paid + received) // (2 * received)
            if abs(100 * paid - rate * received) > 100 * paying or (
                percent != ANY_PERCENT and rate != percent
            ):
                continue
            come = account.ins[tables.ins.latest[one]]
            if not comes_first(come, first):
                continue
            looks = tried(ins, tables.ins.size[one], thorough) * tried(outs, paying - 1, thorough)
            unit = max(2 * paying + 1, unit_of(account, tables.ins.bits[one], out_bits))
            chance = np.floor(_ROUNDING * looks * rates * float(unit) * _MILLION / received)
            if chance >= bound:
                continue
            if found == account.fits.size:
                return found + 1
            fit = account.fits[found]
            found += 1
            fit.ins = tables.ins.bits[one]
            fit.outs = out_bits
            fit.legs = tables.ins.size[one] + paying
            fit.percent = rate
            fit.chance = chance
    return found


@kernel
def sum_choices(choices: Choices, payments: Array, count: int, more: int, sums: Int64s) -> int:
    """Put the sums of the choices among the latest `count` payments, and `more`, into `sums`; how many these
    are. What is all but the earliest of a choice comes before it."""
    for one in range(choices.bits.size):
        bits = choices.bits[one]
        if bits >> count:
            return one
        sums[one] = more if choices.rest[one] < 0 else sums[choices.rest[one]]
        if bits:
            sums[one] += payments[choices.earliest[one]].minor
    return choices.bits.size


@kernel
def tried(count: int, size: int, thorough: bool) -> int:
    if not thorough:
        return max(1, count * min(size, count))
    total = 1
    ways = 1
    for least in range(1, min(size, CHOSEN_INS) + 1):
        ways = ways * (count - least + 1) // least
        total += ways
    return total


@kernel
def unit_of(account: Account, ins: int, outs: int) -> int:
    unit = signed(account.last[0].minor)
    for place in range(account.ins.size):
        if ins >> place & 1:
            unit = divisor(unit, account.ins[place].minor)
    for place in range(account.outs.size):
        if outs >> place & 1:
            unit = divisor(unit, account.outs[place].minor)
    return unit


@kernel
def divisor(one: int, other: int) -> int:
    while other:
        one, other = other, one % other
    return one
