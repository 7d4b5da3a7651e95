"""Cycles that a new transfer closes: is there a time-respecting path from its payee to its payer?

Paths of earliest arrival from the payee (Wu, Cheng, Huang, Ke, Lu, Xu, "Path problems in temporal
graphs", 2014) and of latest departure to the payer are searched by turns, a layer is one leg, the
cheaper side first (Pohl, "Bi-directional search", 1971), until they meet: a leg arrives at an account
before the other side leaves it. That the closing transfer comes last, and bounds what is looked at,
is the idea of 2SCENT (Kumar, Calders, "2SCENT: an efficient algorithm to enumerate all simple
temporal cycles", 2018). The sides meet on a shortest path, so no account is on it twice.
"""

from __future__ import annotations

from typing import Final

from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.hunt import Hunt, add_hit, add_trace, begin_search, mark_at, note_cut
from services.detector.graph.kernel import Record, kernel, prefetch, signed
from services.detector.graph.lists import INWARD, OUTWARD
from services.detector.graph.reach import FAR, before
from services.detector.graph.ring import slot_of
from services.detector.graph.shapes import Shape
from services.detector.graph.state import State
from services.detector.graph.walks import bound_amounts, open_lane, open_scope, read_on

OUT: Final = 0
IN: Final = 1
_CYCLE: Final = int(Shape.cycle)


@kernel
def search_cycle(state: State, hunt: Hunt, row: int, seq: int) -> None:
    """The fewest legs of a cycle that the transfer `seq` closes, in the order of time."""
    settings = hunt.settings[0]
    leg = state.ring.legs[slot_of(state.ring, seq)]
    if leg.src == leg.dst or leg.src == OUTSIDE_INDEX or leg.dst == OUTSIDE_INDEX:
        return
    if state.accounts.records[leg.src].in_degree == 0 or state.accounts.records[leg.dst].out_degree == 0:
        return
    begin_search(hunt)
    open_scope(state, hunt.walk, leg.ts_us - settings.cycle_window_us, leg.ts_us)
    slot = slot_of(state.ring, seq)
    bound_amounts(state, hunt.walk, leg, slot, settings.least_permille, settings.most_permille)
    begin_side(state, hunt, OUT, signed(leg.dst), -FAR, -1)
    begin_side(state, hunt, IN, signed(leg.src), signed(leg.ts_us), seq)
    legs = 1
    side = cheaper_side(hunt)
    while side >= 0 and legs < settings.cycle_legs:
        legs += 1
        if expand(state, hunt, side):
            write_path(hunt, row, seq, signed(leg.dst))
            return
        spent = hunt.walk.scope[0].visited > settings.budget
        side = -1 if spent else cheaper_side(hunt)
    note_cut(hunt, row, hunt.sides[OUT].hubs + hunt.sides[IN].hubs > 0)


@kernel
def begin_side(state: State, hunt: Hunt, side: int, account: int, ts_us: int, seq: int) -> None:
    hunt.sides[side].layers = 0
    hunt.sides[side].hubs = 0
    add_trace(hunt, account, ts_us, seq, -1, side)
    hunt.queue[side, 0] = account
    hunt.sides[side].queued = 1
    leave_hubs_out(state, hunt, side)


@kernel
def leave_hubs_out(state: State, hunt: Hunt, side: int) -> None:
    """Keep of the queue what is to be expanded, and count what that may cost."""
    end = hunt.sides[side]
    kept = 0
    end.cost = 0
    for place in range(end.queued):
        account = hunt.queue[side, place]
        record = state.accounts.records[account]
        degree = record.out_degree if side == OUT else record.in_degree
        if degree > hunt.settings[0].hub_degree:
            end.hubs += 1
        else:
            end.cost += degree
            hunt.queue[side, kept] = account
            kept += 1
    end.queued = kept


@kernel
def cheaper_side(hunt: Hunt) -> int:
    """The side to expand next; -1 when no path is left to be found. Where one side has come to its
    end, only its hubs can still be met."""
    out, into = hunt.sides[OUT], hunt.sides[IN]
    if out.queued == 0:
        return IN if out.hubs > 0 and into.queued > 0 else -1
    if into.queued == 0:
        return OUT if into.hubs > 0 else -1
    return OUT if out.cost <= into.cost else IN


@kernel
def expand(state: State, hunt: Hunt, side: int) -> bool:
    """One leg more on this side, from all accounts of its queue; True when the sides have met."""
    walk = hunt.walk
    scope = walk.scope[0]
    direction = INWARD if side == IN else OUTWARD
    fresh = signed(hunt.progress[0].traced)
    for place in range(hunt.sides[side].queued):
        account = signed(hunt.queue[side, place])
        mark = mark_at(hunt, account, side)
        bound = hunt.trace[mark]
        open_lane(state, walk, account, direction, bound.ts_us, bound.seq, mark)
    hunt.sides[side].queued = 0
    while read_on(state, walk, direction):
        for place in range(scope.seen):
            if take_leg(state, hunt, walk.seen[place], side, fresh):
                return True
    if scope.visited <= scope.budget:
        narrow(hunt, side, fresh)
        leave_hubs_out(state, hunt, side)
        hunt.sides[side].layers += 1
    return False


@kernel
def take_leg(state: State, hunt: Hunt, seen: Record, side: int, fresh: int) -> bool:
    """True when the leg meets the other side; else queue its far end if it is the best way there."""
    account = signed(seen.far)
    met = mark_at(hunt, account, 1 - side)
    if met >= 0 and is_before(seen, hunt.trace[met], side):
        hunt.progress[0].near = hunt.progress[0].traced if side == OUT else met
        hunt.progress[0].far = met if side == OUT else hunt.progress[0].traced
        add_trace(hunt, account, seen.ts_us, seen.seq, seen.source, side)
        return True
    held = mark_at(hunt, account, side)
    if held >= 0 and not is_before(seen, hunt.trace[held], side):
        return False
    add_trace(hunt, account, seen.ts_us, seen.seq, seen.source, side)
    if held < fresh:
        prefetch(state.accounts.records, account)
        hunt.queue[side, hunt.sides[side].queued] = account
        hunt.sides[side].queued += 1
    return False


@kernel
def is_before(seen: Record, trace: Record, side: int) -> bool:
    """Outward: earlier. Inward: later."""
    if side == OUT:
        return before(seen.ts_us, seen.seq, trace.ts_us, trace.seq)
    return before(trace.ts_us, trace.seq, seen.ts_us, seen.seq)


@kernel
def narrow(hunt: Hunt, side: int, fresh: int) -> None:
    """No leg of a path is earlier than the payee's first, or later than the payer's last."""
    if hunt.sides[side].layers > 0 or hunt.sides[side].hubs > 0:
        return
    first_us, last_us = FAR, -FAR
    for mark in range(fresh, hunt.progress[0].traced):
        first_us = min(first_us, hunt.trace[mark].ts_us)
        last_us = max(last_us, hunt.trace[mark].ts_us)
    scope = hunt.walk.scope[0]
    if side == OUT:
        scope.since_us = max(scope.since_us, first_us)
    else:
        scope.until_us = min(scope.until_us, last_us)


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
