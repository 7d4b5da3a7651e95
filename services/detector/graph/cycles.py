"""Cycles that a new transfer closes: is there a time-respecting path from its payee to its payer?

Paths of earliest arrival from the payee (Wu, Cheng, Huang, Ke, Lu, Xu, "Path problems in temporal
graphs", 2014) and of latest departure to the payer are searched by turns, a layer is one leg, the
cheaper side first (Pohl, "Bi-directional search", 1971), until they meet: a leg arrives at an account
before the other side leaves it. That the closing transfer comes last, and bounds what is looked at,
is the idea of 2SCENT (Kumar, Calders, "2SCENT: an efficient algorithm to enumerate all simple
temporal cycles", 2018). The sides meet on a shortest path, so no account is on it twice. Of the last
layer nothing is kept: a leg meets the other side or is of no use.
"""

from __future__ import annotations

from typing import Final

from compiled import Record, kernel, prefetch, signed
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
from services.detector.graph.arcs import code_in, tick_in, tick_of
from services.detector.graph.hunt import (
    Hunt,
    add_hit,
    add_trace,
    begin_search,
    is_hub,
    mark_at,
    note_cut,
)
from services.detector.graph.reach import FAR
from services.detector.graph.ring import slot_of
from services.detector.graph.scope import (
    bound_amounts,
    carries_enough,
    is_in_time,
    lowest_to_read,
    note_read,
    open_scope,
)
from services.detector.graph.shapes import Shape
from services.detector.graph.state import State

_CYCLE: Final = int(Shape.cycle)
_LISTS_AHEAD: Final = 4


@kernel
def search_cycle(state: State, hunt: Hunt, row: int, seq: int) -> None:
    """The fewest legs of a cycle that the transfer `seq` closes, in the order of time."""
    settings = hunt.settings[0]
    leg = state.ring.legs[slot_of(state.ring, seq)]
    src, dst, ts_us = signed(leg.src), signed(leg.dst), signed(leg.ts_us)
    if src == dst or OUTSIDE_INDEX in (src, dst):
        return
    if hunt.kept.lists[2 * src + IN].live == 0 or hunt.kept.lists[2 * dst + OUT].live == 0:
        return
    begin_search(hunt)
    scope = hunt.scope[0]
    open_scope(scope, ts_us - settings.cycle_window_us, ts_us, settings.budget)
    bound_amounts(state, scope, seq, settings.least_permille, settings.most_permille)
    begin_side(hunt, OUT, dst, -FAR, -1)
    begin_side(hunt, IN, src, tick_of(ts_us), seq)
    legs = 1
    side = cheaper_side(hunt)
    while side >= 0 and legs < settings.cycle_legs:
        legs += 1
        if expand(state, hunt, side, legs == settings.cycle_legs):
            write_path(hunt, row, seq, dst)
            return
        side = -1 if scope.is_cut else cheaper_side(hunt)
    note_cut(hunt, row, hunt.sides[OUT].hubs + hunt.sides[IN].hubs > 0)


@kernel
def begin_side(hunt: Hunt, side: int, account: int, tick: int, seq: int) -> None:
    end = hunt.sides[side]
    end.layers = 0
    end.hubs = 0
    add_trace(hunt, account, tick, seq, -1, side)
    hunt.reached[0] = account
    hunt.progress[0].reached = 1
    make_layer(hunt, side)


@kernel
def make_layer(hunt: Hunt, side: int) -> None:
    """Of the accounts that were reached those to be expanded, and what that may cost."""
    end = hunt.sides[side]
    end.width = 0
    end.cost = 0
    for place in range(hunt.progress[0].reached):
        account = signed(hunt.reached[place])
        number = 2 * account + side
        if is_hub(hunt, number):
            end.hubs += 1
        elif hunt.kept.lists[number].live > 0:
            end.cost += hunt.kept.lists[number].live
            hunt.layer[side, end.width] = mark_at(hunt, account, side)
            end.width += 1


@kernel
def cheaper_side(hunt: Hunt) -> int:
    """The side to expand next; -1 when no path is left to be found. Where one side has come to its
    end, only its hubs can still be met."""
    out, into = hunt.sides[OUT], hunt.sides[IN]
    if out.width == 0:
        return IN if out.hubs > 0 and into.width > 0 else -1
    if into.width == 0:
        return OUT if into.hubs > 0 else -1
    return OUT if out.cost <= into.cost else IN


@kernel
def expand(state: State, hunt: Hunt, side: int, is_last: bool) -> bool:
    """One leg more on this side, from all accounts of its layer; True when the sides have met."""
    end = hunt.sides[side]
    fresh = signed(hunt.progress[0].traced)
    hunt.progress[0].reached = 0
    for place in range(end.width):
        if place + _LISTS_AHEAD < end.width:
            ahead = hunt.trace[hunt.layer[side, place + _LISTS_AHEAD]].account
            bring_list_near(hunt.kept, 2 * signed(ahead) + side)
        if go_on(state, hunt, signed(hunt.layer[side, place]), side, fresh, is_last):
            return True
        if hunt.scope[0].is_cut:
            return False
    if not is_last:
        narrow(hunt, side, fresh)
        make_layer(hunt, side)
        end.layers += 1
    return False


@kernel
def go_on(state: State, hunt: Hunt, mark: int, side: int, fresh: int, is_last: bool) -> bool:
    """Read the legs that go on from where a trace ends; True when one meets the other side."""
    scope, kept, bound = hunt.scope[0], hunt.kept, hunt.trace[mark]
    since, until, bound_tick = signed(scope.since_tick), signed(scope.until_tick), signed(bound.tick)
    if side == OUT:
        since = max(since, bound_tick)
    else:
        until = min(until, bound_tick)
    least, most, eldest = scope.least_code, scope.most_code, signed(kept.cursor[0].eldest_tick)
    number = 2 * signed(bound.account) + side
    at = end_of(kept.lists[number])
    lowest = lowest_to_read(kept, scope, number)
    has_met = False
    while at > lowest and not has_met:
        at -= 1
        prefetch(kept.arcs, at - LEGS_AHEAD)
        arc = kept.arcs[at]
        tick = tick_in(arc, eldest)
        if tick < since:
            if youngest_until(state, seq_of(kept, arc)) < since:
                break
            continue
        code = code_in(arc)
        if tick > until or code < least or code > most:
            continue
        if is_last and mark_at(hunt, signed(arc.far), 1 - side) < 0:
            continue
        seq = seq_of(kept, arc)
        if tick == bound_tick and not is_before(state, tick, seq, bound, 1 - side):
            continue
        if is_in_time(state, scope, tick, seq) and carries_enough(state, scope, code, seq):
            has_met = take_leg(state, hunt, signed(arc.far), tick, seq, mark, side, fresh, is_last)
    note_read(kept, scope, number, at, lowest)
    return has_met


@kernel
def take_leg(
    state: State,
    hunt: Hunt,
    account: int,
    tick: int,
    seq: int,
    mark: int,
    side: int,
    fresh: int,
    is_last: bool,
) -> bool:
    """True when a leg to or from `account` meets the other side; else note that if it is the best way."""
    progress = hunt.progress[0]
    met = mark_at(hunt, account, 1 - side)
    if met >= 0 and is_before(state, tick, seq, hunt.trace[met], side):
        progress.near = progress.traced if side == OUT else met
        progress.far = met if side == OUT else progress.traced
        add_trace(hunt, account, tick, seq, mark, side)
        return True
    if is_last:
        return False
    held = mark_at(hunt, account, side)
    if held >= 0 and not is_before(state, tick, seq, hunt.trace[held], side):
        return False
    add_trace(hunt, account, tick, seq, mark, side)
    if held < fresh:
        prefetch(hunt.kept.lists, 2 * account + side)
        hunt.reached[progress.reached] = account
        progress.reached += 1
    return False


@kernel
def is_before(state: State, tick: int, seq: int, trace: Record, side: int) -> bool:
    """Outward: earlier. Inward: later."""
    if side == OUT:
        return is_earlier(state, tick, seq, signed(trace.tick), signed(trace.seq))
    return is_earlier(state, signed(trace.tick), signed(trace.seq), tick, seq)


@kernel
def narrow(hunt: Hunt, side: int, fresh: int) -> None:
    """No leg of a path is earlier than the payee's first, or later than the payer's last."""
    if hunt.sides[side].layers > 0 or hunt.sides[side].hubs > 0:
        return
    first, last = FAR, -FAR
    for mark in range(fresh, hunt.progress[0].traced):
        first = min(first, signed(hunt.trace[mark].tick))
        last = max(last, signed(hunt.trace[mark].tick))
    scope = hunt.scope[0]
    if side == OUT:
        scope.since_tick = max(signed(scope.since_tick), first)
    else:
        scope.until_tick = min(signed(scope.until_tick), last)


@kernel
def write_path(hunt: Hunt, row: int, seq: int, account: int) -> None:
    """The legs from the payee to where the sides met, from there to the payer, and the closing one."""
    progress = hunt.progress[0]
    count = 0
    mark = signed(progress.near)
    while hunt.trace[mark].before >= 0:
        count += 1
        mark = signed(hunt.trace[mark].before)
    place = progress.legs + count
    mark = signed(progress.near)
    while hunt.trace[mark].before >= 0:
        place -= 1
        hunt.legs[place] = hunt.trace[mark].seq
        mark = signed(hunt.trace[mark].before)
    mark = signed(progress.far)
    while hunt.trace[mark].before >= 0:
        hunt.legs[progress.legs + count] = hunt.trace[mark].seq
        count += 1
        mark = signed(hunt.trace[mark].before)
    hunt.legs[progress.legs + count] = seq
    add_hit(hunt, row, _CYCLE, account, count + 1)
    progress.legs += count + 1
