"""集中分散: strangers pay an account, and it pays other strangers the same money.

With a registry everyday receivers and payers are known, and a private account that several new payers pay
and that passes nearly all of it on to several new payees, at one new relation a day or faster and large
together, is suspect in itself, flows.shape_rules. Payers who pay another account in common are
a layer of a stack instead.

Without one, and where fewer take part, it must be the same money less a whole percentage: at least four
payments within a month, those in first, and those out exactly a whole percentage of them. How often that
happens by accident is counted, flows.commissions; where there is a registry, the more accounts
of it earlier alerts have named, the less likely an accident.

An agent with a filing, a shop, a treasurer of a club pays whom it paid before, or keeps what it keeps.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.ascending import joined
from services.detector.books.strangers import Strangers, passed_between
from services.detector.flows.commission_triggers import Rule, passing, passing_among
from services.detector.flows.commissions import Pass, before, passes
from services.detector.flows.shape_rules import (
    CROWD,
    CROWD_SOURCE,
    MATERIAL_MINOR,
    MATERIAL_SOURCE,
    days_of,
    is_passed_on,
    minor_of,
    pace,
    passed_on,
    pay_another,
)
from services.detector.flows.shape_triggers import Relay, Rows, relaying
from services.detector.legs import Leg
from services.detector.shape_findings import LAW, LOOK_ALIKES, NEEDS, NEW, commission, finding, named
from services.detector.typology import (
    NOBODY,
    Candidates,
    Context,
    Outcome,
    Shared,
    Step,
    Transfer,
    Typology,
    greatest,
    in_force,
    parameter,
    throughout,
)

_THOROUGH_FROM: Final = 2
"""Named accounts around from which on any few payments are tried with any few, not runs only."""


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: a month, as of AMLSim's patterns")
    min_legs: int = parameter(4, "definition: several in, several out, or one that is split in three")
    max_chance_ppm: int = parameter(100, "assumption: one accident in ten thousand looks")
    min_side: int = parameter(CROWD, CROWD_SOURCE)
    min_minor: int = parameter(MATERIAL_MINOR, MATERIAL_SOURCE)
    named_chance: int = parameter(10, "assumption: each named account makes an accident so much less likely")


class GatherScatter(Typology):
    id = "gather_scatter"
    name = Bilingual(zh="集中后分散", en="Gather-scatter")
    law = LAW
    parameters = Parameters
    needs = NEEDS
    look_alikes = LOOK_ALIKES
    shares = Shared.suspects

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        rows = passed_between(step, window_us)
        if not rows.size:
            return NOBODY
        parameters = throughout(Parameters, self.id, step)
        if parameters is not None:
            passed = passing(step, window_us, _rule(step, parameters))
            rows = _or_relaying(step, passed, rows, parameters)
        return Candidates(rows, step.applied.src[rows])

    def on_named(self, step: Step, accounts: Collection[int]) -> Candidates | None:
        parameters = throughout(Parameters, self.id, step)
        if parameters is None:
            return None
        window_us = parameters.window_days * DAY
        rows = passed_between(step, window_us)
        rows = rows[np.isin(step.applied.src[rows], step.legs.around(accounts))]
        passed = passing_among(step, rows, window_us, _rule(step, parameters))
        rows = _or_relaying(step, passed, rows, parameters)
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        hub = transfer.src
        ins = strangers.into(hub)
        if not ins:
            return None
        outs = strangers.out_of(hub)
        if strangers.entities.registered and (relay := _relay(strangers, ins, outs, context, parameters)):
            return _brisk(context, strangers, parameters, relay)
        near = {hub, *(leg.src for leg in ins), *(leg.dst for leg in outs)}
        thorough = len(context.suspects.among(near, context.now_us)) >= _THOROUGH_FROM
        for one in passes(ins, outs, transfer.leg, thorough=thorough):
            accounts = _accounts(one)
            suspects = context.suspects.among(accounts, context.now_us)
            helping = len(suspects) if strangers.entities.registered else 0
            chance_ppm = one.chance_ppm // parameters.named_chance**helping
            is_rare = len(one.legs) >= parameters.min_legs and chance_ppm <= parameters.max_chance_ppm
            if is_rare and not pay_another(strangers, {leg.src for leg in one.ins}, hub):
                break
        else:
            return None
        reasons = [NEW, commission(one.percent, chance_ppm)]
        if suspects:
            reasons.append(named(suspects))
        return finding(
            context,
            strangers,
            parameters,
            subject=hub,
            accounts=accounts,
            legs=sorted(one.legs),
            minor=sum(leg.amount_minor for leg in one.ins),
            reasons=reasons,
            what=_what(one),
        )


def _rule(step: Step, parameters: Parameters) -> Rule:
    helps = parameters.named_chance if step.registry.knows_accounts else 1
    return Rule(parameters.min_legs, parameters.max_chance_ppm, helps, _THOROUGH_FROM)


def _or_relaying(step: Step, passed: Rows, rows: Rows, parameters: Parameters) -> Rows:
    """`passed`, and with a registry those of `rows` whose payer may be a relay."""
    if not step.registry.knows_accounts:
        return passed
    relay = Relay(parameters.min_side, parameters.min_minor)
    return joined(passed, relaying(step, rows, parameters.window_days * DAY, relay))


class _Relay(NamedTuple):
    ins: tuple[Leg, ...]
    outs: tuple[Leg, ...]

    @property
    def legs(self) -> tuple[Leg, ...]:
        return self.ins + self.outs


def _relay(
    strangers: Strangers, ins: list[Leg], outs: list[Leg], context: Context, parameters: Parameters
) -> _Relay | None:
    """The longest there is, from one of the payments in up to now."""
    entity = strangers.entities.entity
    for start, first in enumerate(ins):
        one = _Relay(tuple(ins[start:]), tuple(leg for leg in outs if before(first, leg)))
        payers = {entity(leg.src) for leg in one.ins}
        payees = {entity(leg.dst) for leg in one.outs}
        if min(len(payers), len(payees)) < parameters.min_side:
            return None
        received_minor = minor_of(one.ins)
        if (
            received_minor >= parameters.min_minor
            and is_passed_on(received_minor, minor_of(one.outs))
            and days_of(first.ts_us, context.now_us) <= len(payers) + len(payees)
            and not pay_another(strangers, {leg.src for leg in one.ins}, first.dst)
        ):
            return one
    return None


def _brisk(context: Context, strangers: Strangers, parameters: Parameters, one: _Relay) -> Outcome:
    received_minor, accounts = minor_of(one.ins), _accounts(one)
    reasons = [NEW, pace(len(accounts) - 1, days_of(one.ins[0].ts_us, context.now_us))]
    reasons.append(passed_on(received_minor, minor_of(one.outs)))
    if suspects := context.suspects.among(accounts, context.now_us):
        reasons.append(named(suspects))
    return finding(
        context,
        strangers,
        parameters,
        subject=one.ins[0].dst,
        accounts=accounts,
        legs=sorted(one.legs),
        minor=received_minor,
        reasons=reasons,
        what=_what(one),
    )


def _accounts(one: Pass | _Relay) -> list[int]:
    return sorted({end for leg in one.legs for end in (leg.src, leg.dst)})


def _what(one: Pass | _Relay) -> Bilingual:
    payers, payees = len({leg.src for leg in one.ins}), len({leg.dst for leg in one.outs})
    return Bilingual(
        zh=f"{payers} 个账户向同一账户付款，该账户随后付给另外 {payees} 个账户",
        en=f"{payers} account(s) paid one account, which then paid {payees} other(s)",
    )
