"""Some typologies at work on a batch, row by row.

Most work alone: the looks of one at a batch follow one another, and what the first of them read is still near
when the next begins. Those that share what changes from row to row (services.detector.typology.Shared) take
turns at each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from schemas.alert import Alert
from schemas.balance import Balance
from schemas.law import Rules
from services.detector.episodes import Episodes
from services.detector.evidence import EvidenceEdges
from services.detector.timers import Timer, Timers
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Shared,
    Step,
    Transfer,
    Typology,
)
from services.detector.waiting import Waiting

ContextAt: TypeAlias = Callable[[int, int, int], Context]
"""By the clock, the last sequence number up to then, and how many accounts the log had named."""

NO_ROW: Final = -1


class Place(NamedTuple):
    """Of a look among all at a batch: what is due by a row's clock comes before the row."""

    at_us: int
    row: int
    """NO_ROW: a timer's."""
    typology: int


class Raised(NamedTuple):
    place: Place
    alert: Alert
    rules: Rules
    """In force then."""


@dataclass(slots=True)
class Tally:
    """What one typology did: rows it looked at, timers it was called for, findings, and those of them
    that a bound cut short."""

    triggers: int = 0
    rechecks: int = 0
    confirmations: int = 0
    truncated: int = 0


class Panel:
    """Its typologies have timers and episodes of their own. `members`: with their numbers, ascending; `made`:
    what all panels have shown as evidence."""

    def __init__(
        self, members: Iterable[tuple[int, Typology]], shared: Shared | None, made: EvidenceEdges
    ) -> None:
        self.shared = shared
        self.members = tuple(members)
        self.tallies = {typology.id: Tally() for _, typology in self.members}
        self.timers = Timers()
        self.episodes = Episodes(made)
        self._heeding = tuple(
            (turn, typology)
            for turn, (_, typology) in enumerate(self.members)
            if type(typology).on_named is not Typology.on_named
        )
        self.asks_balances = any(type(typology).stated is not Typology.stated for _, typology in self.members)
        self._raised: list[Raised] = []
        self._named: list[int] = []
        """Suspects that nobody was told of yet."""

    def look(self, step: Step, candidates: Sequence[Candidates], context_at: ContextAt) -> list[Raised]:
        """At a batch just applied, whose `candidates` are those of all typologies by number. What was raised,
        in the order of places."""
        applied = step.applied
        waiting = Waiting([candidates[number] for number, _ in self.members])
        self._raised, self._named = [], []
        while (row := waiting.row) is not None:
            clock_us = int(applied.clock_us[row])
            if self.timers.next_us <= clock_us:
                self._fire_until(clock_us, step, context_at)
                self._heed(step, waiting, row, -1)
            self._advance(step, row)
            context: Context | None = None
            for _, turn, account in waiting.of_row(row):
                typology, transfer = self.members[turn][1], Transfer(step, row, account)
                self.tallies[typology.id].triggers += 1
                if not typology.is_due(transfer, clock_us):
                    continue
                if context is None:
                    context = context_at(clock_us, int(applied.as_of[row]), int(step.known[row]))
                outcome = typology.confirm(context, transfer)
                if outcome is not None:
                    self._take(turn, context, row, outcome)
                    self._heed(step, waiting, row, turn)
        self._fire_until(int(applied.clock_us[-1]), step, context_at)
        return self._raised

    def state(self, context: Context, account: int, balance: Balance) -> list[Raised]:
        """What was raised by a statement of the account's balance."""
        self._raised = []
        for turn, (_, typology) in enumerate(self.members):
            outcome = typology.stated(context, account, balance)
            if outcome is not None:
                self._take(turn, context, NO_ROW, outcome)
        return self._raised

    def _advance(self, step: Step, row: int) -> None:
        if self.shared is Shared.loans:
            step.book.advance(row)

    def _heed(self, step: Step, waiting: Waiting, row: int, turn: int) -> None:
        """Who has become a suspect makes more rows candidates, from what comes after `turn` at `row` on."""
        if self._named:
            for each, typology in self._heeding:
                candidates = typology.on_named(step, self._named)
                if candidates is not None:
                    waiting.add(each, candidates, row, turn)
            self._named = []

    def _fire_until(self, clock_us: int, step: Step, context_at: ContextAt) -> None:
        """Look again where a timer is due, as of the last row before the clock reached it."""
        while self.timers.next_us <= clock_us:
            due_us, turn, account = self.timers.pop()
            row = int(step.applied.clock_us.searchsorted(due_us))
            self._advance(step, row - 1)
            context = context_at(due_us, *_before(step, row))
            typology = self.members[turn][1]
            self.tallies[typology.id].rechecks += 1
            outcome = typology.recheck(context, account)
            if outcome is not None:
                self._take(turn, context, NO_ROW, outcome)

    def _take(self, turn: int, context: Context, row: int, outcome: Outcome) -> None:
        for one in outcome if isinstance(outcome, tuple) else (outcome,):
            again = one.again if isinstance(one, Finding) else one
            if again is not None:
                self.timers.set(Timer(max(again.at_us, context.now_us + 1), turn, again.account))
            if isinstance(one, Finding):
                self._raise(turn, context, row, one)

    def _raise(self, turn: int, context: Context, row: int, finding: Finding) -> None:
        number, typology = self.members[turn]
        tally = self.tallies[typology.id]
        tally.confirmations += 1
        tally.truncated += bool(finding.limits)
        if typology.names:
            self._named += context.suspects.name(finding.accounts, context.now_us)
        alert = self.episodes.take(typology.id, typology.name, context, finding)
        if alert is not None:
            self._raised.append(Raised(Place(context.now_us, row, number), alert, context.rules))


def panels(typologies: Sequence[Typology]) -> tuple[Panel, ...]:
    """Of those that share something one, and one of each other."""
    made = EvidenceEdges()
    members: dict[Shared | int, list[tuple[int, Typology]]] = {}
    for number, typology in enumerate(typologies):
        members.setdefault(typology.shares or number, []).append((number, typology))
    return tuple(Panel(each, each[0][1].shares, made) for each in members.values())


def _before(step: Step, row: int) -> tuple[int, int]:
    """The last sequence number before `row`, and how many accounts the log had named."""
    applied = step.applied
    if row > 0:
        return int(applied.as_of[row - 1]), int(step.known[row - 1])
    return int(applied.as_of[0]) - (int(applied.seq[0]) >= 0), step.known_before
