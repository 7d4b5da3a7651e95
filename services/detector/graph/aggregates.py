"""The state one transfer changes, and how: what is kept of each account and each pair, row by row.

A transfer is live from its row until the clock has passed its time by window + lateness, for it and
for every transfer logged before it; so a late transfer may stay a little longer than its time, and
never less. All of it depends on the rows in their order only, not on how they came in batches.
"""

from __future__ import annotations

from compiled import kernel, signed
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.graph.neighbours import count_pair, uncount_pair
from services.detector.graph.pairs import make_room_for_pair
from services.detector.graph.ring import BLOCK_BITS, link, slot_of
from services.detector.graph.state import DUPLICATE, INSERTED, REFUSED, TOO_LATE, Rows, State
from services.detector.graph.table import is_held, is_live, make_room_reusing, seek_reusing, take
from services.detector.graph.warming import warm_expiring


@kernel
def apply_row(state: State, rows: Rows, row: int) -> None:
    """One row: clock, expiry, lateness, duplicates, insertion, aggregates."""
    cursor = state.ring.cursor[0]
    rules = state.rules[0]
    ts_us = rows.ts_us[row]
    if ts_us > cursor.clock_us:
        cursor.clock_us = ts_us
    horizon_us = cursor.clock_us - rules.window_us - rules.lateness_us
    while cursor.head < cursor.next and state.ring.legs[slot_of(state.ring, cursor.head)].ts_us < horizon_us:
        expire_oldest(state)
        cursor.expired += 1
    late = ts_us < cursor.clock_us - rules.lateness_us
    status, place = admit(state, rows, row, horizon_us)
    rows.seq[row] = -1
    if status == INSERTED:
        if cursor.next - cursor.head >= rules.max_transfers:
            expire_oldest(state)
            if cursor.shortened == 0:
                cursor.shortened_by = cursor.next
            cursor.shortened += 1
        rows.seq[row] = insert(state, rows, row, place)
        cursor.late += late
    rows.status[row] = status
    rows.late[row] = late
    rows.as_of[row] = cursor.next - 1
    rows.head[row] = cursor.head
    rows.clock_us[row] = cursor.clock_us
    report(state, rows, row)


@kernel
def admit(state: State, rows: Rows, row: int, horizon_us: int) -> tuple[int, int]:
    """What is to become of a row, and the slot for its id where it is to be inserted: there is room
    for it then."""
    cursor = state.ring.cursor[0]
    src = rows.src[row]
    dst = rows.dst[row]
    digest = rows.digests[row]
    live = cursor.next - cursor.head
    if rows.ts_us[row] < horizon_us:
        cursor.too_late += 1
        return TOO_LATE, -1
    room = make_room_reusing(state.ids, digest, cursor.head, live)
    slot = seek_reusing(state.ids, digest, cursor.head, live)
    if is_held(state.ids, slot, digest) and is_live(state.ids.values[slot], cursor.head, live):
        cursor.duplicates += 1
        return DUPLICATE, -1
    if src < 0 or dst < 0 or not room or not make_room_for_pair(state, src, dst):
        cursor.refused += 1
        return REFUSED, -1
    return INSERTED, slot


@kernel
def insert(state: State, rows: Rows, row: int, id_slot: int) -> int:
    """Write the transfer, link it to its accounts' previous ones, count it. Its sequence number."""
    ring = state.ring
    cursor = ring.cursor[0]
    seq = signed(cursor.next)
    cursor.next += 1
    cursor.inserted += 1
    if seq & ((1 << BLOCK_BITS) - 1) == 0:
        ring.clocks[(seq >> BLOCK_BITS) & (ring.clocks.size - 1)] = cursor.clock_us
    slot = slot_of(ring, seq)
    leg = ring.legs[slot]
    leg.src = rows.src[row]
    leg.dst = rows.dst[row]
    leg.ts_us = rows.ts_us[row]
    leg.amount_minor = rows.amount_minor[row]
    ring.products[slot] = rows.product[row]
    ring.currencies[slot] = rows.currency[row]
    ring.purposes[slot] = rows.purpose[row]
    payer = state.accounts.records[leg.src]
    payee = state.accounts.records[leg.dst]
    leg.back_out = link(seq, payer.last_out)
    leg.back_in = link(seq, payee.last_in)
    if leg.src != OUTSIDE_INDEX:
        payer.last_out = seq
    if leg.dst != OUTSIDE_INDEX:
        payee.last_in = seq
    count_transfer(state, slot, 1)
    count_pair(state, leg.src, leg.dst, seq)
    take(state.ids, id_slot, rows.digests[row], seq)
    return seq


@kernel
def expire_oldest(state: State) -> None:
    warm_expiring(state)
    cursor = state.ring.cursor[0]
    seq = signed(cursor.head)
    slot = slot_of(state.ring, seq)
    cursor.head += 1
    leg = state.ring.legs[slot]
    count_transfer(state, slot, -1)
    uncount_pair(state, leg.src, leg.dst, seq)


@kernel
def count_transfer(state: State, slot: int, sign: int) -> None:
    """Degrees, and sums of the one currency that is summed, of both ends; OUTSIDE has none."""
    leg = state.ring.legs[slot]
    summed = state.ring.currencies[slot] == state.rules[0].sum_currency
    amount_minor = sign * leg.amount_minor if summed else 0
    if leg.src != OUTSIDE_INDEX:
        payer = state.accounts.records[leg.src]
        payer.out_degree += sign
        payer.out_minor += amount_minor
    if leg.dst != OUTSIDE_INDEX:
        payee = state.accounts.records[leg.dst]
        payee.in_degree += sign
        payee.in_minor += amount_minor


@kernel
def report(state: State, rows: Rows, row: int) -> None:
    """Aggregates of the row's two accounts just after it; zeros for an account there was no room for."""
    src = max(signed(rows.src[row]), OUTSIDE_INDEX)
    dst = max(signed(rows.dst[row]), OUTSIDE_INDEX)
    payer = state.accounts.records[src]
    payee = state.accounts.records[dst]
    rows.out_degree[row] = payer.out_degree
    rows.out_minor[row] = payer.out_minor
    rows.payees[row] = payer.payees
    rows.in_degree[row] = payee.in_degree
    rows.in_minor[row] = payee.in_minor
    rows.payers[row] = payee.payers
    rows.marked_payers[row] = payee.marked_payers
