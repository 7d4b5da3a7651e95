"""环形转账: money goes from hand to hand among strangers and back to where it began.

Four to ten accounts in a ring, each paying the next after it was paid, none of whom had dealt with the
next before, within three weeks; no leg carries less than a quarter or more than four times of the last one.
Round-tripping follows the money of one payment; here hands may keep or add what they like, and what is
suspect is that a ring closes at all among people who do not know each other (AMLSim's "cycle").

Friends who settle up, a family, traders of one place know each other; three may be two friends and a
shop. The legs looked through are those between strangers, books.stranger_legs, for the search on every
transfer finds the shortest ring, which is mostly one of old acquaintances.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.books.strangers import Strangers, passed_between
from services.detector.flows.rings import Bounds, Closing, Rings
from services.detector.legs import legs_of
from services.detector.shape_findings import LAW, LOOK_ALIKES, NEEDS, NEW, finding, named
from services.detector.typology import (
    NOBODY,
    Candidates,
    Context,
    Outcome,
    Shared,
    Step,
    Transfer,
    Typology,
    factor,
    greatest,
    in_force,
    parameter,
    throughout,
)


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(21, "assumption: three weeks; in a longer time rings close by accident")
    min_legs: int = parameter(4, "assumption: a ring of three may be friends")
    max_legs: int = parameter(10, "assumption: as round-tripping's K")
    least_permille: int = parameter(250, "assumption: as the searches on every transfer")
    most_permille: int = parameter(4_000, "assumption: as the searches on every transfer")
    max_accounts: int = parameter(500, "bound on the accounts of one search")


class Cycle(Typology):
    id = "cycle"
    name = Bilingual(zh="环形转账", en="Cycle")
    law = LAW
    parameters = Parameters
    needs = NEEDS
    look_alikes = LOOK_ALIKES
    shares = Shared.suspects

    def __init__(self) -> None:
        self._rings = Rings()

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        rows = passed_between(step, window_us)
        if not rows.size:
            return NOBODY
        parameters = throughout(Parameters, self.id, step)
        if parameters is not None:
            rows = self._rings.closing(step, rows, _bounds(parameters), parameters.min_legs)
        return Candidates(rows, step.applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        ring = self._rings.closed_by(
            context.legs, _closing(context, transfer, parameters), _bounds(parameters)
        )
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


def _closing(context: Context, transfer: Transfer, parameters: Parameters) -> Closing:
    return Closing(
        transfer.src,
        transfer.dst,
        transfer.ts_us,
        transfer.seq,
        transfer.amount_minor,
        transfer.currency,
        context.now_us - parameters.window_days * DAY,
        context.graph.oldest(context.as_of),
    )


def _bounds(parameters: Parameters) -> Bounds:
    return Bounds(
        parameters.window_days * DAY,
        parameters.max_legs,
        parameters.least_permille,
        parameters.most_permille,
        parameters.max_accounts,
    )
