"""Rounds that money made, by whose money it is: those of the run that goes on, and the legs they took."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from services.detector.flows.loans import Arrival

MAX_ROUNDS: Final = 100
"""Of one subject; past it the earliest noted is forgotten."""
_MAX_SUBJECTS: Final = 20_000
"""Past it the subject longest without a round is forgotten."""
_MAX_LEGS: Final = 200_000
"""Past it the legs of the rounds found first are forgotten."""


class Whose(NamedTuple):
    """Whose money went round, as an entity, and its currency."""

    entity: str
    currency: int


class Run(NamedTuple):
    """When the first round of the run began and the last came home; and all rounds in memory, those of
    earlier runs too, by the sequence number of their first payment."""

    began_us: int
    last_us: int
    rounds: OrderedDict[int, Arrival]

    @property
    def own(self) -> tuple[Arrival, ...]:
        """Those of the run, the one noted last at the end."""
        return tuple(one for one in self.rounds.values() if one.last[-1].ts_us >= self.began_us)


class Rounds:
    def __init__(self) -> None:
        self._runs: OrderedDict[Whose, Run] = OrderedDict()
        self._legs: OrderedDict[int, Whose] = OrderedDict()

    def is_lap_of_other(self, whose: Whose, start: int) -> bool:
        """A first payment that is a further leg of a round that was found where it began."""
        return self._legs.get(start, whose) != whose

    def note(self, whose: Whose, one: Arrival, quiet_us: int) -> bool:
        """Whether it is of the run that goes on; a new run begins when the last was over for more than
        `quiet_us`."""
        began_us, home_us = one.loan[0].ts_us, one.last[-1].ts_us
        run = self._runs.pop(whose, Run(began_us, home_us, OrderedDict()))
        if began_us - run.last_us > quiet_us:
            run = Run(began_us, home_us, run.rounds)
        elif home_us >= run.began_us:
            run = Run(min(run.began_us, began_us), max(run.last_us, home_us), run.rounds)
        run.rounds.pop(one.loan[0].seq, None)
        run.rounds[one.loan[0].seq] = one
        if len(run.rounds) > MAX_ROUNDS:
            run.rounds.popitem(last=False)
        self._runs[whose] = run
        if len(self._runs) > _MAX_SUBJECTS:
            self._runs.popitem(last=False)
        for seq in one.attributed:
            self._legs.setdefault(seq, whose)
        while len(self._legs) > _MAX_LEGS:
            self._legs.popitem(last=False)
        return home_us >= run.began_us

    def run(self, whose: Whose, since_us: int) -> Run:
        """The one that goes on, of a subject that has one; rounds that began before are forgotten."""
        run = self._runs[whose]
        for seq in [seq for seq, one in run.rounds.items() if one.loan[0].ts_us < since_us]:
            del run.rounds[seq]
        return run
