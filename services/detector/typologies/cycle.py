"""环形转账: money goes from hand to hand among strangers and back to where it began.

Four to ten accounts in a ring, each paying the next after it was paid, none of whom had dealt with the
next before, within three weeks; no leg carries less than a quarter or more than four times of the last one.
Round-tripping follows the money of one payment; here hands may keep or add what they like, and what is
suspect is that a ring closes at all among people who do not know each other (AMLSim's "cycle").

Friends who settle up, a family, traders of one place know each other; three may be two friends and a
shop. The legs looked through are the typology's own memory, for the search on every transfer finds the
shortest ring, which is mostly one of old acquaintances.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.books.strangers import Strangers, between_strangers
from services.detector.graph.kernel import Bools
from services.detector.legs import legs_of
from services.detector.shape_findings import LAW, LOOK_ALIKES, NEEDS, NEW, finding, named
from services.detector.typology import (
    Candidates,
    Context,
    Outcome,
    Step,
    Transfer,
    Typology,
    factor,
    greatest,
    in_force,
    parameter,
)

_LATEST: Final = 50
"""Legs into one account that are looked through."""


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(21, "assumption: three weeks; in a longer time rings close by accident")
    min_legs: int = parameter(4, "assumption: a ring of three may be friends")
    max_legs: int = parameter(10, "assumption: as round-tripping's K")
    least_permille: int = parameter(250, "assumption: as the searches on every transfer")
    most_permille: int = parameter(4_000, "assumption: as the searches on every transfer")
    max_accounts: int = parameter(500, "bound on the accounts of one search")


class _Seen(NamedTuple):
    """A leg between strangers, as its payee remembers it."""

    ts_us: int
    seq: int
    src: int
    amount_minor: int
    currency: int


class Cycle(Typology):
    id = "cycle"
    name = Bilingual(zh="环形转账", en="Cycle")
    law = LAW
    parameters = Parameters
    needs = NEEDS
    look_alikes = LOOK_ALIKES

    def __init__(self) -> None:
        self._into: dict[int, list[_Seen]] = defaultdict(list)
        """No more than the graph's transfers: what has left the window is dropped every day."""
        self._day = 0

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        new = between_strangers(step, window_us)
        self._remember(step, new)
        rows = np.flatnonzero(new & (step.dealt.fed_us >= step.applied.ts_us - window_us))
        return Candidates(rows, step.applied.dst[rows])

    def _remember(self, step: Step, new: Bools) -> None:
        one = step.applied
        columns = (one.dst, one.ts_us, one.seq, one.src, one.amount_minor, one.currency)
        for dst, *seen in zip(*(column[new].tolist() for column in columns), strict=True):
            self._into[dst].append(_Seen(*seen))

    def absorb(self, step: Step) -> None:
        """Drop what no later row looks through."""
        for dst in np.unique(step.applied.dst).tolist():
            if dst in self._into:
                del self._into[dst][:-_LATEST]
        clock_us = int(step.applied.clock_us[-1])
        if clock_us // DAY == self._day:
            return
        self._day = clock_us // DAY
        since_us = clock_us - greatest(Parameters, self.id, "window_days", step) * DAY
        for dst in [dst for dst, legs in self._into.items() if max(legs).ts_us < since_us]:
            del self._into[dst]

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        ring = self._ring(transfer, context.now_us - parameters.window_days * DAY, parameters)
        if len(ring) < parameters.min_legs:
            return None
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        legs = legs_of(context.graph.edges(ring))
        if not all(strangers.are_parties(leg.src, leg.dst) for leg in legs):
            return None
        accounts = sorted(leg.src for leg in legs)
        count = len(legs)
        zh, en = f"{count} 个账户首尾相接成环", f"{count} accounts form a ring that closes"
        reasons = [NEW, factor("ring", min(40, 10 + 4 * count), zh, en)]
        if suspects := context.suspects.among(accounts, context.now_us):
            reasons.append(named(suspects))
        return finding(
            context,
            strangers,
            parameters,
            subject=transfer.dst,
            accounts=accounts,
            legs=legs,
            minor=min(leg.amount_minor for leg in legs),
            reasons=reasons,
            what=Bilingual(
                zh=f"资金在 {count} 个账户之间依次转移并回到起点",
                en=f"money went through {count} accounts, one after the other, and back to the first",
            ),
        )

    def _ring(self, closing: Transfer, since_us: int, p: Parameters) -> list[int]:
        """Sequence numbers of the shortest ring that the transfer closes, empty where none is found.
        From its payer back: who paid whom as late as could be."""
        minor = closing.amount_minor
        least, most = minor * p.least_permille // 1000, minor * p.most_permille // 1000
        left = {closing.src: (closing.ts_us, closing.seq)}
        onward: dict[int, int] = {}
        front = [closing.src]
        for _ in range(p.max_legs - 1):
            reached: dict[int, None] = {}
            for account in front:
                known = [one for one in self._into.get(account, ()) if one.seq < closing.seq]
                for one in known[-_LATEST:]:
                    when = (one.ts_us, one.seq)
                    if (
                        one.ts_us >= since_us
                        and when < left[account]
                        and least <= one.amount_minor <= most
                        and one.currency == closing.currency
                        and (one.src not in left or (one.src in reached and when > left[one.src]))
                    ):
                        left[one.src], onward[one.src] = when, account
                        reached[one.src] = None
            if closing.dst in reached:
                return _legs(left, onward, closing)
            if len(left) > p.max_accounts:
                break
            front = list(reached)
        return []


def _legs(left: dict[int, tuple[int, int]], onward: dict[int, int], closing: Transfer) -> list[int]:
    account, seqs = closing.dst, []
    while account != closing.src:
        seqs.append(left[account][1])
        account = onward[account]
    return [*seqs, closing.seq]
