"""The newest payments into the few accounts that are paid by thousands, side by side in memory.

Whoever follows money meets the same crowded accounts again and again, and of each the same thousands of
payments. They are copied once; at each later look only what has come since is added. A copy is of
transfers that follow one another in the log of the account: what is older is read along the links.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int64s, Record, aligned, kernel, signed
from services.detector.graph.lists import INWARD, earlier_than
from services.detector.graph.ring import Ring, slot_of

_CROWD: Final = 512
_COPIES: Final = 32
_LENGTH: Final = 4_096
"""Twice as many as one search reads."""

PAID: Final = np.dtype(
    [("seq", "<i8"), ("ts_us", "<i8"), ("amount_minor", "<i8"), ("src", "<i4"), ("currency", "<i4")]
)
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
    """(copy, place): of each copy as many as a power of two."""
    copies: Array
    looks: Int64s
    """One number: how many there were."""


def new_crowded(least: int = _CROWD, copies: int = _COPIES, length: int = _LENGTH) -> Crowded:
    """Memory: 32 bytes a payment, 4 MB; what is not touched of it is not resident."""
    payments = aligned(copies * length, PAID).reshape(copies, length)
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
        leg, paid = ring.legs[slot], paid_in(crowded, number, nth)
        paid.seq = seq
        paid.ts_us = leg.ts_us
        paid.amount_minor = leg.amount_minor
        paid.src = leg.src
        paid.currency = ring.currencies[slot]
        seq = earlier_than(leg, seq, INWARD)


@kernel
def copied(crowded: Crowded, number: int) -> int:
    """How many payments the copy holds; of no copy: none."""
    return min(signed(crowded.copies[number].written), crowded.payments.shape[1]) if number >= 0 else 0


@kernel
def paid_in(crowded: Crowded, number: int, nth: int) -> Record:
    """The nth newest payment of a copy, from 0."""
    last = signed(crowded.copies[number].written) - 1
    return crowded.payments[number, (last - nth) & (crowded.payments.shape[1] - 1)]
