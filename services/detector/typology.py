"""The shape of a typology: trigger in the arrays, confirm on a bounded subgraph, explain."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from compiled import Bools, Int32s, Int64s
from registry import Registry
from schemas.alert import Citation, EvidenceEdge, Factor, Limit, Subject, SubjectKind
from schemas.balance import Balance
from schemas.batch import TransferBatch
from schemas.law import Rules, Value
from schemas.record import Bilingual
from schemas.transaction import Purpose
from services.detector.books.balances import History
from services.detector.books.dealings import Dealings, Dealt
from services.detector.books.loan_book import LoanBook
from services.detector.books.stranger_legs import StrangerLegs
from services.detector.books.suspects import Named, Suspects
from services.detector.graph import Applied, RollingGraph, Status
from services.detector.graph.fingerprints import texts_of
from services.detector.legs import PURPOSES, Leg
from services.detector.parties.registered import Registered
from services.detector.sieve import ANY_MINOR, Sieve, Sieves, Sights, sighted

P = TypeVar("P")
T = TypeVar("T")


def parameter(default: Value, source: str) -> Any:
    """A field of a typology's parameters. The law's thresholds of the same name come first."""
    return field(default=default, metadata={"source": source})


def in_force(kind: type[P], rule: str, rules: Rules) -> P:
    """The parameters of `rule`: the law's thresholds where there are any, else the defaults."""
    parameters: P = _in_force(cast(Hashable, kind), rule, rules)
    return parameters


@lru_cache(maxsize=1_000)
def _in_force(kind: type[Any], rule: str, rules: Rules) -> Any:
    return kind(**rules.of(rule))


def least(kind: type[Any], rule: str, name: str, step: Step) -> int:
    """The smallest value of a parameter over the batch: for triggers, which are supersets."""
    return min(_values(cast(Hashable, kind), rule, name, step.rules))


def greatest(kind: type[Any], rule: str, name: str, step: Step) -> int:
    """The largest value of a parameter over the batch."""
    return max(_values(cast(Hashable, kind), rule, name, step.rules))


@lru_cache(maxsize=1_000)
def _values(kind: type[Any], rule: str, name: str, every: tuple[Rules, ...]) -> tuple[int, ...]:
    return tuple(getattr(in_force(kind, rule, rules), name) for rules in every)


def throughout(kind: type[P], rule: str, step: Step) -> P | None:
    """The parameters in force all through the batch; None where the law changes them in it."""
    first, *others = (in_force(kind, rule, rules) for rules in step.rules)
    return first if all(one == first for one in others) else None


def shown(parameters: Any) -> Mapping[str, int | str]:
    """Parameters as an alert carries them."""
    return _shown(cast(Hashable, parameters))


@lru_cache(maxsize=1_000)
def _shown(parameters: Any) -> Mapping[str, int | str]:
    values = {one.name: getattr(parameters, one.name) for one in fields(parameters)}
    return {name: ",".join(v) if isinstance(v, tuple) else v for name, v in values.items()}


@dataclass(frozen=True, eq=False)
class Step:
    """One batch just applied. `marks[i]` are the marks of account i, services.detector.parties.marks. What
    several typologies ask of its rows is found once."""

    batch: TransferBatch
    applied: Applied
    dealt: Dealt
    marks: npt.NDArray[np.uint32]
    graph: RollingGraph
    registry: Registry
    rules: tuple[Rules, ...]
    """Those in force at some time in the batch."""
    book: LoanBook
    legs: StrangerLegs
    """Between strangers, this batch's among them."""
    suspects: Suspects
    sieves: Sieves
    known_before: int
    """Accounts that the log had named before the batch: they are those of index 1 to this."""
    answers: dict[Hashable, Any] = field(default_factory=dict)
    """What one typology found of the batch and another need not find again, under a key of its module's."""

    @cached_property
    def known(self) -> Int32s:
        """Accounts that the log has named up to and including each row."""
        applied = self.applied
        known: Int32s = np.maximum.accumulate(
            np.maximum(np.maximum(applied.src, applied.dst), np.int32(self.known_before))
        )
        return known

    @property
    def suspected(self) -> Named:
        """All whom some row of the batch may find a suspect, of those that were named up to now."""
        return self.suspects.from_on(int(self.applied.clock_us[0]))

    @cached_property
    def src_marks(self) -> npt.NDArray[np.uint32]:
        """Of each row's payer."""
        return self.marks[self.applied.src]

    @cached_property
    def dst_marks(self) -> npt.NDArray[np.uint32]:
        """Of each row's payee."""
        return self.marks[self.applied.dst]

    @cached_property
    def inserted(self) -> Bools:
        inserted: Bools = self.applied.status == int(Status.inserted)
        return inserted

    @cached_property
    def reverses(self) -> Bools:
        """Rows that undo another transfer."""
        return self._states("reversal_of")

    @cached_property
    def instructed(self) -> Bools:
        """Rows that name a client's instruction."""
        return self._states("instruction")

    def passing(self, wanted: Sieve, least_minor: int = ANY_MINOR) -> Int64s:
        """Which rows pass the sieve and are of at least so much, ascending: only such as were inserted."""
        return self.sights.passing(wanted, least_minor)

    @cached_property
    def sights(self) -> Sights:
        """What a sieve sees of the rows."""
        return sighted(self.applied, self.src_marks, self.dst_marks, self.reverses, self.sieves)

    def _states(self, column: str) -> Bools:
        """Rows whose text there is not empty."""
        starts = texts_of(self.batch.columns.column(column)).starts
        stated: Bools = starts[1:] > starts[:-1]
        return stated


class Candidates(NamedTuple):
    """Rows at which `accounts` might have become suspect, ascending: a superset of those that did."""

    rows: npt.NDArray[np.intp]
    accounts: npt.NDArray[np.int32]


NOBODY: Final = Candidates(np.empty(0, np.intp), np.empty(0, np.int32))


def together(one: Candidates, other: Candidates) -> Candidates:
    """Those of both, by row; at the same row those of `one` first."""
    if not (one.rows.size and other.rows.size):
        return one if one.rows.size else other
    rows, accounts = np.concatenate((one.rows, other.rows)), np.concatenate((one.accounts, other.accounts))
    order = rows.argsort(kind="stable")
    return Candidates(rows[order], accounts[order])


@dataclass(slots=True, eq=False)
class Transfer:
    """The row at which `account` is a candidate: a view, so that what is not asked costs nothing.
    `payers` and `payees` are the distinct ones of dst and src just after it."""

    step: Step
    row: int
    account: int

    @property
    def seq(self) -> int:
        return int(self.step.applied.seq[self.row])

    @property
    def src(self) -> int:
        return int(self.step.applied.src[self.row])

    @property
    def dst(self) -> int:
        return int(self.step.applied.dst[self.row])

    @property
    def ts_us(self) -> int:
        return int(self.step.applied.ts_us[self.row])

    @property
    def amount_minor(self) -> int:
        return int(self.step.applied.amount_minor[self.row])

    @property
    def purpose(self) -> Purpose:
        return PURPOSES[int(self.step.applied.purpose[self.row])]

    @property
    def currency(self) -> int:
        return int(self.step.applied.currency[self.row])

    @property
    def product(self) -> int:
        return int(self.step.applied.product[self.row])

    @property
    def payers(self) -> int:
        return int(self.step.applied.payers[self.row])

    @property
    def payees(self) -> int:
        return int(self.step.applied.payees[self.row])

    @property
    def feed_id(self) -> str:
        return next(sent.feed_id for sent in self.step.batch.sent if self.row < sent.end)

    @property
    def instruction(self) -> str:
        return self._text("instruction")

    @property
    def channel(self) -> str:
        return self._text("channel")

    @property
    def is_reversal(self) -> bool:
        return bool(self.step.reverses[self.row])

    @property
    def leg(self) -> Leg:
        return Leg(
            self.ts_us,
            self.seq,
            self.src,
            self.dst,
            self.amount_minor,
            self.purpose,
            self.product,
            self.currency,
        )

    def _text(self, column: str) -> str:
        value: str = self.step.batch.columns.column(column)[self.row].as_py()
        return value


class Shared(Enum):
    """What changes from row to row and is not one typology's own. Whoever reads it says so, and looks at each
    row when the others that do have."""

    loans = "loans"
    """The loan book, which counts row by row."""
    suspects = "suspects"
    """Who was named by alerts."""


@dataclass(slots=True, eq=False)
class Context:
    """What a confirmation may know: the graph and registry as of one sequence number. Not to be changed; a
    frozen one takes several times as long to make.

    `now_us` is the clock just after that transfer, or the instant a timer was set for. `marks` are
    those of Step: what they rule out need not be asked of the registry.
    """

    graph: RollingGraph
    registry: Registry
    rules: Rules
    now_us: int
    as_of: int
    known: int
    """Accounts that the log has named by then: they are those of index 1 to this. A batch's are in the graph
    before its first row is looked at."""
    marks: npt.NDArray[np.uint32]
    in_business: Mapping[str, Collection[int]]
    """By institution: the accounts ever in its business, clients' and merchants' left out: parties.marks."""
    registered: Registered
    balances: History
    dealings: Dealings
    legs: StrangerLegs
    loans: LoanBook | None
    """None: the typology does not share it. So with `named`."""
    named: Suspects | None
    answers: dict[Hashable, Any] = field(default_factory=dict)
    """What one typology asked and another at the same row need not ask again, under a key of its module's."""

    @property
    def book(self) -> LoanBook:
        """As far as the rows have been looked at. Raises TypeError where it is not shared."""
        if self.loans is None:
            raise TypeError("a typology that reads the loan book shares it: Shared.loans")
        return self.loans

    @property
    def suspects(self) -> Suspects:
        """Named by alerts up to this confirmation. Raises TypeError where they are not shared."""
        if self.named is None:
            raise TypeError("a typology that asks for suspects shares them: Shared.suspects")
        return self.named

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The graph's, by then."""
        return self.graph.limits(self.as_of)

    def token(self, account: int) -> str:
        return self.graph.token(account).hex()

    def business_of(self, institution_id: str) -> list[int]:
        """Those in_business that the log has named by now, ascending."""
        return sorted([one for one in self.in_business.get(institution_id, ()) if one <= self.known])

    def subject(self, account: int) -> Subject:
        """The account as what a finding is about."""
        return _subject(self.token(account))


@lru_cache(maxsize=10_000)
def _subject(token: str) -> Subject:
    return Subject(kind=SubjectKind.account, id=token)


@dataclass(slots=True)
class Recheck:
    """Look at the account again at `at_us`: what is missing may come true by time alone. Not to be
    changed."""

    account: int
    at_us: int


@dataclass(slots=True)
class Finding:
    """The whole of a suspicion as it stands now. Not to be changed; a frozen one takes twice as long to make.

    `accounts` are the subject's own (indexes), not everybody who paid; `attributed` says, for each
    transfer that proves it (by sequence number), how much of it belongs to the suspicion. `earlier`
    are such transfers that may have left the graph's window, as the typology kept them. What may be a
    function is called, at once and at most once, only when an alert is sent (told()).
    """

    subject: Subject
    institution_id: str | None
    accounts: tuple[int, ...]
    attributed: Mapping[int, int] | Callable[[], Mapping[int, int]]
    amount_minor: int
    currency: str
    confidence: tuple[Factor, ...]
    severity: tuple[Factor, ...] | Callable[[], tuple[Factor, ...]]
    law: tuple[Citation, ...]
    parameters: Mapping[str, int | str]
    explanation: Bilingual | Callable[[], Bilingual]
    missing: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    earlier: tuple[EvidenceEdge, ...] = ()
    again: Recheck | None = None
    matter: str = ""
    """What tells this suspicion from others on the same subject; each matter is an alert of its own."""


Outcome = Finding | tuple[Finding, ...] | Recheck | None
"""Several findings: of one look, each a suspicion of its own, in the order in which they are told."""


class Typology(Protocol):
    """One shape of misconduct. Instances keep what they must remember between batches, picklable;
    nothing of it may depend on how the log was cut into batches."""

    id: str
    name: Bilingual
    law: tuple[Citation, ...]
    parameters: type
    needs: tuple[str, ...]
    """What it asks of the registry and the feed, and names in `missing` when it is not there."""
    look_alikes: tuple[Bilingual, ...]
    """Honest businesses of the same shape, which it must not fire on."""
    shares: Shared | None = None
    """What it reads or changes together with others."""
    names: bool = False
    """Whether its findings' accounts are suspects from then on, services.detector.books.suspects; it shares
    them then."""

    @abstractmethod
    def candidates(self, step: Step) -> Candidates:
        """The trigger."""

    def is_due(self, transfer: Transfer, clock_us: int) -> bool:  # noqa: ARG002
        """Whether a candidate is looked at, just after its row: asked before confirm(), in its turn."""
        return True

    @abstractmethod
    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        """Called for each candidate that is due, in row order."""

    def recheck(self, context: Context, account: int) -> Outcome:
        """Called when a timer is due. None where no timer is ever set."""

    def stated(self, context: Context, account: int, balance: Balance) -> Outcome:
        """Called for each statement of the account's balance that says something new, when it comes,
        which may be before or after the transfers it covers."""

    def on_named(self, step: Step, accounts: Collection[int]) -> Candidates | None:
        """Called when `accounts` become suspects in the midst of a batch: candidates because of that. Those
        that candidates() gave already, or that are past, do no harm."""

    def absorb(self, step: Step) -> None:
        """Called once after the last candidate of a batch: note what later batches need of this one."""


def told(part: T | Callable[[], T]) -> T:
    """A part of a finding that an alert tells."""
    return part() if callable(part) else part


@lru_cache(maxsize=10_000)
def factor(name: str, points: int, zh: str, en: str) -> Factor:
    return Factor(name=name, points=points, because=Bilingual(zh=zh, en=en))


def lacking(missing: Collection[str], points_each: int = 10) -> tuple[Factor, ...]:
    """What each thing that is not known takes from the confidence; nothing where all is."""
    if not missing:
        return ()
    return (factor("missing", -points_each * len(missing), "缺少部分数据", "some data is missing"),)


def points(factors: tuple[Factor, ...]) -> int:
    """The sum of the factors, kept within 0–100."""
    return max(0, min(100, sum([one.points for one in factors])))
