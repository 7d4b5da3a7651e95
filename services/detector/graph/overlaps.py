"""Accounts that pay the same ones: scatter-gather and bipartite shapes that a new transfer completes.

Both ask which of some payers pay several of some targets. A payer of more transfers than there are
targets is first asked for each of them in the table of pairs, and seldom has enough. Targets are
marked; the other payers' lists are read side by side, and their legs to targets counted.
"""

from __future__ import annotations

from typing import Final

from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.hunt import Hunt, add_hit, add_trace, begin_search, mark_at, note_cut
from services.detector.graph.kernel import kernel, prefetch, signed
from services.detector.graph.lists import INWARD, OUTWARD
from services.detector.graph.neighbours import pair_key
from services.detector.graph.reach import FAR, before
from services.detector.graph.ring import slot_of
from services.detector.graph.shapes import Shape
from services.detector.graph.state import State
from services.detector.graph.table import bring_near, find
from services.detector.graph.walks import (
    any_amount,
    bound_amounts,
    open_lane,
    open_scope,
    read_on,
)

TARGET: Final = 0
PAYER: Final = 1
"""Sides of a label."""
_SCATTER_GATHER: Final = int(Shape.scatter_gather)
_BIPARTITE: Final = int(Shape.bipartite)


@kernel
def search_overlap(state: State, hunt: Hunt, row: int, seq: int, shape: int) -> None:
    """scatter_gather: payers of u who paid, in time, most of v's payers.
    bipartite: payers of v who pay enough of u's payees, if they are enough."""
    leg = state.ring.legs[slot_of(state.ring, seq)]
    u, v = signed(leg.src), signed(leg.dst)
    gathers = shape == _SCATTER_GATHER
    least = signed(hunt.settings[0].middles if gathers else hunt.settings[0].bipartite)
    if u == v or OUTSIDE_INDEX in (u, v) or not may_overlap(state, u, v, gathers, least):
        return
    begin_search(hunt)
    open_scope(state, hunt.walk, leg.ts_us - hunt.settings[0].window_us, signed(leg.ts_us))
    listed, marked = (v, u) if gathers else (u, v)  # whose other side are targets; a target itself
    has_met_hub = is_hub(state, hunt, listed, INWARD if gathers else OUTWARD)
    has_met_hub |= is_hub(state, hunt, marked, INWARD)
    if not has_met_hub:
        add_trace(hunt, marked, leg.ts_us if gathers else FAR, seq, -1, TARGET)
        list_ends(state, hunt, listed, marked, INWARD if gathers else OUTWARD, seq, TARGET)
        targets = signed(hunt.progress[0].traced)
        if gathers:
            settings = hunt.settings[0]
            slot = slot_of(state.ring, seq)
            bound_amounts(state, hunt.walk, leg, slot, settings.least_permille, settings.most_permille)
        list_ends(state, hunt, marked, listed, INWARD, seq, PAYER)
        any_amount(hunt.walk)
        has_met_hub = count_targets(state, hunt, targets, least)
        report(hunt, row, shape, u, least)
    note_cut(hunt, row, has_met_hub)


@kernel
def may_overlap(state: State, u: int, v: int, gathers: bool, least: int) -> bool:
    """By what is known of both without reading a list: v's payers, and whether u is paid or pays."""
    records = state.accounts.records
    if records[v].payers < least:
        return False
    return bool(records[u].payers > 0 if gathers else records[u].payees >= least)


@kernel
def is_hub(state: State, hunt: Hunt, account: int, direction: int) -> bool:
    record = state.accounts.records[account]
    degree = record.in_degree if direction == INWARD else record.out_degree
    return bool(degree > hunt.settings[0].hub_degree)


@kernel
def list_ends(
    state: State, hunt: Hunt, account: int, excluded: int, direction: int, seq: int, side: int
) -> None:
    """Note the accounts at the other end of the account's legs before the new one, each once.

    Of a target, the trace is the last leg: it is to be paid before that, or, outward, at any time.
    """
    walk = hunt.walk
    scope = walk.scope[0]
    bound_ts = signed(scope.until_us) if direction == INWARD else -FAR
    open_lane(state, walk, account, direction, bound_ts, seq, 0)
    hunt.sides[side].queued = 0
    while read_on(state, walk, direction):
        for place in range(scope.seen):
            seen = walk.seen[place]
            far = signed(seen.far)
            held = mark_at(hunt, far, side)
            if far == excluded or (side == PAYER and held >= 0):
                continue
            ts_us = signed(seen.ts_us) if direction == INWARD else FAR
            if held < 0 or before(hunt.trace[held].ts_us, hunt.trace[held].seq, ts_us, seen.seq):
                add_trace(hunt, far, ts_us, signed(seen.seq), -1, side)
            if side == PAYER:
                prefetch(state.accounts.records, far)
                hunt.queue[PAYER, hunt.sides[PAYER].queued] = far
                hunt.sides[PAYER].queued += 1


@kernel
def count_targets(state: State, hunt: Hunt, targets: int, least: int) -> bool:
    """Chain each payer's legs to targets at its place in the queue; whether a hub was left out.
    `targets`: how many traces there are of targets; they come first."""
    walk = hunt.walk
    scope = walk.scope[0]
    has_met_hub = False
    for place in range(hunt.sides[PAYER].queued):
        payer = signed(hunt.queue[PAYER, place])
        hunt.queue[TARGET, place] = -1
        if scope.visited > scope.budget or not may_pay(state, hunt, payer, targets, least):
            continue
        if is_hub(state, hunt, payer, OUTWARD):
            has_met_hub = True
        else:
            open_lane(state, walk, payer, OUTWARD, -FAR, -1, place)
    while read_on(state, walk, OUTWARD):
        for place in range(scope.seen):
            seen = walk.seen[place]
            target = mark_at(hunt, signed(seen.far), TARGET)
            if target < 0:
                continue
            last = hunt.trace[target]
            if before(seen.ts_us, seen.seq, last.ts_us, last.seq):
                chain(hunt, signed(seen.far), signed(seen.source))
    return has_met_hub


@kernel
def may_pay(state: State, hunt: Hunt, payer: int, targets: int, least: int) -> bool:
    """Whether the payer has paid enough targets at any time in the graph's window. Where its list is
    the longer of the two, each target is looked up among the pairs; a look-up counts as a visit."""
    record = state.accounts.records[payer]
    if record.payees < least:
        return False
    if record.out_degree <= targets:
        return True
    for place in range(targets):
        bring_near(state.pairs, pair_key(payer, hunt.trace[place].account))
    paid = 0
    for place in range(targets):
        slot = find(state.pairs, pair_key(payer, hunt.trace[place].account))
        paid += slot >= 0 and state.pairs.values[slot] > 0
    hunt.walk.scope[0].visited += targets
    hunt.walk.scope[0].visited_in_all += targets
    return paid >= least


@kernel
def chain(hunt: Hunt, account: int, place: int) -> None:
    trace = hunt.trace[hunt.progress[0].traced]
    trace.account = account
    trace.before = hunt.queue[TARGET, place]
    hunt.queue[TARGET, place] = hunt.progress[0].traced
    hunt.progress[0].traced += 1


@kernel
def report(hunt: Hunt, row: int, shape: int, u: int, least: int) -> None:
    """scatter_gather: the payer of the most targets, of equals the one who paid u last.
    bipartite: how many pay enough of them, u with them."""
    best, best_payer, many = 0, -1, 1
    for place in range(hunt.sides[PAYER].queued):
        count = distinct_in_chain(hunt, place)
        many += count >= least
        if count > best:
            best = count
            best_payer = signed(hunt.queue[PAYER, place])
    if shape == _SCATTER_GATHER and best >= least:
        add_hit(hunt, row, shape, best_payer, best)
    if shape == _BIPARTITE and many >= least:
        add_hit(hunt, row, shape, u, many)


@kernel
def distinct_in_chain(hunt: Hunt, place: int) -> int:
    """Distinct targets in the chain of one payer. A target's other label holds the last payer, as a
    negative number, that it was counted for."""
    count = 0
    at = signed(hunt.queue[TARGET, place])
    while at >= 0:
        label = hunt.walk.labels[2 * signed(hunt.trace[at].account) + PAYER]
        is_counted = label.search == hunt.progress[0].search and label.mark == -2 - place
        if not is_counted:
            label.search = hunt.progress[0].search
            label.mark = -2 - place
            count += 1
        at = signed(hunt.trace[at].before)
    return count
