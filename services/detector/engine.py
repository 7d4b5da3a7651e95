"""The detector's core: a pure function of one partition's log of transfers and registry changes.

Nothing here knows the wall clock, and nothing depends on how the log was cut into batches: each row is
judged by what was there just after it, and a timer fires before the first row whose clock has passed it.

A reversal (`reversal_of`) is a transfer in its own right: it moves the money back in the graph, and the
one it undoes stays, so that what was done in between is judged as it was. Self-lending and misuse of
reserves are never found at a reversal itself; alerts raised before it stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from registry import Registry
from schemas.alert import Alert
from schemas.balance import Balance
from schemas.batch import TransferBatch
from schemas.errors import Unavailable
from schemas.instant import DAY
from schemas.law import Law
from schemas.registry import RegistryRecord
from schemas.risk import RiskScore
from services.detector.books.balances import History
from services.detector.books.dealings import Dealings
from services.detector.books.loan_book import LoanBook
from services.detector.books.stranger_legs import SPAN_US, StrangerLegs
from services.detector.books.strangers import paid_between
from services.detector.books.suspects import Suspects
from services.detector.episodes import Episodes
from services.detector.feeds import Feeds, FeedState
from services.detector.graph import RollingGraph
from services.detector.parties.marks import Marks
from services.detector.parties.registered import Registered
from services.detector.purposes import with_known_purposes
from services.detector.scoring import Scores
from services.detector.sieve import Sieves
from services.detector.timers import Timer, Timers
from services.detector.typologies import TYPOLOGIES
from services.detector.typology import Context, Finding, Recheck, Step, Transfer, Typology
from services.detector.waiting import Waiting

WINDOW_US: Final = 31 * DAY
"""A day more than the longest window of a typology, which is 30 days."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What one call found, in the order found."""

    alerts: tuple[Alert, ...] = ()
    scores: tuple[RiskScore, ...] = ()


@dataclass(slots=True)
class Tally:
    """What one typology did: rows it looked at, timers it was called for, findings, and those of them
    that a bound cut short."""

    triggers: int = 0
    rechecks: int = 0
    confirmations: int = 0
    truncated: int = 0


@dataclass(slots=True)
class Counters:
    """Since the engine was made. Transfers are those inserted into the graph."""

    transfers: int = 0
    duplicates: int = 0
    late: int = 0
    too_late: int = 0
    refused: int = 0
    repeated_batches: int = 0
    unknown_purposes: int = 0
    """Rows whose purpose code is none that is known here: taken as Purpose.unknown."""
    balances_refused: int = 0
    """Statements for which there was no room."""
    timers_refused: int = 0
    episodes_evicted: int = 0
    typologies: dict[str, Tally] = field(default_factory=dict)


class Engine:
    """Picklable; used from one thread at a time.

    `max_transfers` and `max_accounts` are the graph's stated maximum: see RollingGraph.
    """

    def __init__(
        self,
        law: Law,
        *,
        window_us: int = WINDOW_US,
        lateness_us: int = DAY,
        max_transfers: int = 4_000_000,
        max_accounts: int = 2_000_000,
        typologies: Sequence[type[Typology]] = TYPOLOGIES,
    ) -> None:
        self.registry = Registry()
        self._law = law
        self._graph = RollingGraph(
            window_us=window_us,
            lateness_us=lateness_us,
            max_transfers=max_transfers,
            max_accounts=max_accounts,
        )
        self._marks = Marks(self._graph, self.registry)
        self._registered = Registered(self._graph, self.registry)
        self._balances = History()
        self._book = LoanBook()
        self._as_of = -1
        self._typologies = tuple(typology() for typology in typologies)
        self._asked_of_balances = tuple(
            (number, typology)
            for number, typology in enumerate(self._typologies)
            if type(typology).stated is not Typology.stated
        )
        self._heeding = tuple(
            (number, typology)
            for number, typology in enumerate(self._typologies)
            if type(typology).on_named is not Typology.on_named
        )
        self._tallies = {typology.id: Tally() for typology in self._typologies}
        self._dealings = Dealings()
        self._legs = StrangerLegs(self._registered, self.registry)
        self._suspects = Suspects()
        self._sieves = Sieves()
        self._timers = Timers()
        self._episodes = Episodes()
        self._scores = Scores()
        self._feeds = Feeds()
        self._accounts_refused = 0
        self._repeated = 0
        self._unknown_purposes = 0

    def apply_registry(self, records: Sequence[RegistryRecord]) -> Outputs:
        """Take registry changes in. They count for transfers by event time, from the next row on."""
        for record in records:
            if self.registry.apply(record):
                self._marks.follow(record)
        return Outputs()

    def apply_transfers(self, batch: TransferBatch) -> Outputs:
        """Take a batch in; a part of a batch that was taken before is dropped."""
        if self._feeds.is_repeated(batch.id):
            self._repeated += 1
            return Outputs()
        if batch.rows == 0:
            return Outputs()
        batch, unknown = with_known_purposes(batch)
        self._unknown_purposes += unknown
        known_before = self._graph.accounts
        applied = self._graph.apply(batch)
        self._as_of = int(applied.as_of[-1])
        self._feeds.count(batch.id.feed_id, applied, self.registry)
        clocks = applied.clock_us
        step = Step(
            batch,
            applied,
            self._dealings.note(applied),
            self._marks.all(),
            self._graph,
            self.registry,
            self._law.between(int(clocks[0]), int(clocks[-1])),
            self._book,
            self._legs,
            self._suspects,
            self._sieves,
            known_before,
        )
        self._legs.take(applied, step.dealt.since_us, paid_between(step, SPAN_US))
        self._book.open(applied, step.sights)
        found = _Found()
        waiting = Waiting([typology.candidates(step) for typology in self._typologies])
        while (row := waiting.row) is not None:
            clock_us = int(clocks[row])
            self._fire_until(clock_us, step, found)
            self._heed(step, found, waiting, row, -1)
            self._book.advance(row)
            context = self._context(clock_us, int(applied.as_of[row]), int(step.known[row]), step.marks)
            while (one := waiting.take(row)) is not None:
                _, number, account = one
                typology = self._typologies[number]
                self._tallies[typology.id].triggers += 1
                outcome = typology.confirm(context, Transfer(step, row, account))
                if outcome is not None:
                    self._take(number, context, outcome, found)
                    self._heed(step, found, waiting, row, number)
        self._fire_until(int(clocks[-1]), step, found)
        self._book.close()
        for each in self._typologies:
            each.absorb(step)
        return Outputs(tuple(found.alerts), tuple(found.scores))

    def apply_balances(self, records: Sequence[Balance]) -> Outputs:
        """Take statements of balances in: they see all that came before them on the log."""
        found, clock_us = _Found(), self._graph.clock_us
        for record in records:
            account = self._account(record.account_id)
            if account is None or not self._balances.put(account, record):
                continue
            now_us = record.as_of if clock_us is None else clock_us
            context = self._context(now_us, self._as_of, self._graph.accounts, self._marks.all())
            for number, typology in self._asked_of_balances:
                outcome = typology.stated(context, account, record)
                if outcome is not None:
                    self._take(number, context, outcome, found)
        return Outputs(tuple(found.alerts), tuple(found.scores))

    @property
    def clock_us(self) -> int | None:
        """Greatest event time seen."""
        return self._graph.clock_us

    @property
    def fill(self) -> float:
        """Share of the graph's stated maximum in use; an alarm belongs well below 1."""
        return self._graph.fill

    def feeds(self) -> tuple[FeedState, ...]:
        """Each feed's watermark and counts, by feed id; `silent` ones have sent nothing for long."""
        return self._feeds.states(self._graph.clock_us)

    def counters(self) -> Counters:
        graph = self._graph.counters
        return Counters(
            transfers=graph.inserted,
            duplicates=graph.duplicates,
            late=graph.late,
            too_late=graph.too_late,
            refused=graph.refused,
            repeated_batches=self._repeated,
            unknown_purposes=self._unknown_purposes,
            balances_refused=self._balances.refused + self._accounts_refused,
            timers_refused=self._timers.refused,
            episodes_evicted=self._episodes.evicted,
            typologies={name: replace(tally) for name, tally in self._tallies.items()},
        )

    def _heed(self, step: Step, found: _Found, waiting: Waiting, row: int, turn: int) -> None:
        """Who has become a suspect makes more rows candidates, from the typology after `turn` at `row` on."""
        if found.named:
            for number, typology in self._heeding:
                candidates = typology.on_named(step, found.named)
                if candidates is not None:
                    waiting.add(number, candidates, row, turn)
            found.named.clear()

    def _account(self, token_hex: str) -> int | None:
        """Known from now on; None at the graph's maximum."""
        try:
            return self._graph.intern(bytes.fromhex(token_hex))
        except Unavailable:
            self._accounts_refused += 1
            return None

    def _context(self, now_us: int, as_of: int, known: int, marks: npt.NDArray[np.uint32]) -> Context:
        return Context(
            self._graph,
            self.registry,
            self._law.at(now_us),
            now_us,
            as_of,
            known,
            marks,
            self._marks.in_business,
            self._registered,
            self._balances,
            self._book,
            self._dealings,
            self._legs,
            self._suspects,
        )

    def _fire_until(self, clock_us: int, step: Step, found: _Found) -> None:
        """Fire what is due by `clock_us`: timers, and at midnight the scores."""
        while (due_us := min(self._timers.next_us, self._scores.next_boundary_us)) <= clock_us:
            if due_us == self._timers.next_us:
                self._fire(self._timers.pop(), step, found)
            else:
                found.scores += self._scores.at_boundary(self.registry, self._law.at(due_us))

    def _fire(self, timer: Timer, step: Step, found: _Found) -> None:
        """Look again as of the last row before the clock reached the timer."""
        row = int(step.applied.clock_us.searchsorted(timer.due_us))
        self._book.advance(row - 1)
        context = self._context(timer.due_us, *_before(step, row), step.marks)
        typology = self._typologies[timer.typology]
        self._tallies[typology.id].rechecks += 1
        outcome = typology.recheck(context, timer.account)
        if outcome is not None:
            self._take(timer.typology, context, outcome, found)

    def _take(self, typology: int, context: Context, outcome: Finding | Recheck, found: _Found) -> None:
        again = outcome.again if isinstance(outcome, Finding) else outcome
        if again is not None:
            due_us = max(again.at_us, context.now_us + 1)
            self._timers.set(Timer(due_us, typology, again.account))
        if isinstance(outcome, Finding):
            self._raise(self._typologies[typology], context, outcome, found)

    def _raise(self, typology: Typology, context: Context, finding: Finding, found: _Found) -> None:
        tally = self._tallies[typology.id]
        tally.confirmations += 1
        tally.truncated += bool(finding.limits)
        if typology.names:
            found.named += self._suspects.name(finding.accounts, context.now_us)
        alert = self._episodes.take(typology.id, typology.name, context, finding)
        if alert is None:
            return
        found.alerts.append(alert)
        score = self._scores.raised(alert, self.registry, context.rules)
        if score is not None:
            found.scores.append(score)


@dataclass(slots=True)
class _Found:
    alerts: list[Alert] = field(default_factory=list)
    scores: list[RiskScore] = field(default_factory=list)
    named: list[int] = field(default_factory=list)
    """Suspects that nobody was told of yet."""


def _before(step: Step, row: int) -> tuple[int, int]:
    """The last sequence number before `row`, and how many accounts the log had named."""
    applied = step.applied
    if row > 0:
        return int(applied.as_of[row - 1]), int(step.known[row - 1])
    return int(applied.as_of[0]) - (int(applied.seq[0]) >= 0), step.known_before
