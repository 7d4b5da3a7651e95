"""集中分散: strangers pay an account, and it pays other strangers the same money less a whole percentage.

At least four payments, all between accounts that had not dealt with each other before and within a month:
those in come first, those out make exactly a whole percentage of them. How often that happens by accident
is counted, services.detector.commissions; the more accounts of it earlier alerts have named, the less
likely an accident.

An agent with a filing, a shop, a treasurer of a club pays whom it paid before, or keeps what it keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.commissions import Pass, passes
from services.detector.shape_findings import LAW, LOOK_ALIKES, NEEDS, NEW, commission, finding, named
from services.detector.strangers import Strangers, between_strangers
from services.detector.typology import (
    Candidates,
    Context,
    Outcome,
    Step,
    Transfer,
    Typology,
    greatest,
    in_force,
    parameter,
)

_THOROUGH_FROM: Final = 2
"""Named accounts around from which on any few payments are tried with any few, not runs only."""


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: a month, as of AMLSim's patterns")
    min_legs: int = parameter(4, "definition: several in, several out, or one that is split in three")
    max_chance_ppm: int = parameter(100, "assumption: one accident in ten thousand looks")
    named_chance: int = parameter(10, "assumption: each named account makes an accident so much less likely")


class GatherScatter(Typology):
    id = "gather_scatter"
    name = Bilingual(zh="集中后分散", en="Gather-scatter")
    law = LAW
    parameters = Parameters
    needs = NEEDS
    look_alikes = LOOK_ALIKES

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        fed = step.dealt.fed_us >= step.applied.ts_us - window_us
        rows = np.flatnonzero(between_strangers(step, window_us) & fed)
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        hub = transfer.src
        ins, outs = strangers.into(hub), strangers.out_of(hub)
        near = {hub, *(leg.src for leg in ins), *(leg.dst for leg in outs)}
        thorough = len(context.suspects.among(near, context.now_us)) >= _THOROUGH_FROM
        for one in passes(ins, outs, transfer.leg, thorough=thorough):
            accounts = _accounts(one)
            suspects = context.suspects.among(accounts, context.now_us)
            chance_ppm = one.chance_ppm // parameters.named_chance ** len(suspects)
            if len(one.legs) >= parameters.min_legs and chance_ppm <= parameters.max_chance_ppm:
                break
        else:
            return None
        reasons = [NEW, commission(one.percent, chance_ppm)]
        if suspects:
            reasons.append(named(suspects))
        payers, payees = len({leg.src for leg in one.ins}), len({leg.dst for leg in one.outs})
        return finding(
            context,
            strangers,
            parameters,
            subject=hub,
            accounts=accounts,
            legs=sorted(one.legs),
            minor=sum(leg.amount_minor for leg in one.ins),
            reasons=reasons,
            what=Bilingual(
                zh=f"{payers} 个账户向同一账户付款，该账户随后付给另外 {payees} 个账户",
                en=f"{payers} account(s) paid one account, which then paid {payees} other(s)",
            ),
        )


def _accounts(one: Pass) -> list[int]:
    return sorted({end for leg in one.legs for end in (leg.src, leg.dst)})
