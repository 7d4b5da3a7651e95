"""Fan-in and fan-out: one account that begins to deal with several that earlier alerts named."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.graph import Shape
from services.detector.graph.kernel import Int32s
from services.detector.legs import Leg
from services.detector.shape_findings import LAW, LOOK_ALIKES, NEEDS, NEW, finding, named
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


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: a month, as of AMLSim's patterns")
    min_named: int = parameter(4, "assumption: three may be friends of one mule; shapes.fan_in's least")


class Fan(Typology):
    """What differs is which end of a transfer is the hub."""

    law = LAW
    needs = NEEDS
    look_alikes = LOOK_ALIKES
    shape: Shape

    @abstractmethod
    def hubs(self, step: Step) -> Int32s: ...

    @abstractmethod
    def hub(self, transfer: Transfer) -> int: ...

    @abstractmethod
    def legs(self, strangers: Strangers, hub: int) -> list[Leg]: ...

    @abstractmethod
    def other(self, leg: Leg) -> int: ...

    @abstractmethod
    def what(self, count: int) -> Bilingual: ...

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        rows = step.found.row[step.completed(self.shape)].astype(np.intp)
        rows = rows[between_strangers(step, window_us)[rows]]
        return Candidates(rows, self.hubs(step)[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        now_us, hub = context.now_us, self.hub(transfer)
        if not context.suspects.among((self.other(transfer.leg),), now_us):
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        everybody = self.legs(strangers, hub)
        members = context.suspects.among(sorted({self.other(leg) for leg in everybody}), now_us)
        if len(members) < parameters.min_named:
            return None
        legs = [leg for leg in everybody if self.other(leg) in members]
        return finding(
            context,
            strangers,
            parameters,
            subject=hub,
            accounts=(hub, *members),
            legs=legs,
            minor=sum(leg.amount_minor for leg in legs),
            reasons=(NEW, named(members)),
            what=self.what(len(members)),
        )
