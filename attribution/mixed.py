"""Pro rata and the lowest intermediate balance, compiled: an account is a mixture, not a queue.

`money[account, origin, legs]` is what the account holds of each origin by the number of legs it has
come, the last of which stands for all beyond `max_legs`; `other[account]` is what belongs to none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attribution.payments import Carried, Payments
from compiled import Int32s, Int64s, kernel, signed


class _Mixture(NamedTuple):
    money: Int64s
    other: Int64s
    origin: Int32s
    """Of each payment its place among the origins; -1: it is none."""
    taken: Int64s
    """[origin, legs]: what the payment at hand takes."""


def carry(payments: Payments, accounts: int, max_legs: int, *, pro_rata: bool) -> Carried:
    """See attribution.carry."""
    count, origins = payments.amount_minor.size, int(payments.is_origin.sum())
    origin = np.where(payments.is_origin, np.cumsum(payments.is_origin) - 1, -1).astype(np.int32)
    mixture = _Mixture(
        np.zeros((accounts, origins, max_legs + 2), np.int64),
        np.zeros(accounts, np.int64),
        origin,
        np.zeros((origins, max_legs + 2), np.int64),
    )
    carried = Carried(np.zeros(count, np.int64), np.zeros(count, np.int64))
    follow_mixtures(payments, mixture, carried, pro_rata)
    carried.held[payments.is_origin] = mixture.money.sum(axis=(0, 2))
    return carried


@kernel
def follow_mixtures(payments: Payments, mixture: _Mixture, carried: Carried, pro_rata: bool) -> None:
    for row in range(payments.amount_minor.size):
        payer, payee = payments.payer[row], payments.payee[row]
        amount = payments.amount_minor[row]
        rest = amount
        mixture.taken[:] = 0
        if payer >= 0:
            rest = take_pro_rata(mixture, payer, amount) if pro_rata else take_last(mixture, payer, amount)
        if payments.is_origin[row]:
            carried.by_legs[row] = amount
            if payee >= 0:
                mixture.money[payee, mixture.origin[row], 1] += amount
        else:
            carried.by_legs[row] = pass_on(mixture, payee)
            if payee >= 0:
                mixture.other[payee] += rest


@kernel
def take_pro_rata(mixture: _Mixture, payer: int, amount: int) -> int:
    """Of each part amount ÷ balance, rounded so that the parts add up; returns what is no origin's.

    Parts are rounded by their running sum, in the order of origins and legs: each is within one minor
    unit of the exact one.
    """
    money = mixture.money[payer]
    balance = mixture.other[payer]
    for origin in range(money.shape[0]):
        for legs in range(money.shape[1]):
            balance += money[origin, legs]
    if amount >= balance:
        return take_all(mixture, payer, amount)
    so_far = 0
    given = 0
    for origin in range(money.shape[0]):
        for legs in range(money.shape[1]):
            if money[origin, legs] > 0:
                so_far += money[origin, legs]
                part = portion(so_far, amount, balance) - given
                given += part
                money[origin, legs] -= part
                mixture.taken[origin, legs] = part
    mixture.other[payer] -= amount - given
    return signed(amount - given)


@kernel
def take_last(mixture: _Mixture, payer: int, amount: int) -> int:
    """Other money first, then the oldest origin's; returns what is no origin's."""
    money = mixture.money[payer]
    own = min(mixture.other[payer], amount)
    mixture.other[payer] -= own
    wanted = amount - own
    for origin in range(money.shape[0]):
        for legs in range(money.shape[1]):
            part = min(money[origin, legs], wanted)
            money[origin, legs] -= part
            mixture.taken[origin, legs] = part
            wanted -= part
    return signed(own + wanted)


@kernel
def take_all(mixture: _Mixture, payer: int, amount: int) -> int:
    money = mixture.money[payer]
    rest = amount
    for origin in range(money.shape[0]):
        for legs in range(money.shape[1]):
            mixture.taken[origin, legs] = money[origin, legs]
            rest -= money[origin, legs]
            money[origin, legs] = 0
    mixture.other[payer] = 0
    return signed(rest)


@kernel
def pass_on(mixture: _Mixture, payee: int) -> int:
    """What was taken arrives one leg further on; out of sight where the payee is not followed. Returns
    how much came by at most `max_legs` legs, this one included."""
    beyond = mixture.taken.shape[1] - 1
    carried = 0
    for origin in range(mixture.taken.shape[0]):
        for legs in range(mixture.taken.shape[1]):
            part = mixture.taken[origin, legs]
            further = min(legs + 1, beyond)
            if further < beyond:
                carried += part
            if payee >= 0:
                mixture.money[payee, origin, further] += part
    return signed(carried)


@kernel
def portion(part: int, amount: int, whole: int) -> int:
    """part × amount ÷ whole, rounded down, for part <= whole < 2**62 and amount < whole: the product
    may need 124 bits, so it is divided as it is formed."""
    if part < 2**31 and amount < 2**31:
        return signed(part * amount // whole)
    quotient = 0
    remainder = 0
    for bit in range(61, -1, -1):
        quotient *= 2
        remainder *= 2
        if remainder >= whole:
            remainder -= whole
            quotient += 1
        if (part >> bit) & 1:
            remainder += amount
            if remainder >= whole:
                remainder -= whole
                quotient += 1
    return signed(quotient)
