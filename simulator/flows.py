"""One day's transfers as columns: collected from the processes, then sealed in time order."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.transaction import Purpose
from simulator.streams import Array, Ints

NONE: Final = -1


class Channel(IntEnum):
    transfer = 0
    card = 1
    online = 2
    custody = 3
    payroll = 4
    clearing = 5
    direct_debit = 6
    cash = 7
    cross_border = 8


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Rows of transfers. `product` and `pattern` index the register's tables, NONE for none;
    `instruction` 0 is none; `reversal` is the number of the transfer undone, 0 for none."""

    src: Array
    dst: Array
    amount: Array
    at: Array
    purpose: Array
    channel: Array
    product: Array
    instruction: Array
    reversal: Array
    pattern: Array

    def __len__(self) -> int:
        return len(self.src)

    def take(self, rows: npt.NDArray[Any]) -> Columns:
        return Columns(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def concatenate(parts: list[Columns]) -> Columns:
        return Columns(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Columns)))


def _empty() -> Columns:
    return Columns(*(np.empty(0, dtype=np.int64) for _ in fields(Columns)))


@dataclass(slots=True)
class Flows:
    """Collects one day. Scalars are broadcast; rows whose amount is not positive are left out."""

    day: int
    _parts: list[Columns] = field(default_factory=list)
    _instructions: int = 0

    def add(
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
    ) -> None:
        values = (src, dst, amount, at, int(purpose), int(channel), product, instruction, reversal, pattern)
        columns = Columns(
            *np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, dtype=np.int64)) for v in values))
        )
        moved = columns.amount > 0
        self._parts.append(columns if moved.all() else columns.take(moved))

    def instructions(self, n: int) -> Ints:
        """`n` numbers of clients' instructions, new in this world."""
        first = self.day * 10**8 + self._instructions + 1
        self._instructions += n
        return np.arange(first, first + n, dtype=np.int64)

    def seal(self) -> Columns:
        """All rows in time order; rows of the same second in the order in which they were added."""
        columns = Columns.concatenate([_empty(), *self._parts])
        return columns.take(np.argsort(columns.at, kind="stable"))
