"""The state one transfer changes, and how: what is kept of each account and each pair, row by row.

A transfer is live from its row until the clock has passed its time by window + lateness, for it and
for every transfer logged before it; so a late transfer may stay a little longer than its time, and
never less. All of it depends on the rows in their order only, not on how they came in batches.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from services.detector.graph.accounts import OUTSIDE_INDEX, Accounts
from services.detector.graph.kernel import (
    Array,
    Bools,
    Int8s,
    Int16s,
    Int32s,
    Int64s,
    Record,
    kernel,
    signed,
)
from services.detector.graph.ring import (
    BLOCK_BITS,
    Ring,
    link,
    slot_of,
)
from services.detector.graph.table import (
    FREE,
    Table,
    address,
    find,
    is_crowded,
    make_room,
    mix,
    remove,
    resize,
    seek,
    shard_of,
    take,
)

RULES: Final = np.dtype(
    [
        ("window_us", "<i8"),
        ("lateness_us", "<i8"),
        ("max_transfers", "<i8"),
        ("counted_marks", "<u4"),
        ("sum_currency", "<i4"),
    ]
)

INSERTED: Final = 0
DUPLICATE: Final = 1
TOO_LATE: Final = 2
REFUSED: Final = 3

_LOW_31: Final = 2**31 - 1


class State(NamedTuple):
    ring: Ring
    accounts: Accounts
    pairs: Table
    """(payer, payee) to the number of live transfers between them."""
    ids: Table
    """Fingerprint to the low 31 bits of the sequence number. Expired ones leave at the next rehash."""
    rules: Array


class Rows(NamedTuple):
    """Columns of one batch: what it says, then what became of each row."""

    src: Int32s
    dst: Int32s
    ts_us: Int64s
    amount_minor: Int64s
    purpose: Int8s
    currency: Int16s
    product: Int32s
    digests: Array
    seq: Int64s
    as_of: Int64s
    head: Int64s
    clock_us: Int64s
    status: Int8s
    late: Bools
    in_degree: Int32s
    out_degree: Int32s
    in_minor: Int64s
    out_minor: Int64s
    payers: Int32s
    payees: Int32s
    marked_payers: Int32s


@kernel
def apply_rows(state: State, rows: Rows) -> None:
    """Each row as if it came alone: clock, expiry, lateness, duplicates, insertion, aggregates."""
    cursor = state.ring.cursor[0]
    rules = state.rules[0]
    for row in range(rows.ts_us.size):
        ts_us = rows.ts_us[row]
        if ts_us > cursor.clock_us:
            cursor.clock_us = ts_us
        horizon_us = cursor.clock_us - rules.window_us - rules.lateness_us
        while (
            cursor.head < cursor.next and state.ring.legs[slot_of(state.ring, cursor.head)].ts_us < horizon_us
        ):
            expire_oldest(state)
            cursor.expired += 1
        late = ts_us < cursor.clock_us - rules.lateness_us
        status = admit(state, rows, row, horizon_us)
        rows.seq[row] = -1
        if status == INSERTED:
            if cursor.next - cursor.head >= rules.max_transfers:
                expire_oldest(state)
                cursor.shortened += 1
            rows.seq[row] = insert(state, rows, row)
            cursor.late += late
        rows.status[row] = status
        rows.late[row] = late
        rows.as_of[row] = cursor.next - 1
        rows.head[row] = cursor.head
        rows.clock_us[row] = cursor.clock_us
        report(state, rows, row)


@kernel
def admit(state: State, rows: Rows, row: int, horizon_us: int) -> int:
    """What is to become of a row. Makes room for it where it is to be inserted."""
    cursor = state.ring.cursor[0]
    src = rows.src[row]
    dst = rows.dst[row]
    if rows.ts_us[row] < horizon_us:
        cursor.too_late += 1
        return TOO_LATE
    if is_duplicate(state, rows.digests[row]):
        cursor.duplicates += 1
        return DUPLICATE
    refused = src < 0 or dst < 0 or not make_id_room(state, rows.digests[row])
    if refused or not make_room(state.pairs, pair_key(src, dst)):
        cursor.refused += 1
        return REFUSED
    return INSERTED


@kernel
def live_seq(cursor: Record, low_bits: int) -> int:
    """Sequence number of these low 31 bits, at most 2^31 back."""
    return signed(cursor.next - ((cursor.next - low_bits) & _LOW_31))


@kernel
def is_duplicate(state: State, digest: np.uint64) -> bool:
    slot = find(state.ids, digest)
    cursor = state.ring.cursor[0]
    return bool(slot >= 0 and live_seq(cursor, state.ids.slots[slot].value) >= cursor.head)


@kernel
def make_id_room(state: State, digest: np.uint64) -> bool:
    """Room for a fingerprint; a crowded shard first forgets what has expired."""
    shard = shard_of(mix(digest))
    if is_crowded(state.ids, shard):
        cursor = state.ring.cursor[0]
        for position in range(state.ids.sizes[shard]):
            slot = state.ids.slots[address(shard, position)]
            if slot.key != FREE and live_seq(cursor, slot.value) < cursor.head:
                slot.key = FREE
                state.ids.used[shard] -= 1
        resize(state.ids, shard)
    return bool(state.ids.used[shard] + 1 < state.ids.sizes[shard])


@kernel
def insert(state: State, rows: Rows, row: int) -> int:
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
    count_pair(state, leg.src, leg.dst)
    remember_id(state, rows.digests[row], seq)
    return seq


@kernel
def remember_id(state: State, digest: np.uint64, seq: int) -> None:
    slot = seek(state.ids, digest)
    if state.ids.slots[slot].key == FREE:
        take(state.ids, slot, digest, seq & _LOW_31)
    else:
        state.ids.slots[slot].value = seq & _LOW_31


@kernel
def expire_oldest(state: State) -> None:
    cursor = state.ring.cursor[0]
    slot = slot_of(state.ring, cursor.head)
    cursor.head += 1
    leg = state.ring.legs[slot]
    count_transfer(state, slot, -1)
    uncount_pair(state, leg.src, leg.dst)


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
def pair_key(src: int, dst: int) -> np.uint64:
    return (np.uint64(src) << np.uint64(32)) | np.uint64(dst)


@kernel
def are_neighbours(src: int, dst: int) -> bool:
    return src != dst and src != OUTSIDE_INDEX and dst != OUTSIDE_INDEX


@kernel
def count_pair(state: State, src: int, dst: int) -> None:
    """One more live transfer from `src` to `dst`; the first makes them neighbours."""
    if not are_neighbours(src, dst):
        return
    key = pair_key(src, dst)
    slot = seek(state.pairs, key)
    if state.pairs.slots[slot].key == FREE:
        take(state.pairs, slot, key, 1)
        count_neighbour(state, src, dst, 1)
    else:
        state.pairs.slots[slot].value += 1


@kernel
def uncount_pair(state: State, src: int, dst: int) -> None:
    if not are_neighbours(src, dst):
        return
    slot = find(state.pairs, pair_key(src, dst))
    state.pairs.slots[slot].value -= 1
    if state.pairs.slots[slot].value == 0:
        remove(state.pairs, slot)
        count_neighbour(state, src, dst, -1)


@kernel
def count_neighbour(state: State, src: int, dst: int, sign: int) -> None:
    payer = state.accounts.records[src]
    payee = state.accounts.records[dst]
    payer.payees += sign
    payee.payers += sign
    if payer.marks & state.rules[0].counted_marks != 0:
        payee.marked_payers += sign


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


@kernel
def add_marks(state: State, index: int, marks: int) -> None:
    """Set mark bits; an account that becomes a counted one is counted at each of its live payees."""
    account = state.accounts.records[index]
    counted = state.rules[0].counted_marks
    was_counted = account.marks & counted != 0
    account.marks |= np.uint32(marks)
    if index == OUTSIDE_INDEX or was_counted or account.marks & counted == 0:
        return
    seq = account.last_out
    while seq >= state.ring.cursor[0].head:
        leg = state.ring.legs[slot_of(state.ring, seq)]
        slot = find(state.pairs, pair_key(index, leg.dst)) if are_neighbours(index, leg.dst) else -1
        if slot >= 0 and state.pairs.slots[slot].value > 0:
            state.accounts.records[leg.dst].marked_payers += 1
            state.pairs.slots[slot].value *= -1  # seen
        if leg.back_out == 0:
            break
        seq -= leg.back_out
    unsee(state, index)


@kernel
def unsee(state: State, index: int) -> None:
    """Undo the sign by which add_marks() knows a payee it has seen."""
    account = state.accounts.records[index]
    seq = account.last_out
    while seq >= state.ring.cursor[0].head:
        leg = state.ring.legs[slot_of(state.ring, seq)]
        slot = find(state.pairs, pair_key(index, leg.dst)) if are_neighbours(index, leg.dst) else -1
        if slot >= 0:
            state.pairs.slots[slot].value = abs(state.pairs.slots[slot].value)
        if leg.back_out == 0:
            break
        seq -= leg.back_out
