"""What a payment in says of its payer: whether it is evidence that he is an institution's client.

It is *strong* evidence when the feed says that it is an investment or a recharge, or names an institution's
product (a transfer that names one, to somebody who is not of the institution, is a claim that he sells on:
weak); *weak* when it says nothing telling; else it is everyday business. What is paid to an account that
stands in front of another (services.detector.flows.fronts) is weak evidence where it is large, whatever it
is said to be.

An account may have thousands of payments, so they are weighed in compiled code.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int32s, kernel, signed
from schemas.transaction import Purpose
from services.detector.books.payers import Telling
from services.detector.distinct import number_of
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.purposes import bits_of

STRONG: Final = frozenset({Purpose.invest, Purpose.recharge})
WEAK: Final = frozenset({Purpose.unknown, Purpose.transfer, Purpose.top_up, Purpose.repay, Purpose.fee})
"""A fee is weak evidence only where it is neither small nor filed."""
NO_INSTITUTION: Final = -1
NOBODY: Final = -1

_STRONG_BITS: Final = bits_of(STRONG)
_TELLING_BITS: Final = bits_of(STRONG | WEAK)
_FEE: Final = int(Purpose.fee)
_TRANSFER: Final = int(Purpose.transfer)
_UNKNOWN: Final = int(Purpose.unknown)


def telling(small_fee_minor: int) -> Telling:
    """Payments that could make their payers clients. Those that may be strong evidence are stated: all that
    counts where an account is of everyday business."""
    return Telling(_TELLING_BITS, _STRONG_BITS, 1 << _FEE, small_fee_minor)


class Rule(NamedTuple):
    """Whose payments in, in which currency, and what tells them apart."""

    account: int
    currency: int
    small_fee_minor: int
    min_deposit_minor: int
    tied: bool
    everyday: bool
    licensed: bool
    takes_fees: bool
    """It is registered for fees: small payments that say nothing are fees too."""


WEIGHED: Final = np.dtype(
    [
        ("payer", "<i4"),  # its payer's number, NOBODY where it is not somebody else's in the currency
        ("account", "<i4"),  # of the payer whose number is the place
        ("tells", "?"),  # whether some payment of that payer counts that could make him a client
        ("strong", "?"),  # whether it is evidence, and which
        ("weak", "?"),
    ],
    align=True,
)
"""By payment, and by payer's number."""


class Asked(NamedTuple):
    """Of payments in the order of time those from place `first` on; those later than `reported_us` are
    new."""

    first: int
    reported_us: int
    min_clients: int


class Gathered(NamedTuple):
    """What clients paid in: how many, in how many payments, how many of these are strong evidence, how much;
    whether the feed leaves a purpose out. When they first paid and last, when `min_clients` of them had, and
    when they first paid after what was reported; 0: they did not."""

    clients: int
    payments: int
    strong: int
    minor: int
    unstated: bool
    first_us: int
    last_us: int
    enough_us: int
    later_us: int


@kernel
def weigh(
    payments: Array,
    first: int,
    rule: Rule,
    named: Int32s,
    is_filed: Bools,
    numbers: Array,
    weighed: Array,
) -> int:
    """How many payers tell, by the payments from place `first` on. `named`: of each payment the institution
    whose product it names; `is_filed`: whether it is a fee within the filed rate; each is empty where none
    is."""
    telling = 0
    for place in range(first, payments.size):
        paid = payments[place]
        if paid.currency != rule.currency or paid.src == OUTSIDE_INDEX or paid.src == rule.account:
            weighed[place].payer = NOBODY
            continue
        payer = number_of(numbers, paid.src)
        weighed[place].payer = payer
        weighed[payer].account = paid.src
        own = paid.dst == rule.account
        is_fee = paid.purpose == _FEE or (own and rule.takes_fees and paid.purpose == _UNKNOWN)
        says = _TELLING_BITS >> paid.purpose & 1 != 0
        if is_fee and paid.amount_minor <= rule.small_fee_minor:
            says = False
        if not own:
            says = says or paid.amount_minor >= rule.min_deposit_minor
        elif is_filed.size and is_filed[place]:
            says = False
        if not says:
            continue
        strong = _STRONG_BITS >> paid.purpose & 1 != 0
        if not named.size or named[place] == NO_INSTITUTION:
            strong = strong and not rule.everyday
        elif rule.tied or paid.purpose != _TRANSFER:
            strong = strong or not rule.licensed
        weak = not strong and not rule.licensed
        weighed[place].strong = strong
        weighed[place].weak = weak
        if (strong or (weak and not rule.everyday)) and not weighed[payer].tells:
            weighed[payer].tells = True
            telling += 1
    return telling


@kernel
def gather(
    payments: Array,
    weighed: Array,
    chosen: Bools,
    number: Int32s,
    asked: Asked,
    client: Int32s,
    has_paid: Bools,
) -> tuple[int, int, int, int, bool, int, int, int, int]:
    """Gathered, of the payments `chosen`. `number`: of each payer his entity's; `client`: filled with it,
    NOBODY where the payment is not chosen; `has_paid`: room by entity."""
    clients = 0
    count = 0
    strong = 0
    minor = 0
    unstated = False
    first_us = 0
    last_us = 0
    enough_us = 0
    later_us = 0
    for place in range(payments.size):
        client[place] = NOBODY
        if place < asked.first or not chosen[place]:
            continue
        paid = payments[place]
        entity = signed(number[weighed[place].payer])
        client[place] = entity
        last_us = signed(paid.ts_us)
        if count == 0:
            first_us = last_us
        if later_us == 0 and last_us > asked.reported_us:
            later_us = last_us
        if not has_paid[entity]:
            has_paid[entity] = True
            clients += 1
            if clients == asked.min_clients:
                enough_us = last_us
        count += 1
        strong += weighed[place].strong
        minor += paid.amount_minor
        unstated = unstated or paid.purpose == _UNKNOWN
    return clients, count, strong, minor, unstated, first_us, last_us, enough_us, later_us
