"""Whether money may have passed through an account less a whole percentage, flows.commissions, told in
compiled code for all rows of a batch; where something is not known, the answer is that it may have."""

from __future__ import annotations

from math import inf
from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int64s, direct, kernel, signed
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
from services.detector.flows.commission_fits import (
    ANY_FEW,
    ANY_PERCENT,
    MOST_FITS,
    RUNS,
    Account,
    Tables,
    collect,
    list_fits,
    new_account,
    set_last,
)
from services.detector.flows.commissions import LEAST_PERCENT, MOST_INS, RATES
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
from services.detector.parties.everyday import NOT_KNOWN
from services.detector.typology import Step

_MILLION: Final = 1_000_000


class _Runs(NamedTuple):
    """Of each row: the ways in which its payer may have passed on runs of payments in as runs of payments out
    (NOT_KNOWN: not all is known), the chance of the least likely one, and how many are named around."""

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


def passing(step: Step, window_us: int, rule: Rule) -> Rows:
    """Rows whose payer, whom a stranger paid, may have passed on what it got, less a whole percentage."""
    rows, runs = passed_between(step, window_us), _runs(step, window_us)
    may_be_rare = runs.chance < 1.0 + rule.max_chance_ppm if rule.helps == 1 else runs.fits > 0
    near = may_be_rare | (runs.fits == NOT_KNOWN) | (runs.around >= rule.thorough_from)
    return passing_among(step, rows[near], window_us, rule)


def passing_among(step: Step, rows: Rows, window_us: int, rule: Rule) -> Rows:
    """Those of `rows` that passing() gives."""
    if not rows.size:
        return rows
    chosen = np.zeros(rows.size, np.bool_)
    find_passing(
        step.legs.known,
        step.suspected,
        asked(step, rows, window_us),
        step.applied.ts_us,
        step.applied.amount_minor,
        (RUNS, ANY_FEW),
        rule,
        new_account(),
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
        (RUNS, ANY_FEW),
        rule,
        (new_account(), new_account()),
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
        step.suspected,
        asked(step, rows, window_us),
        step.applied.ts_us,
        step.applied.amount_minor,
        RUNS,
        new_account(),
        runs,
    )
    step.answers[_runs, window_us] = runs
    return runs


@direct
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
    for place in range(asked.rows.size):
        bring_ends_near(known, asked, place)
        row = asked.rows[place]
        scope, now_us = scope_of(asked, row), asked.clock_us[row]
        set_last(account, ts_us[row], asked.seq[row], amount_minor[row], signed(asked.dst[row]))
        hub = signed(asked.src[row])
        ins, outs = collect(known, scope, hub, now_us, account)
        if ins == NOT_KNOWN or outs == NOT_KNOWN:
            runs.fits[place] = NOT_KNOWN
        elif ins > 0:
            runs.fits[place] = list_fits(account, tables, ins, outs, False, ANY_PERCENT, inf)
            runs.around[place] = count_named_around(known, named, scope, hub, now_us)
            for each in range(min(runs.fits[place], MOST_FITS)):
                runs.chance[place] = min(runs.chance[place], account.fits[each].chance)
            if runs.fits[place] > MOST_FITS:
                runs.chance[place] = 0.0


@direct
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
        if ins == NOT_KNOWN or outs == NOT_KNOWN:
            chosen[place] = True
            continue
        if ins == 0 or ins + outs + 1 < rule.legs:
            continue
        around = count_named_around(known, named, scope, hub, now_us)
        bound = bound_with(named, account, rule, (1 << ins) - 1, (1 << outs) - 1, hub)
        if around >= rule.thorough_from:
            fits = list_fits(account, tables[1], ins, outs, True, ANY_PERCENT, bound)
        else:
            fits = list_fits(account, tables[0], ins, outs, False, ANY_PERCENT, bound)
        chosen[place] = fits > MOST_FITS
        for each in range(min(fits, MOST_FITS)):
            fit = account.fits[each]
            if fit.legs >= rule.legs:
                bound = bound_with(named, account, rule, fit.ins, fit.outs, hub)
                if fit.chance < bound:
                    chosen[place] = True
                    break


@direct
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
        if ins == NOT_KNOWN or outs == NOT_KNOWN:
            chosen[place] = True
            continue
        fits = list_fits(low, tables[0], ins, outs, False, ANY_PERCENT, inf)
        chosen[place] = fits > MOST_FITS
        if fits > 0:
            least[:] = -1.0
        for each in range(min(fits, MOST_FITS)):
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
    if ins == NOT_KNOWN or outs == NOT_KNOWN:
        return 0.0
    fits = list_fits(account, tables, ins, outs, True, percent, inf)
    found = 0.0 if fits > MOST_FITS else inf
    for each in range(min(fits, MOST_FITS)):
        found = min(found, account.fits[each].chance)
    return found


@kernel
def bound_with(named: Named, account: Account, rule: Rule, ins: int, outs: int, hub: int) -> float:
    """Below which the chance of these payments is to be."""
    bound = 1.0 + rule.max_chance_ppm
    if rule.helps > 1:
        helping = named_in(named, account, ins, outs) + is_named(named, hub)
        bound *= float(rule.helps) ** helping
    return bound


@kernel
def named_in(named: Named, account: Account, ins: int, outs: int) -> int:
    count = signed(is_named(named, account.last[0].other))
    for place in range(account.ins.size):
        if ins >> place & 1:
            count += is_named(named, account.ins[place].other)
    for place in range(account.outs.size):
        if outs >> place & 1:
            count += is_named(named, account.outs[place].other)
    return count


@kernel
def count_named_around(known: Known, named: Named, scope: Scope, hub: int, now_us: int) -> int:
    """Distinct ones that are named, of the hub and the strangers it deals with."""
    stamp = new_stamp(known)
    count = signed(is_named(named, hub))
    for inward in (False, True):
        number = newest_leg(known.ledger, hub, inward, scope)
        for _ in range(MAX_LEGS):
            if number == NO_LEG:
                break
            leg = known.ledger.legs[slot_of(known.ledger, number)]
            other = signed(leg.src if inward else leg.dst)
            if is_named(named, other) and may_be_strangers(known, hub, other, now_us):
                count += is_new(known, other, 0, stamp)
            number = leg_before(known.ledger, number, inward, scope)
    return count
