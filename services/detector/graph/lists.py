"""Reading the graph as it was just after one row: an account's transfers, and their columns."""

from __future__ import annotations

from typing import Final, NamedTuple

from services.detector.graph.kernel import Array, Int32s, Int64s, Record, kernel, signed
from services.detector.graph.ring import first_since, slot_of
from services.detector.graph.state import State

INWARD: Final = 1
"""Against the flow: from a payee to its payers, from late to early."""
OUTWARD: Final = -1


class View(NamedTuple):
    """What a query may see: transfers of a range of sequence numbers and of time, both inclusive."""

    oldest: int
    newest: int
    since_us: int
    until_us: int


@kernel
def newest_of(state: State, account: int, direction: int) -> int:
    record = state.accounts.records[account]
    return signed(record.last_in if direction == INWARD else record.last_out)


@kernel
def earlier_than(leg: Record, seq: int, direction: int) -> int:
    """The account's transfer logged before `seq` in this direction, or -1."""
    back = signed(leg.back_in if direction == INWARD else leg.back_out)
    return seq - back if back != 0 else -1


@kernel
def lowest(state: State, view: View) -> int:
    return first_since(state.ring, view.since_us, view.oldest)


@kernel
def list_transfers(state: State, account: int, direction: int, view: View, found: Int64s) -> int:
    """Newest logged first, at most `found.size`; how many there are, `found.size` + 1 if more."""
    count = 0
    low = lowest(state, view)
    seq = newest_of(state, account, direction)
    while seq >= low and count <= found.size:
        leg = state.ring.legs[slot_of(state.ring, seq)]
        if seq <= view.newest and view.since_us <= leg.ts_us <= view.until_us:
            if count < found.size:
                found[count] = seq
            count += 1
        seq = earlier_than(leg, seq, direction)
    return count


@kernel
def is_busy(state: State, account: int, direction: int, view: View, low: int, most: int) -> bool:
    """More than `most` transfers in this direction, whatever their time up to the view's newest."""
    count = 0
    seq = newest_of(state, account, direction)
    while seq >= low and count <= most:
        leg = state.ring.legs[slot_of(state.ring, seq)]
        count += seq <= view.newest and leg.ts_us >= view.since_us
        seq = earlier_than(leg, seq, direction)
    return count > most


class Gathered(NamedTuple):
    """Columns of some transfers."""

    src: Int32s
    dst: Int32s
    ts_us: Int64s
    amount_minor: Int64s
    purpose: Array
    product: Int32s
    currency: Array


@kernel
def gather(state: State, seqs: Int64s, columns: Gathered) -> None:
    ring = state.ring
    for place in range(seqs.size):
        slot = slot_of(ring, seqs[place])
        leg = ring.legs[slot]
        columns.src[place] = leg.src
        columns.dst[place] = leg.dst
        columns.ts_us[place] = leg.ts_us
        columns.amount_minor[place] = leg.amount_minor
        columns.purpose[place] = ring.purposes[slot]
        columns.product[place] = ring.products[slot]
        columns.currency[place] = ring.currencies[slot]
