"""Accounts that pay the same ones: scatter-gather and bipartite shapes that a new transfer completes.

Both ask which of some payers pay several of some targets. Payers and targets are marked; then the
lists of those with fewer legs are read, and legs to the marked other ones counted. A payer whose list
is too long is only asked for each target in the table of pairs, and seldom has enough.
"""

from __future__ import annotations

from typing import Final

from compiled import kernel, prefetch, signed
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.adjacency import (
    IN,
    LEGS_AHEAD,
    OUT,
    bring_list_near,
    end_of,
    is_earlier,
    seq_of,
    youngest_until,
)
from services.detector.graph.arcs import code_in, tick_in
from services.detector.graph.hunt import (
    Hunt,
    add_hit,
    begin_search,
    is_hub,
    mark,
    mark_at,
    note_cut,
)
from services.detector.graph.pairs import find_pair, pair_key
from services.detector.graph.reach import FAR
from services.detector.graph.ring import slot_of
from services.detector.graph.scope import (
    any_amount,
    bound_amounts,
    carries_enough,
    is_in_time,
    lowest_to_read,
    note_read,
    open_scope,
)
from services.detector.graph.shapes import Shape
from services.detector.graph.state import State
from services.detector.graph.table import bring_near

TARGET: Final = 0
PAYER: Final = 1
_SCATTER_GATHER: Final = int(Shape.scatter_gather)
_BIPARTITE: Final = int(Shape.bipartite)
_LISTS_AHEAD: Final = 4


@kernel
def search_overlap(state: State, hunt: Hunt, row: int, seq: int, shape: int) -> None:
    """scatter_gather: payers of u who paid, in time, most of v's payers, u among them.
    bipartite: payers of v who pay enough of u's payees, v among them, if they are enough."""
    settings = hunt.settings[0]
    leg = state.ring.legs[slot_of(state.ring, seq)]
    u, v, ts_us = signed(leg.src), signed(leg.dst), signed(leg.ts_us)
    gathers = shape == _SCATTER_GATHER
    least = signed(settings.middles if gathers else settings.bipartite)
    if u == v or OUTSIDE_INDEX in (u, v) or not may_overlap(state, u, v, gathers, least):
        return
    begin_search(hunt)
    scope = hunt.scope[0]
    open_scope(scope, ts_us - settings.window_us, ts_us, settings.budget)
    listed, common = (v, u) if gathers else (u, v)  # `common` is a target that all payers have paid
    side = IN if gathers else OUT
    has_met_hub = is_hub(hunt, 2 * listed + side) or is_hub(hunt, 2 * common + IN)
    if not has_met_hub:
        list_ends(state, hunt, listed, side, common, TARGET)
        if hunt.sides[TARGET].width + 1 >= least:
            if gathers:
                bound_amounts(state, scope, seq, settings.least_permille, settings.most_permille)
            list_ends(state, hunt, common, IN, listed, PAYER)
            any_amount(scope)
            has_met_hub = count_common(state, hunt, least)
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
def list_ends(state: State, hunt: Hunt, account: int, side: int, excluded: int, kind: int) -> None:
    """Note the accounts at the other end of the account's legs before the new one, each once, with the
    last leg: of a target, it is to be paid before that; outward, at any time."""
    scope, kept = hunt.scope[0], hunt.kept
    number = 2 * account + side
    since, until = signed(scope.since_tick), signed(scope.until_tick)
    least, most, eldest = scope.least_code, scope.most_code, signed(kept.cursor[0].eldest_tick)
    hunt.sides[kind].width = 0
    at = end_of(kept.lists[number])
    lowest = lowest_to_read(kept, scope, number)
    while at > lowest:
        at -= 1
        prefetch(kept.arcs, at - LEGS_AHEAD)
        arc = kept.arcs[at]
        tick, far, seq = tick_in(arc, eldest), signed(arc.far), seq_of(kept, arc)
        if tick < since and youngest_until(state, seq) < since:
            break
        code = code_in(arc)
        if tick < since or tick > until or far == excluded or code < least or code > most:
            continue
        if not (is_in_time(state, scope, tick, seq) and carries_enough(state, scope, code, seq)):
            continue
        held = mark_at(hunt, far, kind)
        if held < 0:
            held = signed(hunt.sides[kind].width)
            hunt.sides[kind].width += 1
            mark(hunt, far, held, kind)
            end = hunt.ends[kind, held]
            end.account = far
            end.tick = tick if side == IN else FAR
            end.seq = seq
            end.count = 1
            end.counted_for = -1
            prefetch(kept.lists, 2 * far)
        elif is_earlier(
            state, signed(hunt.ends[kind, held].tick), signed(hunt.ends[kind, held].seq), tick, seq
        ):
            hunt.ends[kind, held].tick = tick
            hunt.ends[kind, held].seq = seq
    note_read(kept, scope, number, at, lowest)


@kernel
def count_common(state: State, hunt: Hunt, least: int) -> bool:
    """Count of each payer the distinct targets it has paid in time, from the ends with fewer legs;
    whether a hub was left out that has paid enough of them at any time."""
    kind = PAYER if legs_of(hunt, PAYER, OUT) <= legs_of(hunt, TARGET, IN) else TARGET
    side = OUT if kind == PAYER else IN
    width = signed(hunt.sides[kind].width)
    has_met_hub = False
    for place in range(width):
        if place + _LISTS_AHEAD < width:
            ahead = hunt.ends[kind, place + _LISTS_AHEAD].account
            bring_list_near(hunt.kept, 2 * signed(ahead) + side)
        number = 2 * signed(hunt.ends[kind, place].account) + side
        if hunt.scope[0].is_cut or (kind == PAYER and hunt.kept.lists[number].live < least - 1):
            continue
        if is_hub(hunt, number):
            has_met_hub |= pairs_with_targets(state, hunt, place) >= least - 1
        else:
            count_from(state, hunt, place, kind, number)
    return has_met_hub


@kernel
def legs_of(hunt: Hunt, kind: int, side: int) -> int:
    """On the lists of all ends of a kind; FAR where a target's is too long to be read."""
    legs = 0
    for place in range(hunt.sides[kind].width):
        number = 2 * signed(hunt.ends[kind, place].account) + side
        if kind == TARGET and is_hub(hunt, number):
            return FAR
        legs += signed(hunt.kept.lists[number].live)
    return legs


@kernel
def pairs_with_targets(state: State, hunt: Hunt, place: int) -> int:
    """Targets that a payer has paid at any time in the graph's window; a look-up counts as a leg read."""
    scope, payer = hunt.scope[0], signed(hunt.ends[PAYER, place].account)
    targets = min(signed(hunt.sides[TARGET].width), max(signed(scope.budget - scope.visited), 0))
    for target in range(targets):
        bring_near(state.pairs, pair_key(payer, hunt.ends[TARGET, target].account))
    paid = 0
    for target in range(targets):
        paid += find_pair(state, payer, hunt.ends[TARGET, target].account) >= 0
    scope.visited += targets
    scope.visited_in_all += targets
    scope.is_cut |= targets < hunt.sides[TARGET].width
    return paid


@kernel
def count_from(state: State, hunt: Hunt, place: int, kind: int, number: int) -> None:
    """The legs between one end and all of the other kind."""
    scope, kept = hunt.scope[0], hunt.kept
    since, until = signed(scope.since_tick), signed(scope.until_tick)
    eldest = signed(kept.cursor[0].eldest_tick)
    at = end_of(kept.lists[number])
    lowest = lowest_to_read(kept, scope, number)
    while at > lowest:
        at -= 1
        prefetch(kept.arcs, at - LEGS_AHEAD)
        arc = kept.arcs[at]
        met = mark_at(hunt, signed(arc.far), 1 - kind)
        if met < 0:
            continue
        tick, seq = tick_in(arc, eldest), seq_of(kept, arc)
        if tick < since or tick > until or not is_in_time(state, scope, tick, seq):
            continue
        payer, target = (met, place) if kind == TARGET else (place, met)
        last = hunt.ends[TARGET, target]
        other = hunt.ends[1 - kind, met]
        if other.counted_for != place and is_earlier(state, tick, seq, signed(last.tick), signed(last.seq)):
            other.counted_for = place
            hunt.ends[PAYER, payer].count += 1
    note_read(kept, scope, number, at, lowest)


@kernel
def report(hunt: Hunt, row: int, shape: int, u: int, least: int) -> None:
    """scatter_gather: the payer of the most targets, of equals the one who paid u last.
    bipartite: how many pay enough of them, u with them."""
    best, best_payer, many = 0, -1, 1
    for place in range(hunt.sides[PAYER].width):
        payer = hunt.ends[PAYER, place]
        many += payer.count >= least
        if payer.count > best:
            best = signed(payer.count)
            best_payer = signed(payer.account)
    if shape == _SCATTER_GATHER and best >= least:
        add_hit(hunt, row, shape, best_payer, best)
    if shape == _BIPARTITE and many >= least:
        add_hit(hunt, row, shape, u, many)
