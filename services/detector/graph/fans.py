"""Accounts with many on the other side, within a window: fan-in, fan-out, gather-scatter."""

from __future__ import annotations

from typing import Final

from compiled import Record, kernel, prefetch, signed
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.adjacency import IN, LEGS_AHEAD, OUT, end_of, seq_of, youngest_until
from services.detector.graph.arcs import tick_in
from services.detector.graph.hunt import (
    Hunt,
    add_hit,
    begin_search,
    mark,
    mark_at,
    note_cut,
)
from services.detector.graph.ring import slot_of
from services.detector.graph.scope import is_in_time, lowest_to_read, note_read, open_scope
from services.detector.graph.shapes import Shape
from services.detector.graph.state import State

_FAN_IN: Final = int(Shape.fan_in)
_FAN_OUT: Final = int(Shape.fan_out)
_GATHER_SCATTER: Final = int(Shape.gather_scatter)


@kernel
def search_fans(state: State, hunt: Hunt, row: int, seq: int) -> None:
    """What `seq` adds to: payers of its payee, payees of its payer, both sides of its payer."""
    settings = hunt.settings[0]
    leg = state.ring.legs[slot_of(state.ring, seq)]
    u, v, ts_us = signed(leg.src), signed(leg.dst), signed(leg.ts_us)
    if u == v or OUTSIDE_INDEX in (u, v):
        return
    payer, payee = state.accounts.records[u], state.accounts.records[v]
    payees = 0
    for shape in (_FAN_IN, _FAN_OUT, _GATHER_SCATTER):  # one place of call: the kernel is compiled into each
        if shape == _FAN_IN:
            account, side, sought = v, IN, highest_within(payee.payers, settings.fan_in, 0)
        elif shape == _FAN_OUT:
            account, side = u, OUT
            sought = highest_within(payer.payees, settings.fan_out, settings.gather_scatter)
        else:
            account, side = u, IN
            sought = highest_within(payer.payers, settings.gather_scatter, 0)
            if payees < settings.gather_scatter:
                sought = 0
        if sought == 0:
            continue
        found = count_ends(state, hunt, row, account, side, ts_us, sought)
        if shape == _FAN_OUT:
            payees = found
        least = settings_of(settings, shape)
        if 0 < least <= found:
            add_hit(hunt, row, shape, account, least)


@kernel
def settings_of(settings: Record, shape: int) -> int:
    if shape == _FAN_IN:
        return signed(settings.fan_in)
    return signed(settings.fan_out if shape == _FAN_OUT else settings.gather_scatter)


@kernel
def highest_within(most: int, one: int, other: int) -> int:
    """Of two thresholds, the higher one that is not above `most`; else 0."""
    reached = signed(one) if one <= most else 0
    return max(reached, signed(other)) if other <= most else reached


@kernel
def count_ends(state: State, hunt: Hunt, row: int, account: int, side: int, until_us: int, most: int) -> int:
    """Distinct accounts at the other end of the account's legs in the window that ends at `until_us`,
    up to `most`; newest first, so that those of a busy account are soon enough."""
    begin_search(hunt)
    scope, kept = hunt.scope[0], hunt.kept
    since_us = until_us - hunt.settings[0].window_us
    open_scope(scope, since_us, until_us, hunt.settings[0].budget)
    since, until = signed(scope.since_tick), signed(scope.until_tick)
    number, eldest = 2 * account + side, signed(kept.cursor[0].eldest_tick)
    at = end_of(kept.lists[number])
    lowest = lowest_to_read(kept, scope, number)
    count = 0
    while at > lowest and count < most:
        at -= 1
        prefetch(kept.arcs, at - LEGS_AHEAD)
        arc = kept.arcs[at]
        tick, far, seq = tick_in(arc, eldest), signed(arc.far), seq_of(kept, arc)
        if tick < since and youngest_until(state, seq) < since:
            break
        if tick < since or tick > until or not is_in_time(state, scope, tick, seq):
            continue
        if mark_at(hunt, far, side) < 0:
            mark(hunt, far, 0, side)
            count += 1
    note_read(kept, scope, number, at, lowest)
    if count < most:
        note_cut(hunt, row, False)
    return count
