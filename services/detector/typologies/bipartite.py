"""二部结构: several accounts each pay every one of several others, all strangers until then, within days.

Each of at least two payers pays each of at least two payees, and the legs are at least six; no payer and
payee had dealt with each other before, and the whole is worked off at one leg a day or faster. Splitting
one sum over many hands so that nobody moves much is what launderers do (AMLSim's "bipartite"); people who
share shops, landlords or friends pay them at their own time, again and again, and beside many others.
A family's red packets at new year are whole yuan, below a thousand: the legs that are not must be enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.books.strangers import Strangers, paid_between
from services.detector.flows.group_triggers import Grouping, grouped
from services.detector.legs import Leg
from services.detector.shape_findings import LAW, LOOK_ALIKES, NEEDS, NEW, finding
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

_LEAST_SIDE: Final = 2
"""Of a shape that is searched for as transfers come."""


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(14, "assumption: one operation of a laundering crew")
    min_side: int = parameter(2, "definition: several payers, several payees")
    min_legs: int = parameter(6, "assumption: two who share two new payees may be a family")
    present_minor: int = parameter(100_000, "assumption: red packets are whole yuan, below CNY 1,000")
    legs_a_day: int = parameter(1, "assumption: a shape is worked off, honest payments come as they come")

    @property
    def rule(self) -> Grouping:
        return Grouping(self.min_side, self.min_legs, self.present_minor, self.legs_a_day)


class _Group(NamedTuple):
    payers: tuple[int, ...]
    payees: frozenset[int]

    @property
    def size(self) -> tuple[int, int]:
        return len(self.payers) * len(self.payees), len(self.payers)


class Bipartite(Typology):
    id = "bipartite"
    name = Bilingual(zh="二部结构", en="Bipartite")
    law = LAW
    parameters = Parameters
    needs = NEEDS
    look_alikes = LOOK_ALIKES
    shares = Shared.suspects
    names = True

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        rows = paid_between(step, window_us)
        if not rows.size:
            return NOBODY
        parameters = throughout(Parameters, self.id, step)
        if parameters is not None and parameters.min_side >= _LEAST_SIDE:
            rows = grouped(step, rows, window_us, parameters.rule)
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        group = _group(strangers, transfer, parameters)
        if group is None:
            return None
        legs = sorted(
            leg for payer in group.payers for leg in strangers.out_of(payer) if leg.dst in group.payees
        )
        if sum(not _is_present(leg, parameters) for leg in legs) < parameters.min_legs:
            return None
        days = -(-(context.now_us - legs[0].ts_us) // DAY)
        if days * parameters.legs_a_day > group.size[0]:
            return None
        payers, payees = len(group.payers), len(group.payees)
        complete = factor(
            "complete",
            min(40, 15 + 2 * payers * payees),
            f"{payers} 个付款方全部向同样的 {payees} 个收款方付款",
            f"each of the {payers} payers paid each of the same {payees} payees",
        )
        pace = factor("pace", 10, f"{max(1, days)} 天内完成", f"done within {max(1, days)} days")
        return finding(
            context,
            strangers,
            parameters,
            subject=legs[0].src,
            accounts=(*group.payers, *group.payees),
            legs=legs,
            minor=sum(leg.amount_minor for leg in legs),
            reasons=(NEW, complete, pace),
            what=Bilingual(
                zh=f"{payers} 个账户分别向同样的 {payees} 个账户付款",
                en=f"{payers} accounts each paid the same {payees} accounts",
            ),
        )


def _group(strangers: Strangers, transfer: Transfer, parameters: Parameters) -> _Group | None:
    """The largest found by adding payers to the new leg's, those who share most payees first."""
    own = strangers.payees(transfer.src)
    if len(own) < parameters.min_side:
        return None
    others = strangers.payers(transfer.dst) - {transfer.src}
    shared = strangers.payees_among(others, own)
    best = group = _Group((transfer.src,), frozenset(own))
    for payer in sorted(shared, key=lambda one: (-len(shared[one]), one)):
        payees = group.payees & shared[payer]
        if transfer.dst in payees and len(payees) >= parameters.min_side:
            group = _Group((*group.payers, payer), payees)
            best = group if len(best.payers) == 1 else max(best, group, key=lambda one: one.size)
    is_several = len(best.payers) >= parameters.min_side
    return best if is_several and best.size[0] >= parameters.min_legs else None


def _is_present(leg: Leg, parameters: Parameters) -> bool:
    return leg.amount_minor < parameters.present_minor and leg.amount_minor % 100 == 0
