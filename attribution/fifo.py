"""First in, first out (Clayton's Case, Devaynes v Noble [1816]), compiled.

A lot is part of the money of one origin; each account followed is a queue of lots, a linked list in
one pool. Money in a lot is conserved: it is moved whole, or split where a payment ends.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from attribution.payments import Carried, Payments
from compiled import Array, Int32s, Record, direct, kernel, signed

_UNKNOWN: Final = -1
_NONE: Final = -1


LOT: Final = np.dtype([("amount_minor", "<i8"), ("origin", "<i4"), ("legs", "<i4"), ("next", "<i4")])


class _Pool(NamedTuple):
    lots: Array
    """Of LOT."""
    first: Int32s
    """Per account: front of its queue."""
    last: Int32s
    used: Int32s
    """One number: lots taken."""


def carry(payments: Payments, accounts: int, max_legs: int) -> Carried:
    """See attribution.carry."""
    count = payments.amount_minor.size
    first, last = np.empty((2, accounts), np.int32)
    pool = _Pool(np.empty(2 * count, LOT), first, last, np.zeros(1, np.int32))
    carried = Carried(*np.zeros((2, count), np.int64))
    _follow_lots(payments, pool, carried, max_legs)
    return carried


@kernel
def follow_lots(payments: Payments, pool: _Pool, carried: Carried, max_legs: int) -> None:
    pool.first[:] = _NONE
    pool.last[:] = _NONE
    for row in range(payments.amount_minor.size):
        unpaid = payments.amount_minor[row]
        if payments.payer[row] >= 0:
            unpaid = draw(payments, pool, carried, row, max_legs)
        if unpaid > 0 and not payments.is_origin[row]:
            pass_lot(pool, payments.payee[row], new_lot(pool, _UNKNOWN, 0, unpaid))
        if payments.is_origin[row]:
            amount = payments.amount_minor[row]
            carried.by_legs[row] = amount
            pass_lot(pool, payments.payee[row], new_lot(pool, row, 1, amount))
    for account in range(pool.first.size):
        at = pool.first[account]
        while at != _NONE:
            lot = pool.lots[at]
            if lot.origin != _UNKNOWN:
                carried.held[lot.origin] += lot.amount_minor
            at = lot.next


_follow_lots: Final = direct(follow_lots)


@kernel
def draw(payments: Payments, pool: _Pool, carried: Carried, row: int, max_legs: int) -> int:
    """Take the payment from the front of its payer's queue and pass it on, unless it is an origin:
    that is new money. Returns what the queue did not cover."""
    payer = payments.payer[row]
    wanted = payments.amount_minor[row]
    behind = pool.last[payer]  # a payment to oneself queues up behind what was there before
    while wanted > 0 and pool.first[payer] != _NONE:
        at = pool.first[payer]
        lot, is_last = pool.lots[at], at == behind
        if lot.amount_minor > wanted:
            lot.amount_minor -= wanted
            at = new_lot(pool, lot.origin, lot.legs, wanted)
            is_last = True
        else:
            pool.first[payer] = lot.next
            if pool.first[payer] == _NONE:
                pool.last[payer] = _NONE
        wanted -= pool.lots[at].amount_minor
        if not payments.is_origin[row]:
            take_leg(pool.lots[at], carried, row, max_legs)
            pass_lot(pool, payments.payee[row], at)
        if is_last:
            break
    return signed(wanted)


@kernel
def take_leg(lot: Record, carried: Carried, row: int, max_legs: int) -> None:
    if lot.origin != _UNKNOWN:
        lot.legs += 1
        if lot.legs <= max_legs:
            carried.by_legs[row] += lot.amount_minor


@kernel
def new_lot(pool: _Pool, origin: int, legs: int, amount_minor: int) -> int:
    at = signed(pool.used[0])
    pool.used[0] += 1
    lot = pool.lots[at]
    lot.origin = origin
    lot.legs = legs
    lot.amount_minor = amount_minor
    return at


@kernel
def pass_lot(pool: _Pool, account: int, lot: int) -> None:
    """To the end of the queue of `account`; out of sight where it is not followed."""
    if account < 0:
        return
    pool.lots[lot].next = _NONE
    if pool.last[account] == _NONE:
        pool.first[account] = lot
    else:
        pool.lots[pool.last[account]].next = lot
    pool.last[account] = lot
