"""First in, first out (Clayton's Case, Devaynes v Noble [1816]), compiled.

A lot is part of the money of one origin; each account followed is a queue of lots, a linked list in
one pool of nodes. Money in a lot is conserved: it is moved whole, or split where a payment ends.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from attribution.payments import Carried, Payments
from compiled import Int32s, Int64s, kernel, signed

_UNKNOWN: Final = -1
_NONE: Final = -1


class _Pool(NamedTuple):
    origin: Int32s
    legs: Int32s
    amount_minor: Int64s
    next: Int32s
    first: Int32s
    """Per account: front of its queue."""
    last: Int32s
    used: Int32s
    """One number: nodes taken."""


def carry(payments: Payments, accounts: int, max_legs: int) -> Carried:
    """See attribution.carry."""
    count = payments.amount_minor.size
    nodes = 2 * count
    pool = _Pool(
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int32),
        np.full(accounts, _NONE, np.int32),
        np.full(accounts, _NONE, np.int32),
        np.zeros(1, np.int32),
    )
    carried = Carried(np.zeros(count, np.int64), np.zeros(count, np.int64))
    follow_lots(payments, pool, carried, max_legs)
    return carried


@kernel
def follow_lots(payments: Payments, pool: _Pool, carried: Carried, max_legs: int) -> None:
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
        lot = pool.first[account]
        while lot != _NONE:
            if pool.origin[lot] != _UNKNOWN:
                carried.held[pool.origin[lot]] += pool.amount_minor[lot]
            lot = pool.next[lot]


@kernel
def draw(payments: Payments, pool: _Pool, carried: Carried, row: int, max_legs: int) -> int:
    """Take the payment from the front of its payer's queue and pass it on, unless it is an origin:
    that is new money. Returns what the queue did not cover."""
    payer = payments.payer[row]
    wanted = payments.amount_minor[row]
    behind = pool.last[payer]  # a payment to oneself queues up behind what was there before
    while wanted > 0 and pool.first[payer] != _NONE:
        lot = pool.first[payer]
        is_last = lot == behind
        if pool.amount_minor[lot] > wanted:
            pool.amount_minor[lot] -= wanted
            lot = new_lot(pool, pool.origin[lot], pool.legs[lot], wanted)
            is_last = True
        else:
            pool.first[payer] = pool.next[lot]
            if pool.first[payer] == _NONE:
                pool.last[payer] = _NONE
        wanted -= pool.amount_minor[lot]
        if not payments.is_origin[row]:
            take_leg(pool, carried, row, lot, max_legs)
            pass_lot(pool, payments.payee[row], lot)
        if is_last:
            break
    return signed(wanted)


@kernel
def take_leg(pool: _Pool, carried: Carried, row: int, lot: int, max_legs: int) -> None:
    if pool.origin[lot] != _UNKNOWN:
        pool.legs[lot] += 1
        if pool.legs[lot] <= max_legs:
            carried.by_legs[row] += pool.amount_minor[lot]


@kernel
def new_lot(pool: _Pool, origin: int, legs: int, amount_minor: int) -> int:
    lot = signed(pool.used[0])
    pool.used[0] += 1
    pool.origin[lot] = origin
    pool.legs[lot] = legs
    pool.amount_minor[lot] = amount_minor
    return lot


@kernel
def pass_lot(pool: _Pool, account: int, lot: int) -> None:
    """To the end of the queue of `account`; out of sight where it is not followed."""
    if account < 0:
        return
    pool.next[lot] = _NONE
    if pool.last[account] == _NONE:
        pool.first[account] = lot
    else:
        pool.next[pool.last[account]] = lot
    pool.last[account] = lot
