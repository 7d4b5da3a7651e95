"""The newest payments into the few accounts that are paid by thousands, side by side in memory.

Whoever follows money meets the same crowded accounts again and again, and of each the same thousands of
payments; so does who looks at one of them every day. They are copied once; at each later look only what has
come since is added. A copy is of transfers that follow one another in the log of the account: what is older
is read along the links.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int64s, Record, kernel, signed
from services.detector.graph.lists import (
    EDGE,
    INWARD,
    View,
    earlier_than,
    is_in_view,
    list_from,
    list_transfers,
    write_edge,
)
from services.detector.graph.ring import Ring, first_since, slot_of

_CROWD: Final = 512
_COPIES: Final = 64
_LENGTH: Final = 4_096
"""Twice as many as one search reads."""

COPY: Final = np.dtype(
    [
        ("account", "<i8"),
        ("looked", "<i8"),  # the number of the last look at it
        ("written", "<i8"),  # payments in all, of which the last are held
        ("newest", "<i8"),  # sequence number of the last
    ]
)


class Crowded(NamedTuple):
    """Where all copies are taken, the one not looked at for longest gives way."""

    least: int
    """Live transfers into an account from which on it is copied."""
    payments: Array
    """EDGE records by (copy, place): of each copy as many as a power of two."""
    copies: Array
    looks: Int64s
    """One number: how many there were."""


def new_crowded(least: int = _CROWD, copies: int = _COPIES, length: int = _LENGTH) -> Crowded:
    """Memory: 39 bytes a payment, 10 MB; what is not touched of it is not resident."""
    payments = np.zeros((copies, length), EDGE)
    held = np.zeros(copies, COPY)
    held["account"] = -1
    return Crowded(least, payments, held, np.zeros(1, np.int64))


@kernel
def copy_of(ring: Ring, accounts: Array, crowded: Crowded, account: int) -> int:
    """The number of the account's copy, which holds its newest payments in; -1: it is not crowded."""
    if accounts[account].in_degree < crowded.least:
        return -1
    crowded.looks[0] += 1
    number = 0
    for each in range(crowded.copies.size):
        if crowded.copies[each].account == account:
            number = each
            break
        if crowded.copies[each].looked < crowded.copies[number].looked:
            number = each
    copy = crowded.copies[number]
    if copy.account != account:
        copy.account = account
        copy.written = 0
        copy.newest = -1
    copy.looked = crowded.looks[0]
    take_newer(ring, crowded, number, signed(accounts[account].last_in))
    return number


@kernel
def take_newer(ring: Ring, crowded: Crowded, number: int, newest: int) -> None:
    """Add the live payments up to the `newest` that were logged after those the copy holds. If some between
    are not live any more, it holds those before no longer."""
    copy = crowded.copies[number]
    known, oldest = signed(copy.newest), signed(ring.cursor[0].head)
    more, seq = 0, newest
    while seq > known and seq >= oldest and more < crowded.payments.shape[1]:
        more += 1
        seq = earlier_than(ring.legs[slot_of(ring, seq)], seq, INWARD)
    if seq > known:
        copy.written = 0
    copy.written += more
    copy.newest = newest
    seq = newest
    for nth in range(more):
        slot = slot_of(ring, seq)
        write_edge(ring, slot, seq, paid_in(crowded, number, nth))
        seq = earlier_than(ring.legs[slot], seq, INWARD)


@kernel
def copied(crowded: Crowded, number: int) -> int:
    """How many payments the copy holds; of no copy: none."""
    return min(signed(crowded.copies[number].written), crowded.payments.shape[1]) if number >= 0 else 0


@kernel
def paid_in(crowded: Crowded, number: int, nth: int) -> Record:
    """The nth newest payment of a copy, from 0."""
    last = signed(crowded.copies[number].written) - 1
    return crowded.payments[number, (last - nth) & (crowded.payments.shape[1] - 1)]


class Payment(NamedTuple):
    """One into an account."""

    ts_us: int
    src: int
    amount_minor: int
    currency: int


@kernel
def payment_at(ring: Ring, crowded: Crowded, number: int, nth: int, seq: int) -> Payment:
    """The nth newest into an account, numbered `seq`; `number`: that of the account's copy."""
    if nth < copied(crowded, number):
        paid = paid_in(crowded, number, nth)
        return Payment(signed(paid.ts_us), signed(paid.src), signed(paid.amount_minor), signed(paid.currency))
    slot = slot_of(ring, seq)
    leg = ring.legs[slot]
    return Payment(
        signed(leg.ts_us), signed(leg.src), signed(leg.amount_minor), signed(ring.currencies[slot])
    )


@kernel
def payment_before(ring: Ring, crowded: Crowded, number: int, nth: int, seq: int) -> int:
    """The number of the one before it, -1: none."""
    if nth + 1 < copied(crowded, number):
        return signed(paid_in(crowded, number, nth + 1).seq)
    return earlier_than(ring.legs[slot_of(ring, seq)], seq, INWARD)


@kernel
def list_payments(
    ring: Ring, accounts: Array, crowded: Crowded, account: int, view: View, room: Array
) -> tuple[int, bool]:
    """list_transfers() into the account. For less room than a crowd needs nothing is copied."""
    number = copy_of(ring, accounts, crowded, account) if room.size >= crowded.least else -1
    if number < 0:
        return list_transfers(ring, accounts, account, INWARD, view, room)
    count, ordered = 0, True
    low = first_since(ring, view.since_us, view.oldest)
    held = copied(crowded, number)
    for nth in range(held):
        paid = paid_in(crowded, number, nth)
        if paid.seq < low or count > room.size:
            return count, ordered
        if is_in_view(view, paid, signed(paid.seq)):
            if count < room.size:
                place = room.size - 1 - count
                room[place] = paid
                ordered = ordered and (count == 0 or paid.ts_us <= room[place + 1].ts_us)
            count += 1
    older = payment_before(ring, crowded, number, held - 1, signed(paid_in(crowded, number, held - 1).seq))
    return list_from(ring, older, INWARD, view, room, count, ordered)
