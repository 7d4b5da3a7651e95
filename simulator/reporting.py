"""Which bank reports a transfer, and when: now and then only days later.

A bank whose link to the supervisor is down sends what piled up once it is back; a batch that was lost is
missed in a reconciliation, and sent again. The world itself does not notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from schemas.instant import DAY, HOUR, MINUTE
from simulator import parameters as p
from simulator.dates import Date
from simulator.flows import Columns
from simulator.register import OUTSIDE, Register
from simulator.streams import Array, Ints, stream

INTERVAL_US: Final = 15 * MINUTE
"""Each bank sends a batch a quarter of an hour."""
_A_DAY: Final = DAY // INTERVAL_US


class Delay(NamedTuple):
    """What `bank` had to report of [from_us, until_us) is sent at `sent_us`."""

    bank: int
    from_us: int
    until_us: int
    sent_us: int


def banks_of(register: Register) -> Array:
    """By account: the number of its bank."""
    number = {bank: index for index, bank in enumerate(register.banks)}
    return np.array([number.get(row.bank, 0) for row in register.accounts])


def reporting_banks(bank_of: Array, columns: Columns) -> Array:
    """Number of the bank that reports each row: the payer's, or the payee's for money from outside."""
    return bank_of[np.where(columns.src == OUTSIDE, columns.dst, columns.src)]


def delays(seed: int, banks: int, start_us: int, days: int) -> tuple[Delay, ...]:
    """Of the first `banks`, in a world so long. A longer world begins with those of a shorter one."""
    return tuple(
        delay
        for day in range(days)
        for bank in range(banks)
        for delay in _of_day(stream(seed, "late reports", bank, day), bank, Date(day, start_us))
    )


def _of_day(rng: np.random.Generator, bank: int, date: Date) -> Iterator[Delay]:
    """An outage that begins on the day, and lost batches of it."""
    outage, began, hours = rng.random() < p.OUTAGES_A_YEAR / 365, rng.random(), rng.random()
    if outage:
        from_us = date.begin_us + int(began * _A_DAY) * INTERVAL_US
        least, most = p.OUTAGE_HOURS
        until_us = from_us + round(least * (most / least) ** hours) * HOUR
        yield Delay(bank, from_us, until_us, until_us + HOUR)
    for quarter in np.flatnonzero(rng.random(_A_DAY) < p.LOST_BATCHES).tolist():
        from_us = date.begin_us + quarter * INTERVAL_US
        missed_after = int(rng.integers(*p.LOST_FOR_DAYS)) * DAY
        yield Delay(bank, from_us, from_us + INTERVAL_US, from_us + missed_after)


def sent_late(delays: tuple[Delay, ...], banks: Array, at: Ints) -> Ints:
    """When each row is sent, 0 where it is so in time; `banks` report them. The latest of several counts."""
    sent: Ints = np.zeros_like(at)
    for bank, from_us, until_us, sent_us in delays:
        rows = (banks == bank) & (at >= from_us) & (at < until_us)
        sent[rows] = np.maximum(sent[rows], sent_us)
    return sent
