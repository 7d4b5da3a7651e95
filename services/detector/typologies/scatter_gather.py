"""分散集中: one pays several, and they all pay one other, who had not dealt with any of them.

A source pays middles, and each of them, after that, pays the same collector no more than it had been
paid. All are strangers to one another until then, and it is done within a month. It takes three middles,
or two who kept the same whole percentage. Other sources that pay the same middles belong to it.

Honest look-alikes are an employer whose staff pay one shop or landlord: there the purposes say so, or the
roles that the registry gives, and the middles deal with both again and again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.commissions import before, whole_percent
from services.detector.graph import Shape
from services.detector.legs import Leg
from services.detector.shape_findings import LAW, LOOK_ALIKES, NEEDS, NEW, commission, finding
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

_EVERY_PPM = 1_000


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: a month, as of AMLSim's patterns")
    min_middles: int = parameter(3, "definition: several; two may be a couple")
    min_alike: int = parameter(2, "assumption: two who keep the same whole percentage were told to")
    max_middles: int = parameter(50, "bound on the payers of one collector that are looked at, the latest")


class _Middle(NamedTuple):
    ins: tuple[Leg, ...]
    outs: tuple[Leg, ...]

    @property
    def legs(self) -> tuple[Leg, ...]:
        return self.ins + self.outs

    @property
    def percent(self) -> int | None:
        return whole_percent(_minor(self.ins), _minor(self.outs), len(self.outs))


class ScatterGather(Typology):
    id = "scatter_gather"
    name = Bilingual(zh="分散后集中", en="Scatter-gather")
    law = LAW
    parameters = Parameters
    needs = NEEDS
    look_alikes = LOOK_ALIKES
    shapes = frozenset({Shape.scatter_gather})
    names = True

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        rows = step.found.row[step.completed(Shape.scatter_gather)].astype(np.intp)
        rows = rows[between_strangers(step, window_us)[rows]]
        return Candidates(rows, step.applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        collector = transfer.dst
        middles = _middles(strangers, collector, transfer.src, parameters)
        rates = Counter(one.percent for one in middles.values() if one.percent is not None)
        percent, alike = max(rates.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
        is_told = alike >= parameters.min_alike
        if transfer.src not in middles or not (len(middles) >= parameters.min_middles or is_told):
            return None
        legs = sorted({leg for one in middles.values() for leg in one.legs})
        sources = sorted({leg.src for one in middles.values() for leg in one.ins})
        count = len(middles)
        reasons = [NEW]
        reasons.append(
            factor(
                "middles",
                min(30, 5 * count),
                f"{count} 个账户收款后都付给同一账户，且不多于所收",
                f"{count} accounts, once paid, all paid one and the same, none more than it got",
            )
        )
        if is_told:
            reasons.append(commission(percent, _EVERY_PPM // alike**4))
        return finding(
            context,
            strangers,
            parameters,
            subject=collector,
            accounts=(*sources, *middles, collector),
            legs=legs,
            minor=sum(_minor(one.outs) for one in middles.values()),
            reasons=reasons,
            what=Bilingual(
                zh=f"{len(sources)} 个账户把钱分散给 {count} 个账户，后者再集中付给同一账户",
                en=f"{len(sources)} account(s) scattered money over {count} accounts that passed it to one",
            ),
        )


def _middles(strangers: Strangers, collector: int, new: int, parameters: Parameters) -> dict[int, _Middle]:
    """By account; those of the source that pays most of them, the new one's first, and what other sources
    pay at least two of these."""
    outs: dict[int, list[Leg]] = defaultdict(list)
    for leg in strangers.into(collector):
        outs[leg.src].append(leg)
    latest = sorted(outs, key=lambda one: outs[one][-1])[-parameters.max_middles :]
    paid: dict[int, dict[int, list[Leg]]] = defaultdict(lambda: defaultdict(list))
    for account in latest:
        for leg in strangers.into(account):
            if leg.src != collector and before(leg, outs[account][-1]):
                paid[leg.src][account].append(leg)
    source = max(paid, key=lambda one: (new in paid[one], len(paid[one]), -one), default=None)
    if source is None:
        return {}
    chosen = paid[source]
    ins: dict[int, list[Leg]] = defaultdict(list)
    for one in sorted(paid):
        if one == source or len(paid[one].keys() & chosen.keys()) >= 2:
            for account in paid[one].keys() & chosen.keys():
                ins[account] += paid[one][account]
    middles = {
        account: _Middle(tuple(sorted(legs)), tuple(leg for leg in outs[account] if before(min(legs), leg)))
        for account, legs in sorted(ins.items())
    }
    return {
        account: one
        for account, one in middles.items()
        if _minor(one.outs) <= _minor(tuple(strangers.into(account)))
    }


def _minor(legs: tuple[Leg, ...]) -> int:
    return sum(leg.amount_minor for leg in legs)
