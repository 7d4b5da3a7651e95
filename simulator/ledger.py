"""Balances, and the rule that keeps them from going below zero.

What an account may spend in a day is what it held when the day began, less what today's processes
have claimed. Money received today can be passed on today only by the process that moved it in.
"""

from __future__ import annotations

import numpy as np

from simulator.flows import Columns
from simulator.register import OUTSIDE
from simulator.streams import Bools, Ints


class Ledger:
    """`spendable` and `balance` are in minor units, by account index. OUTSIDE is never out of money."""

    def __init__(self, opening: Ints) -> None:
        self.balance = opening.copy()
        self.spendable = opening.copy()

    def claim(self, src: Ints, amount: Ints) -> Bools:
        """Which of these payments the payers can make, in the order given; those are set aside."""
        order = np.argsort(src, kind="stable")
        payer, asked = src[order], np.maximum(amount[order], 0)
        running = np.cumsum(asked)
        first = np.searchsorted(payer, payer, side="left")
        before_first = running[first] - asked[first]
        affordable = (running - before_first <= self.spendable[payer]) | (payer == OUTSIDE)
        affordable &= asked > 0
        np.subtract.at(self.spendable, payer[affordable], asked[affordable])
        granted = np.empty(len(src), dtype=np.bool_)
        granted[order] = affordable
        return granted

    def claim_one(self, src: int, amount: int) -> bool:
        if amount <= 0 or (src != OUTSIDE and self.spendable[src] < amount):
            return False
        self.spendable[src] -= amount
        return True

    def settle(self, day: Columns) -> None:
        """Book a sealed day and open the next. No account may end a day below zero: a process that
        spends what it has not claimed or passed on is a defect of the simulator."""
        np.subtract.at(self.balance, day.src, day.amount)
        np.add.at(self.balance, day.dst, day.amount)
        assert self.balance[OUTSIDE + 1 :].min(initial=0) >= 0, "an account ended the day overdrawn"
        self.spendable = self.balance.copy()
