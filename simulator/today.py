"""What a process sees of the day it acts on, and how it moves money."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from schemas.transaction import Purpose
from simulator.cast import Cast
from simulator.dates import Date
from simulator.flows import NONE, Channel, Columns, Flows
from simulator.ledger import Ledger
from simulator.loans import Loan
from simulator.streams import Bools, Ints, stream


@dataclass(slots=True)
class Today:
    """`yesterday` is the sealed day before and `yesterday_first` the number of its first transfer.
    `disbursed`: loans paid out today. `owed`: what each payment institution says this evening it owes
    its clients, by reserve account. `proven`: patterns whose transfers up to tonight are enough to prove
    them. `finished`: patterns whose last transfer is planned or made."""

    seed: int
    date: Date
    cast: Cast
    ledger: Ledger
    flows: Flows
    yesterday: Columns | None
    yesterday_first: int
    disbursed: list[Loan] = field(default_factory=list)
    owed: dict[int, int] = field(default_factory=dict)
    proven: set[int] = field(default_factory=set)
    finished: set[int] = field(default_factory=set)

    @property
    def day(self) -> int:
        return self.date.number

    def stream(self, *name: str | int) -> np.random.Generator:
        return stream(self.seed, *name, self.day)

    def pay(
        self,
        src: Ints | int,
        dst: Ints | int,
        amount: Ints | int,
        at: Ints | int,
        purpose: Purpose,
        *,
        channel: Channel = Channel.transfer,
        product: int = NONE,
        instruction: Ints | int = 0,
        reversal: Ints | int = 0,
        pattern: Ints | int = NONE,
    ) -> Bools:
        """Move what the payers can afford; the mask says which rows were. See Flows.add, Ledger.claim."""
        payer, payee, asked, when, ref, undone, label = (
            np.array(column)
            for column in np.broadcast_arrays(
                *(
                    np.atleast_1d(np.asarray(v, dtype=np.int64))
                    for v in (src, dst, amount, at, instruction, reversal, pattern)
                )
            )
        )
        granted = self.ledger.claim(payer, asked)
        self.flows.add(
            payer[granted],
            payee[granted],
            asked[granted],
            when[granted],
            purpose,
            channel=channel,
            product=product,
            instruction=ref[granted],
            reversal=undone[granted],
            pattern=label[granted],
        )
        return granted


class Business(Protocol):
    """An honest process. It keeps its own state, and acts once a day, in the order of the tuple."""

    def act(self, today: Today) -> None: ...


Script = Generator[None, Today, None]
"""A planted case: a coroutine that is sent each day in turn, after every honest business has acted."""
