"""分散集中: one pays several, and they all pay one other, who had not dealt with any of them.

A source pays middles, and each of them, after that, pays the same collector nearly all and no more than
it had been paid. All are strangers to one another until then, and it is done within a month. It takes
three middles, or two who kept the same whole percentage. Other sources that pay the same middles belong to
it; where the middles pay another collector too, it is layers of a stack.

With a registry everyday receivers and payers are known. Then middles may add a little of their own, where
there are at least four of them, large together, at one new relation a day or faster,
services.detector.flows.shape_rules.

Honest look-alikes are an employer whose staff pay one shop or landlord: there the purposes say so, or the
roles that the registry gives, and the middles deal with both again and again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.books.strangers import Strangers, passed_between
from services.detector.flows.commissions import RATES, accident_ppm, before, whole_percent
from services.detector.flows.gathering_sources import MOST_MIDDLES, new_room
from services.detector.flows.gathering_triggers import Gathering, gathering
from services.detector.flows.shape_rules import (
    CROWD,
    CROWD_SOURCE,
    MATERIAL_MINOR,
    MATERIAL_SOURCE,
    days_of,
    is_passed_on,
    minor_of,
    pace,
    pay_another,
)
from services.detector.legs import Leg
from services.detector.shape_findings import LAW, LOOK_ALIKES, NEEDS, NEW, commission, finding
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

_EVERY_PPM = 1_000


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: a month, as of AMLSim's patterns")
    min_middles: int = parameter(3, "definition: several; two may be a couple")
    min_alike: int = parameter(2, "assumption: two who keep the same whole percentage were told to")
    min_crowd: int = parameter(CROWD, CROWD_SOURCE)
    min_minor: int = parameter(MATERIAL_MINOR, MATERIAL_SOURCE)
    max_chance_ppm: int = parameter(10_000, "assumption: one accident in a hundred looks, for each middle")
    max_middles: int = parameter(50, "bound on the payers of one collector that are looked at, the latest")

    def rule(self, registered: bool) -> Gathering:
        return Gathering(
            self.min_middles,
            self.min_alike,
            self.min_crowd if registered else 0,
            self.max_chance_ppm,
            self.max_middles,
        )


class _Middle(NamedTuple):
    ins: tuple[Leg, ...]
    outs: tuple[Leg, ...]

    @property
    def legs(self) -> tuple[Leg, ...]:
        return self.ins + self.outs

    @property
    def minors(self) -> tuple[int, int]:
        """What it got and what it paid."""
        return minor_of(self.ins), minor_of(self.outs)

    def percent(self, max_chance_ppm: int) -> int | None:
        """The whole percentage it passed on, unless that may be an accident."""
        is_accident = accident_ppm(self.ins, self.outs, RATES) > max_chance_ppm
        return None if is_accident else whole_percent(*self.minors, len(self.outs))


class ScatterGather(Typology):
    id = "scatter_gather"
    name = Bilingual(zh="分散后集中", en="Scatter-gather")
    law = LAW
    parameters = Parameters
    needs = NEEDS
    look_alikes = LOOK_ALIKES
    shares = Shared.suspects
    names = True

    def __init__(self) -> None:
        self._room = new_room()

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        rows = passed_between(step, window_us)
        if not rows.size:
            return NOBODY
        parameters = throughout(Parameters, self.id, step)
        if parameters is not None and parameters.max_middles <= MOST_MIDDLES:
            rule = parameters.rule(step.registry.knows_accounts)
            rows = gathering(step, rows, window_us, rule, self._room)
        return Candidates(rows, step.applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        collector = transfer.dst
        every = _middles(strangers, collector, transfer.src, parameters)
        passing = {account: one for account, one in every.items() if is_passed_on(*one.minors)}
        middles = {
            account: one
            for account, one in passing.items()
            if one.minors[1] <= minor_of(strangers.into(account))
        }
        told = (one.percent(parameters.max_chance_ppm) for one in middles.values())
        rates = Counter(rate for rate in told if rate is not None)
        percent, alike = max(rates.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
        is_told = alike >= parameters.min_alike
        is_crowd = strangers.entities.registered and _is_crowd(passing, context.now_us, parameters)
        if is_crowd:
            middles = passing
        if transfer.src not in middles or not (len(middles) >= parameters.min_middles or is_told):
            return None
        if pay_another(strangers, middles.keys() - {transfer.src}, collector):
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
        if is_crowd:
            reasons.append(pace(2 * count, days_of(legs[0].ts_us, context.now_us)))
        if is_told:
            reasons.append(commission(percent, _EVERY_PPM // alike**4))
        return finding(
            context,
            strangers,
            parameters,
            subject=collector,
            accounts=(*sources, *middles, collector),
            legs=legs,
            minor=sum(one.minors[1] for one in middles.values()),
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
    return {
        account: _Middle(tuple(sorted(legs)), tuple(leg for leg in outs[account] if before(min(legs), leg)))
        for account, legs in sorted(ins.items())
    }


def _is_crowd(middles: dict[int, _Middle], now_us: int, parameters: Parameters) -> bool:
    legs = [leg for one in middles.values() for leg in one.legs]
    return (
        len(middles) >= parameters.min_crowd
        and sum(one.minors[1] for one in middles.values()) >= parameters.min_minor
        and days_of(min(leg.ts_us for leg in legs), now_us) <= 2 * len(middles)
    )
