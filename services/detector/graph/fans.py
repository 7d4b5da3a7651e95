"""Accounts with many on the other side, within a window: fan-in, fan-out, gather-scatter."""

from __future__ import annotations

from typing import Final

from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.hunt import Hunt, add_hit, add_trace, begin_search, mark_at, note_cut
from services.detector.graph.kernel import kernel, signed
from services.detector.graph.lists import INWARD, OUTWARD
from services.detector.graph.reach import FAR
from services.detector.graph.ring import slot_of
from services.detector.graph.shapes import Shape
from services.detector.graph.state import State
from services.detector.graph.walks import open_lane, open_scope, read_on

_FAN_IN: Final = int(Shape.fan_in)
_FAN_OUT: Final = int(Shape.fan_out)
_GATHER_SCATTER: Final = int(Shape.gather_scatter)


@kernel
def search_fans(state: State, hunt: Hunt, row: int, seq: int) -> None:
    """What `seq` adds to: payers of its payee, payees of its payer, both sides of its payer."""
    settings = hunt.settings[0]
    leg = state.ring.legs[slot_of(state.ring, seq)]
    u, v = signed(leg.src), signed(leg.dst)
    if u == v or OUTSIDE_INDEX in (u, v):
        return
    has_gathered = False
    for step in range(4):  # one place of call, for the kernel is compiled into each
        is_inward = step == 0 or step == 2
        shape = _FAN_IN if step == 0 else _FAN_OUT if step == 1 else _GATHER_SCATTER
        least = settings.fan_in if step == 0 else settings.fan_out if step == 1 else settings.gather_scatter
        if least == 0 or (step == 3 and not has_gathered):
            continue
        account = v if step == 0 else u
        has_enough = has_many(state, hunt, row, seq, account, is_inward, least)
        if step == 2:
            has_gathered = has_enough
        elif has_enough:
            add_hit(hunt, row, shape, account, least)


@kernel
def has_many(state: State, hunt: Hunt, row: int, seq: int, account: int, is_inward: bool, least: int) -> bool:
    """At least so many distinct payers (payees) in the window that ends with `seq`; newest first, so
    that those of a busy account are soon enough."""
    record = state.accounts.records[account]
    if (record.payers if is_inward else record.payees) < least:
        return False
    begin_search(hunt)
    until_us = signed(state.ring.legs[slot_of(state.ring, seq)].ts_us)
    open_scope(state, hunt.walk, until_us - hunt.settings[0].window_us, until_us)
    direction = INWARD if is_inward else OUTWARD
    open_lane(state, hunt.walk, account, direction, FAR if is_inward else -FAR, 0, 0)
    while read_on(state, hunt.walk, direction):
        for place in range(hunt.walk.scope[0].seen):
            far = signed(hunt.walk.seen[place].far)
            if mark_at(hunt, far, 0) < 0:
                add_trace(hunt, far, 0, 0, -1, 0)
        if hunt.progress[0].traced >= least:
            return True
    note_cut(hunt, row, False)
    return False
