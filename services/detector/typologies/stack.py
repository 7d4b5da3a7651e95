"""多层堆叠: strangers' money passes through two accounts or more in a row, each of which keeps the same
whole percentage.

What came into one account, less a commission of whole per cents, went on to others; from one of them,
with what else it got, less the same percentage, it went on again. None had dealt with each other before,
and it takes at least three transfers within a month. That two accounts in a row do so by accident must be
unlikely, services.detector.commissions. Accounts that earlier alerts named add to the confidence.

A friend who forwards money to another keeps nothing or a sum, once; a shop pays its supplier what it owes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.commissions import Pass, passes
from services.detector.legs import Leg
from services.detector.shape_findings import LAW, LOOK_ALIKES, NEEDS, NEW, commission, finding, named
from services.detector.strangers import Strangers, between_strangers
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

_MILLION: Final = 1_000_000
_PASSES: Final = 6
"""Ways to split one account's payments that are followed upstream, the least likely by accident."""


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: a month, as of AMLSim's patterns")
    min_legs: int = parameter(3, "definition: two layers, one of them of several legs")
    max_chance_ppm: int = parameter(1_000, "assumption: one accident in a thousand looks")


class _Stack(NamedTuple):
    upper: Pass
    lower: Pass

    @property
    def legs(self) -> list[Leg]:
        return sorted({*self.upper.legs, *self.lower.legs})

    @property
    def accounts(self) -> list[int]:
        return sorted({end for leg in self.legs for end in (leg.src, leg.dst)})

    @property
    def chance_ppm(self) -> int:
        return self.upper.chance_ppm * self.lower.chance_ppm // _MILLION


class Stack(Typology):
    id = "stack"
    name = Bilingual(zh="多层堆叠", en="Stack")
    law = LAW
    parameters = Parameters
    needs = NEEDS
    look_alikes = LOOK_ALIKES
    names = True

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        fed = step.dealt.fed_us >= step.applied.ts_us - window_us
        rows = np.flatnonzero(between_strangers(step, window_us) & fed)
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        stacks = [
            one
            for one in _stacks(strangers, transfer)
            if len(one.legs) >= parameters.min_legs and one.chance_ppm <= parameters.max_chance_ppm
        ]
        if not stacks:
            return None
        stack = min(stacks, key=lambda one: (one.chance_ppm, len(one.legs), one.legs))
        reasons = [NEW, commission(stack.lower.percent, stack.chance_ppm)]
        reasons.append(factor("layers", 10, "连续两层都是如此", "two layers in a row do so"))
        if suspects := context.suspects.among(stack.accounts, context.now_us):
            reasons.append(named(suspects))
        return finding(
            context,
            strangers,
            parameters,
            subject=stack.upper.outs[0].src,
            accounts=stack.accounts,
            legs=stack.legs,
            minor=sum(leg.amount_minor for leg in stack.upper.ins),
            reasons=reasons,
            what=Bilingual(
                zh=f"资金连续经过两层账户转移，涉及 {len(stack.accounts)} 个账户",
                en=f"money passed through two layers of accounts, {len(stack.accounts)} in all",
            ),
        )


def _stacks(strangers: Strangers, transfer: Transfer) -> Iterator[_Stack]:
    """The new leg's payer below, each of those who paid it above."""
    account = transfer.src
    lower = passes(strangers.into(account), strangers.out_of(account), transfer.leg, thorough=False)
    for low in lower[:_PASSES]:
        for leg in low.ins:
            above = passes(
                strangers.into(leg.src),
                strangers.out_of(leg.src),
                leg,
                thorough=True,
                percent=low.percent,
            )
            yield from (_Stack(high, low) for high in above[:1] if leg.src != transfer.dst)
