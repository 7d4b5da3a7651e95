"""多层堆叠: strangers' money passes through two accounts or more in a row, each of which keeps the same
whole percentage.

What came into one account, less a commission of whole per cents, went on to others; from one of them,
with what else it got, less the same percentage, it went on again. None had dealt with each other before,
and it takes at least three transfers within a month. That two accounts in a row do so by accident must be
unlikely, services.detector.flows.commissions. Accounts that earlier alerts named add to the confidence.

With a registry everyday receivers and payers are known. Then it is a stack too where two accounts or more
got money from several payers in common and passed nearly all of it on to several payees in common, large
together and at one new relation a day or faster, services.detector.flows.shape_rules.

A friend who forwards money to another keeps nothing or a sum, once; a shop pays its supplier what it owes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.ascending import joined
from services.detector.books.strangers import Strangers, passed_between
from services.detector.flows.commission_triggers import Rule, passing_twice
from services.detector.flows.commissions import Pass, before, passes
from services.detector.flows.layer_triggers import Layer, in_layer
from services.detector.flows.shape_rules import (
    MATERIAL_MINOR,
    MATERIAL_SOURCE,
    days_of,
    is_passed_on,
    minor_of,
    pace,
    passed_on,
)
from services.detector.flows.shape_triggers import Rows
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
    factor,
    greatest,
    in_force,
    parameter,
    throughout,
)

_MILLION: Final = 1_000_000
_PASSES: Final = 6
"""Ways to split one account's payments that are followed upstream, the least likely by accident."""


_MOST_PAYEES: Final = 20
"""Payees of one account whose other payers are looked at."""


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: a month, as of AMLSim's patterns")
    min_legs: int = parameter(3, "definition: two layers, one of them of several legs")
    min_shared: int = parameter(2, "definition: layers of several, paying across")
    min_minor: int = parameter(MATERIAL_MINOR, MATERIAL_SOURCE)
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
    shares = Shared.suspects
    names = True

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        rows = passed_between(step, window_us)
        if not rows.size:
            return NOBODY
        parameters = throughout(Parameters, self.id, step)
        if parameters is not None:
            rows = _possible(step, rows, parameters)
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        if not strangers.into(transfer.src):
            return None
        if strangers.entities.registered and (layer := _layer(strangers, transfer, parameters)):
            return _across(context, strangers, parameters, layer)
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
            what=_what(stack.accounts),
        )


def _possible(step: Step, rows: Rows, parameters: Parameters) -> Rows:
    window_us = parameters.window_days * DAY
    rule = Rule(parameters.min_legs, parameters.max_chance_ppm, 1, 0)
    stacked = passing_twice(step, window_us, rule)
    if not step.registry.knows_accounts:
        return stacked
    layered = in_layer(step, rows, window_us, Layer(parameters.min_shared, parameters.min_minor))
    return joined(stacked, layered)


class _Layer(NamedTuple):
    """`middles` that got `ins` from payers in common and paid `outs` to payees in common."""

    middles: tuple[int, ...]
    ins: tuple[Leg, ...]
    outs: tuple[Leg, ...]


def _layer(strangers: Strangers, transfer: Transfer, parameters: Parameters) -> _Layer | None:
    """The new leg's payer and its like; looked for where the payer itself passes on what it got."""
    own = strangers.into(transfer.src)
    payers = {leg.src for leg in own}
    payees = {leg.dst for leg in strangers.out_of(transfer.src)}
    if min(len(payers), len(payees)) < parameters.min_shared:
        return None
    passed = [leg for leg in strangers.out_of(transfer.src) if before(own[0], leg)]
    if not is_passed_on(minor_of(own), minor_of(passed)):
        return None
    asked = sorted(payees)[:_MOST_PAYEES]
    near = {leg.src for payee in asked for leg in strangers.into(payee)}
    middles, ins, outs = [], [], []
    for middle in sorted(near):
        come = [leg for leg in strangers.into(middle) if leg.src in payers]
        gone = [
            leg for leg in strangers.out_of(middle) if leg.dst in payees and come and before(come[0], leg)
        ]
        shared = min(len({leg.src for leg in come}), len({leg.dst for leg in gone}))
        if shared >= parameters.min_shared and is_passed_on(minor_of(come), minor_of(gone)):
            middles.append(middle)
            ins += come
            outs += gone
    legs = len(ins) + len(outs)
    if (
        transfer.src not in middles
        or len(middles) < parameters.min_shared
        or minor_of(ins) < parameters.min_minor
        or days_of(min(ins).ts_us, transfer.ts_us) > legs
    ):
        return None
    return _Layer(tuple(middles), tuple(ins), tuple(outs))


def _across(context: Context, strangers: Strangers, parameters: Parameters, layer: _Layer) -> Outcome:
    legs = sorted({*layer.ins, *layer.outs})
    received_minor = minor_of(layer.ins)
    accounts = sorted({end for leg in legs for end in (leg.src, leg.dst)})
    count = len(layer.middles)
    reasons = [NEW, pace(len(legs), days_of(legs[0].ts_us, context.now_us))]
    reasons.append(passed_on(received_minor, minor_of(layer.outs)))
    zh = f"{count} 个中间账户的付款方相同、收款方也相同"
    en = f"{count} accounts between have their payers and their payees in common"
    reasons.append(factor("layers", 10, zh, en))
    if suspects := context.suspects.among(accounts, context.now_us):
        reasons.append(named(suspects))
    return finding(
        context,
        strangers,
        parameters,
        subject=legs[0].src,
        accounts=accounts,
        legs=legs,
        minor=received_minor,
        reasons=reasons,
        what=_what(accounts),
    )


def _what(accounts: Sequence[int]) -> Bilingual:
    return Bilingual(
        zh=f"资金连续经过两层账户转移，涉及 {len(accounts)} 个账户",
        en=f"money passed through two layers of accounts, {len(accounts)} in all",
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
