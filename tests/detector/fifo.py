"""First in, first out, said plainly: what flows.attribution.fifo, which is compiled, is held to.

An account is a queue of lots in the order in which they came in; a payment takes from the front (the
rule of Clayton's Case, Devaynes v Noble [1816]). What was there before the first leg is unknown: a
payment that finds the queue empty is paid from that, and belongs to no origin. All legs are of one
currency; amounts are int minor units and conserved exactly: of every account, what came in equals
what was drawn plus what is held, and of every origin, its amount equals what is held of it plus what
left the accounts that are followed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from services.detector.legs import Leg

UNKNOWN = -1
"""Origin of money that is not the suspicion's."""


class Lot(NamedTuple):
    """Part of the money of the transfer `origin`, `legs` transfers after and including it."""

    origin: int
    legs: int
    amount_minor: int


@dataclass(slots=True)
class Attribution:
    """`moved[seq]`: lots of known origin that the transfer carried, front of the queue first.
    `held[account]`: lots still there, of known and unknown origin. `uncovered[account]`: what it paid
    from money that was there before."""

    moved: dict[int, list[Lot]] = field(default_factory=dict)
    held: dict[int, deque[Lot]] = field(default_factory=dict)
    uncovered: dict[int, int] = field(default_factory=dict)

    def carried(self, seq: int, max_legs: int | None = None) -> int:
        """How much of the transfer's amount comes from the origins, by at most `max_legs` legs."""
        lots = self.moved.get(seq, ())
        return sum(lot.amount_minor for lot in lots if max_legs is None or lot.legs <= max_legs)

    def held_of(self, account: int) -> dict[int, int]:
        """What `account` still holds of each origin."""
        held: dict[int, int] = {}
        for lot in self.held.get(account, ()):
            if lot.origin != UNKNOWN:
                held[lot.origin] = held.get(lot.origin, 0) + lot.amount_minor
        return held


def fifo(legs: Iterable[Leg], origins: Collection[int], followed: Collection[int]) -> Attribution:
    """Follow the money of the transfers `origins` (sequence numbers) through the accounts `followed`.

    `legs`, in the order of (ts_us, seq), are all transfers in and out of those accounts. Money that
    reaches another account has left.
    """
    result = Attribution()
    for leg in legs:
        lots = _draw(result, leg) if leg.src in followed else [Lot(UNKNOWN, 0, leg.amount_minor)]
        if leg.seq in origins:
            lots = [Lot(leg.seq, 1, leg.amount_minor)]
        else:
            lots = [lot if lot.origin == UNKNOWN else lot._replace(legs=lot.legs + 1) for lot in lots]
        known = [lot for lot in lots if lot.origin != UNKNOWN]
        if known:
            result.moved[leg.seq] = known
        if leg.dst in followed:
            result.held.setdefault(leg.dst, deque()).extend(lots)
    return result


def _draw(result: Attribution, leg: Leg) -> list[Lot]:
    """Take the leg's amount from the front of its payer's queue."""
    queue = result.held.setdefault(leg.src, deque())
    wanted = leg.amount_minor
    taken: list[Lot] = []
    while wanted and queue:
        lot = queue.popleft()
        part = min(lot.amount_minor, wanted)
        if part < lot.amount_minor:
            queue.appendleft(lot._replace(amount_minor=lot.amount_minor - part))
        taken.append(lot._replace(amount_minor=part))
        wanted -= part
    if wanted:
        result.uncovered[leg.src] = result.uncovered.get(leg.src, 0) + wanted
        taken.append(Lot(UNKNOWN, 0, wanted))
    return taken
