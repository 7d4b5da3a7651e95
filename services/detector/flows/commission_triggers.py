"""Whether money may have passed through an account less a whole percentage, flows.commissions, told in
compiled code for all rows of a batch. The choices tried and the chance of an accident are those of
passes(); where something is not known, the answer is that it may have."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int64s, kernel, signed
from services.detector.books.stranger_legs import (
    MAX_LEGS,
    NO_LEG,
    Known,
    Scope,
    leg_before,
    newest_leg,
    slot_of,
)
from services.detector.books.strangers import passed_between
from services.detector.books.suspects import Named, is_named
from services.detector.flows.commissions import (
    CHOSEN_INS,
    CHOSEN_OUTS,
    LEAST_PERCENT,
    MOST_INS,
    MOST_OUTS,
    RATES,
    choices,
)
from services.detector.flows.shape_triggers import (
    Asked,
    Rows,
    asked,
    bring_ends_near,
    is_new,
    may_be_strangers,
    new_stamp,
    scope_of,
)
from services.detector.graph.ordering import comes_first
from services.detector.parties.everyday import NOT_KNOWN, STRANGERS, are_strangers
from services.detector.typology import Step

_MILLION: Final = 1_000_000
_MOST_FITS: Final = 256
_NOT_KNOWN: Final = -1
_ANY: Final = 0
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


class _Runs(NamedTuple):
    """Of each row: the ways in which its payer may have passed on runs of payments in as runs of payments out
    (_NOT_KNOWN: not all is known), the chance of the least likely one, and how many are named around."""

    fits: Int64s
    chance: Array
    around: Int64s


class Rule(NamedTuple):
    """`legs` in all, and how likely by accident at most; `helps`: with a registry, how much less likely each
    named account makes it; `thorough_from`: so many named around."""

    legs: int
    max_chance_ppm: int
    helps: int
    thorough_from: int


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


_RUNS: Final = _tables(1, 0)
_ANY_FEW: Final = _tables(CHOSEN_INS, CHOSEN_OUTS - 1)


def _account() -> Account:
    return Account(
        np.zeros(MOST_INS, _PAYMENT),
        np.zeros(MOST_OUTS - 1, _PAYMENT),
        np.zeros(1, _PAYMENT),
        np.zeros(_ANY_FEW.ins.bits.size, np.int64),
        np.zeros(_ANY_FEW.outs.bits.size, np.int64),
        np.zeros(_MOST_FITS, _FIT),
    )


def passing(step: Step, window_us: int, rule: Rule) -> Rows:
    """Rows whose payer, whom a stranger paid, may have passed on what it got, less a whole percentage."""
    rows, runs = passed_between(step, window_us), _runs(step, window_us)
    may_be_rare = runs.chance < 1.0 + rule.max_chance_ppm if rule.helps == 1 else runs.fits > 0
    near = may_be_rare | (runs.fits == _NOT_KNOWN) | (runs.around >= rule.thorough_from)
    return passing_among(step, rows[near], window_us, rule)


def passing_among(step: Step, rows: Rows, window_us: int, rule: Rule) -> Rows:
    """Those of `rows` that passing() gives."""
    if not rows.size:
        return rows
    chosen = np.zeros(rows.size, np.bool_)
    find_passing(
        step.legs.known,
        step.suspects.named,
        asked(step, rows, window_us),
        step.applied.ts_us,
        step.applied.amount_minor,
        (_RUNS, _ANY_FEW),
        rule,
        _account(),
        chosen,
    )
    passed: Rows = rows[chosen]
    return passed


def passing_twice(step: Step, window_us: int, rule: Rule) -> Rows:
    """Such rows where somebody who paid the payer may have done so too, at the same percentage."""
    rows: Rows = passed_between(step, window_us)[_runs(step, window_us).fits != 0]
    if not rows.size:
        return rows
    chosen = np.zeros(rows.size, np.bool_)
    find_passing_twice(
        step.legs.known,
        asked(step, rows, window_us),
        step.applied.ts_us,
        step.applied.amount_minor,
        (_RUNS, _ANY_FEW),
        rule,
        (_account(), _account()),
        np.empty((MOST_INS, RATES)),
        chosen,
    )
    return rows[chosen]


def _runs(step: Step, window_us: int) -> _Runs:
    """Of the rows of passed_between()."""
    known: _Runs | None = step.answers.get((_runs, window_us))
    if known is not None:
        return known
    rows = passed_between(step, window_us)
    runs = _Runs(np.zeros(rows.size, np.int64), np.full(rows.size, inf), np.zeros(rows.size, np.int64))
    find_runs(
        step.legs.known,
        step.suspects.named,
        asked(step, rows, window_us),
        step.applied.ts_us,
        step.applied.amount_minor,
        _RUNS,
        _account(),
        runs,
    )
    step.answers[_runs, window_us] = runs
    return runs


@kernel
def find_runs(
    known: Known,
    named: Named,
    asked: Asked,
    ts_us: Int64s,
    amount_minor: Int64s,
    tables: Tables,
    account: Account,
    runs: _Runs,
) -> None:
    bring_ends_near(known, asked)
    for place in range(asked.rows.size):
        row = asked.rows[place]
        scope, now_us = scope_of(asked, row), asked.clock_us[row]
        set_last(account, ts_us[row], asked.seq[row], amount_minor[row], signed(asked.dst[row]))
        hub = signed(asked.src[row])
        ins, outs = collect(known, scope, hub, now_us, account)
        if ins == _NOT_KNOWN or outs == _NOT_KNOWN:
            runs.fits[place] = _NOT_KNOWN
        elif ins > 0:
            runs.fits[place] = list_fits(account, tables, ins, outs, False, _ANY, inf)
            runs.around[place] = count_named_around(known, named, scope, hub, now_us)
            for each in range(min(runs.fits[place], _MOST_FITS)):
                runs.chance[place] = min(runs.chance[place], account.fits[each].chance)
            if runs.fits[place] > _MOST_FITS:
                runs.chance[place] = 0.0


@kernel
def find_passing(
    known: Known,
    named: Named,
    asked: Asked,
    ts_us: Int64s,
    amount_minor: Int64s,
    tables: tuple[Tables, Tables],
    rule: Rule,
    account: Account,
    chosen: Bools,
) -> None:
    for place in range(asked.rows.size):
        row = asked.rows[place]
        scope, now_us = scope_of(asked, row), asked.clock_us[row]
        set_last(account, ts_us[row], asked.seq[row], amount_minor[row], signed(asked.dst[row]))
        hub = signed(asked.src[row])
        ins, outs = collect(known, scope, hub, now_us, account)
        if ins == _NOT_KNOWN or outs == _NOT_KNOWN:
            chosen[place] = True
            continue
        if ins == 0 or ins + outs + 1 < rule.legs:
            continue
        around = count_named_around(known, named, scope, hub, now_us)
        bound = bound_with(named, account, rule, (1 << ins) - 1, (1 << outs) - 1, hub, now_us)
        if around >= rule.thorough_from:
            fits = list_fits(account, tables[1], ins, outs, True, _ANY, bound)
        else:
            fits = list_fits(account, tables[0], ins, outs, False, _ANY, bound)
        chosen[place] = fits > _MOST_FITS
        for each in range(min(fits, _MOST_FITS)):
            fit = account.fits[each]
            if fit.legs >= rule.legs:
                bound = bound_with(named, account, rule, fit.ins, fit.outs, hub, now_us)
                if fit.chance < bound:
                    chosen[place] = True
                    break


@kernel
def find_passing_twice(
    known: Known,
    asked: Asked,
    ts_us: Int64s,
    amount_minor: Int64s,
    tables: tuple[Tables, Tables],
    rule: Rule,
    accounts: tuple[Account, Account],
    least: Array,
    chosen: Bools,
) -> None:
    low, high = accounts
    for place in range(asked.rows.size):
        row = asked.rows[place]
        scope, now_us = scope_of(asked, row), asked.clock_us[row]
        set_last(low, ts_us[row], asked.seq[row], amount_minor[row], signed(asked.dst[row]))
        ins, outs = collect(known, scope, signed(asked.src[row]), now_us, low)
        if ins == _NOT_KNOWN or outs == _NOT_KNOWN:
            chosen[place] = True
            continue
        fits = list_fits(low, tables[0], ins, outs, False, _ANY, inf)
        chosen[place] = fits > _MOST_FITS
        if fits > 0:
            least[:] = -1.0
        for each in range(min(fits, _MOST_FITS)):
            fit = low.fits[each]
            for leg in range(ins):
                if chosen[place] or not fit.ins >> leg & 1 or low.ins[leg].other == low.last[0].other:
                    continue
                percent = fit.percent - LEAST_PERCENT
                if least[leg, percent] < 0:
                    paid = low.ins[leg]
                    set_last(high, paid.ts_us, paid.seq, paid.minor, 0)
                    least[leg, percent] = least_chance(
                        known, scope, paid.other, now_us, high, tables[1], fit.percent
                    )
                product = fit.chance * least[leg, percent]
                chosen[place] = product < (1.0 + rule.max_chance_ppm) * _MILLION


@kernel
def least_chance(
    known: Known, scope: Scope, middle: int, now_us: int, account: Account, tables: Tables, percent: int
) -> float:
    """Of the ways in which the last payment passes on that percentage; inf: it does not; 0: not known."""
    ins, outs = collect(known, scope, middle, now_us, account)
    if ins == _NOT_KNOWN or outs == _NOT_KNOWN:
        return 0.0
    fits = list_fits(account, tables, ins, outs, True, percent, inf)
    found = 0.0 if fits > _MOST_FITS else inf
    for each in range(min(fits, _MOST_FITS)):
        found = min(found, account.fits[each].chance)
    return found


@kernel
def set_last(account: Account, ts_us: int, seq: int, minor: int, other: int) -> None:
    last = account.last[0]
    last.ts_us = ts_us
    last.seq = seq
    last.minor = minor
    last.other = other


@kernel
def collect(known: Known, scope: Scope, hub: int, now_us: int, account: Account) -> tuple[int, int]:
    """The latest payments in and out before the last one; _NOT_KNOWN where it is not known of all."""
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
            return _NOT_KNOWN
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
    rates = RATES if percent == _ANY else 1
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
            if abs(100 * paid - rate * received) > 100 * paying or (percent != _ANY and rate != percent):
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


@kernel
def bound_with(
    named: Named, account: Account, rule: Rule, ins: int, outs: int, hub: int, now_us: int
) -> float:
    """Below which the chance of these payments is to be."""
    bound = 1.0 + rule.max_chance_ppm
    if rule.helps > 1:
        helping = named_in(named, account, ins, outs, now_us) + is_named(named, hub, now_us)
        bound *= float(rule.helps) ** helping
    return bound


@kernel
def named_in(named: Named, account: Account, ins: int, outs: int, now_us: int) -> int:
    count = signed(is_named(named, account.last[0].other, now_us))
    for place in range(account.ins.size):
        if ins >> place & 1:
            count += is_named(named, account.ins[place].other, now_us)
    for place in range(account.outs.size):
        if outs >> place & 1:
            count += is_named(named, account.outs[place].other, now_us)
    return count


@kernel
def count_named_around(known: Known, named: Named, scope: Scope, hub: int, now_us: int) -> int:
    """Distinct ones that are named, of the hub and the strangers it deals with."""
    stamp = new_stamp(known)
    count = signed(is_named(named, hub, now_us))
    for inward in (False, True):
        number = newest_leg(known.ledger, hub, inward, scope)
        for _ in range(MAX_LEGS):
            if number == NO_LEG:
                break
            leg = known.ledger.legs[slot_of(known.ledger, number)]
            other = signed(leg.src if inward else leg.dst)
            if is_named(named, other, now_us) and may_be_strangers(known, hub, other, now_us):
                count += is_new(known, other, 0, stamp)
            number = leg_before(known.ledger, number, inward, scope)
    return count
