"""The detector's core: a pure function of one partition's log of transfers and registry changes.

Nothing here knows the wall clock, and nothing depends on how the log was cut into batches: each row is
judged by what was there just after it, and a timer fires before the first row whose clock has passed it.

A reversal (`reversal_of`) is a transfer in its own right: it moves the money back in the graph, and the
one it undoes stays, so that what was done in between is judged as it was. Self-lending and misuse of
reserves are never found at a reversal itself; alerts raised before it stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import attrgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from registry import Registry
from schemas.alert import Alert
from schemas.balance import Balance
from schemas.batch import TransferBatch, joined
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
from services.detector.feeds import Feeds, FeedState
from services.detector.graph import RollingGraph
from services.detector.panel import NO_ROW, ContextAt, Panel, Raised, Tally, panels
from services.detector.parties.marks import Marks
from services.detector.parties.registered import Registered
from services.detector.purposes import with_known_purposes
from services.detector.scoring import Scores
from services.detector.sieve import Sieves
from services.detector.typologies import TYPOLOGIES
from services.detector.typology import Context, Shared, Step, Typology

WINDOW_US: Final = 31 * DAY
"""A day more than the longest window of a typology, which is 30 days."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What one call found, in the order found."""

    alerts: tuple[Alert, ...] = ()
    scores: tuple[RiskScore, ...] = ()


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
        self._panels = panels(self._typologies)
        self._dealings = Dealings()
        self._legs = StrangerLegs(self._registered, self.registry)
        self._suspects = Suspects()
        self._sieves = Sieves()
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

    def apply_transfers(self, *batches: TransferBatch) -> Outputs:
        """Take batches in, in this order and as one; a part of a batch that was taken before is dropped."""
        fresh = [one for one in batches if not self._feeds.is_repeated(one.id)]
        self._repeated += len(batches) - len(fresh)
        if not any(one.rows for one in fresh):
            return Outputs()
        batch, unknown = with_known_purposes(joined(fresh))
        self._unknown_purposes += unknown
        known_before = self._graph.accounts
        applied = self._graph.apply(batch)
        self._as_of = int(applied.as_of[-1])
        self._feeds.count(batch.sent, applied, self.registry)
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
        candidates = [typology.candidates(step) for typology in self._typologies]
        looks = (panel.look(step, candidates, self._contexts(panel, step.marks)) for panel in self._panels)
        raised = sorted(chain.from_iterable(looks), key=attrgetter("place"))
        self._book.close()
        for each in self._typologies:
            each.absorb(step)
        return self._told(raised, int(clocks[-1]))

    def apply_balances(self, records: Sequence[Balance]) -> Outputs:
        """Take statements of balances in: they see all that came before them on the log."""
        raised, clock_us = list[Raised](), self._graph.clock_us
        for record in records:
            account = self._account(record.account_id)
            if account is None or not self._balances.put(account, record):
                continue
            now_us = record.as_of if clock_us is None else clock_us
            for panel in (one for one in self._panels if one.asks_balances):
                context = self._contexts(panel, self._marks.all())(now_us, self._as_of, self._graph.accounts)
                raised += panel.state(context, account, record)
        return self._told(raised)

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
        graph, tallies = self._graph.counters, dict[str, Tally]()
        for panel in self._panels:
            tallies |= panel.tallies
        return Counters(
            transfers=graph.inserted,
            duplicates=graph.duplicates,
            late=graph.late,
            too_late=graph.too_late,
            refused=graph.refused,
            repeated_batches=self._repeated,
            unknown_purposes=self._unknown_purposes,
            balances_refused=self._balances.refused + self._accounts_refused,
            timers_refused=sum(panel.timers.refused for panel in self._panels),
            episodes_evicted=sum(panel.episodes.evicted for panel in self._panels),
            typologies={typology.id: replace(tallies[typology.id]) for typology in self._typologies},
        )

    def _account(self, token_hex: str) -> int | None:
        """Known from now on; None at the graph's maximum."""
        try:
            return self._graph.intern(bytes.fromhex(token_hex))
        except Unavailable:
            self._accounts_refused += 1
            return None

    def _contexts(self, panel: Panel, marks: npt.NDArray[np.uint32]) -> ContextAt:
        """What a panel's looks may know."""
        book = self._book if panel.shared is Shared.loans else None
        suspects = self._suspects if panel.shared is Shared.suspects else None

        def context_at(now_us: int, as_of: int, known: int) -> Context:
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
                self._dealings,
                self._legs,
                book,
                suspects,
            )

        return context_at

    def _told(self, raised: Sequence[Raised], until_us: int | None = None) -> Outputs:
        """The alerts, and scores with them: an institution's with each of its own, and up to `until_us`
        everybody's at midnight, which is before the rows of that time and after its timers."""
        scores = list[RiskScore]()
        for place, alert, rules in raised:
            if until_us is not None:
                scores += self._at_midnights(place.at_us - (place.row == NO_ROW))
            score = self._scores.raised(alert, self.registry, rules)
            if score is not None:
                scores.append(score)
        if until_us is not None:
            scores += self._at_midnights(until_us)
        return Outputs(tuple([one.alert for one in raised]), tuple(scores))

    def _at_midnights(self, until_us: int) -> Iterator[RiskScore]:
        while (due_us := self._scores.next_boundary_us) <= until_us:
            yield from self._scores.at_boundary(self.registry, self._law.at(due_us))
