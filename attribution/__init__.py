"""Whose money left when money of several lay together. Every method conserves money to the minor unit.

What was in an account before its first transfer is unknown: a payment that finds nothing else is paid
from that, and belongs to no origin.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from attribution import fifo, mixed
from attribution.payments import Carried, Payments

__all__ = ["Carried", "Method", "Payments", "carry"]


class Method(StrEnum):
    fifo = "fifo"
    """First in, first out: Clayton's Case, Devaynes v Noble [1816] 1 Mer 572."""
    pro_rata = "pro_rata"
    """Each payment takes from everybody's money in proportion, as it then stands: the rolling charge,
    Barlow Clowes International v Vaughan [1992] 4 All ER 22."""
    lowest_balance = "lowest_balance"
    """The holder's other money leaves first (Re Hallett's Estate [1880] 13 Ch D 696), so of the
    origins' money never more remains than the lowest balance since (James Roscoe v Winder [1915] 1 Ch
    62); among origins the oldest leaves first."""


def carry(payments: Payments, accounts: int, max_legs: int, method: Method = Method.fifo) -> Carried:
    """Follow the origins' money through `accounts` accounts.

    Memory: fifo, two lots a payment; the others, accounts × origins × (max_legs + 2) amounts.
    """
    payments = Payments(*map(np.ascontiguousarray, payments))  # kernels are compiled once, for these
    if method is Method.fifo:
        return fifo.carry(payments, accounts, max_legs)
    return mixed.carry(payments, accounts, max_legs, pro_rata=method is Method.pro_rata)
