"""Fan-in and fan-out: one account that begins to deal with many within days, or with several that earlier
alerts named."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from compiled import Int32s
from schemas.instant import DAY
from schemas.record import Bilingual
from services.detector.books.strangers import Strangers, paid_between
from services.detector.flows.shape_rules import MATERIAL_MINOR, MATERIAL_SOURCE, alike, days_of, pace
from services.detector.flows.shape_triggers import Crowd, Rows, crowded
from services.detector.legs import Leg
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
    greatest,
    in_force,
    parameter,
    throughout,
)


@dataclass(frozen=True, slots=True)
class Parameters:
    window_days: int = parameter(30, "assumption: a month, as of AMLSim's patterns")
    min_named: int = parameter(4, "assumption: three may be friends of one mule")
    week_days: int = parameter(7, "assumption: a week, in which habits repeat")
    min_new: int = parameter(8, "assumption: people begin less than one private relation a day")
    min_minor: int = parameter(MATERIAL_MINOR, MATERIAL_SOURCE)


class Fan(Typology):
    """What differs is which end of a transfer is the hub."""

    law = LAW
    needs = NEEDS
    look_alikes = LOOK_ALIKES
    shares = Shared.suspects
    inward: bool
    """The others pay the hub."""

    @abstractmethod
    def hubs(self, step: Step) -> Int32s: ...

    @abstractmethod
    def hub(self, transfer: Transfer) -> int: ...

    @abstractmethod
    def legs(self, strangers: Strangers, hub: int) -> list[Leg]: ...

    @abstractmethod
    def other(self, leg: Leg) -> int: ...

    @abstractmethod
    def is_layer(self, strangers: Strangers, others: Sequence[int], transfer: Transfer) -> bool:
        """They deal so with another account in common: it is a larger shape, which has its own name."""

    @abstractmethod
    def what(self, count: int) -> Bilingual: ...

    @abstractmethod
    def what_named(self, count: int) -> Bilingual: ...

    def candidates(self, step: Step) -> Candidates:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        return self._candidates(step, paid_between(step, window_us))

    def on_named(self, step: Step, accounts: Collection[int]) -> Candidates | None:
        window_us = greatest(Parameters, self.id, "window_days", step) * DAY
        rows = paid_between(step, window_us)
        return self._candidates(step, rows[np.isin(self.hubs(step)[rows], step.legs.around(accounts))])

    def _candidates(self, step: Step, rows: Rows) -> Candidates:
        if not rows.size:
            return NOBODY
        parameters = throughout(Parameters, self.id, step)
        if parameters is not None:
            registered = step.registry.knows_accounts
            crowd = Crowd(
                self.inward,
                parameters.min_new if registered else 0,
                parameters.min_minor,
                parameters.week_days * DAY,
                parameters.min_named,
                DAY if registered else 0,
            )
            rows = crowded(step, rows, parameters.window_days * DAY, crowd)
        return Candidates(rows, self.hubs(step)[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        is_named = bool(context.suspects.among((self.other(transfer.leg),), context.now_us))
        strangers = Strangers(context, transfer.currency, parameters.window_days * DAY)
        registered = strangers.entities.registered
        crowd = self._crowd(context, strangers, transfer, parameters) if registered else None
        if crowd is not None or not is_named:
            return crowd
        return self._named(context, strangers, transfer, parameters)

    def _crowd(
        self, context: Context, strangers: Strangers, transfer: Transfer, parameters: Parameters
    ) -> Outcome:
        """With a registry: more new ones in a week than days, and than in the rest of the month."""
        hub, entity = self.hub(transfer), strangers.entities.entity
        everybody = self.legs(strangers, hub)
        others = sorted({self.other(leg) for leg in everybody})
        since_us = context.dealings.since_us(np.array(others, np.int32), hub).tolist()
        week_us = context.now_us - parameters.week_days * DAY
        new = {other for other, began_us in zip(others, since_us, strict=True) if began_us >= week_us}
        legs = alike([leg for leg in everybody if self.other(leg) in new])
        members = {entity(self.other(leg)) for leg in legs}
        usual = {entity(other) for other in others if other not in new}
        minor = sum(leg.amount_minor for leg in legs)
        if len(members) < max(parameters.min_new, len(usual) + 1) or minor < parameters.min_minor:
            return None
        reasons = [NEW, pace(len(members), days_of(legs[0].ts_us, context.now_us))]
        accounts = [hub, *sorted({self.other(leg) for leg in legs})]
        if self.is_layer(strangers, accounts[1:], transfer):
            return None
        if suspects := context.suspects.among(accounts, context.now_us):
            reasons.append(named(suspects))
        return finding(
            context,
            strangers,
            parameters,
            subject=hub,
            accounts=accounts,
            legs=legs,
            minor=minor,
            reasons=reasons,
            what=self.what(len(members)),
        )

    def _named(
        self, context: Context, strangers: Strangers, transfer: Transfer, parameters: Parameters
    ) -> Outcome:
        hub, registered = self.hub(transfer), strangers.entities.registered
        legs = strangers.with_suspects(hub, self.inward)
        if registered:  # the very operation that an alert has just named is no news
            legs = [leg for leg in legs if context.suspects.was_named(self.other(leg), leg.ts_us - DAY)]
        members = sorted({self.other(leg) for leg in legs})
        if len(members) < parameters.min_named:
            return None
        if registered and self.is_layer(strangers, members, transfer):
            return None
        return finding(
            context,
            strangers,
            parameters,
            subject=hub,
            accounts=(hub, *members),
            legs=legs,
            minor=sum(leg.amount_minor for leg in legs),
            reasons=(NEW, named(members)),
            what=self.what_named(len(members)),
        )
