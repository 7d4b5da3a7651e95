"""备付金缺口: a reserve holds less than the institution's clients are owed, or other than its flows say.

Two checks of statements. What the banks have booked in an institution's reserve accounts, together, is less
than what it says it owes its clients. Or the bank's statement of a reserve account is not the statement
before it with all transfers since: money moved that no feed shows.

What is booked close to the closing may be in either day's statement (the settlement cut-off), so it excuses
as much as it could be. The first check is made when the cut-off is over, the second when a feed may no
longer be late, each as soon as the later of its statements is there. A reserve account of which no bank
states a balance is carried on from its last statement; where it never had one it is named in `missing`.
Without a registry, an account is a reserve when somebody states on it what clients are owed.

Where the hole grows, whoever holds the money that explains it is told as a matter of its own: who got it
out of the reserve without being client or merchant, or took in the clients' top-ups in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Final, NamedTuple

from schemas.alert import Citation, Factor, Limit
from schemas.balance import Balance, BalanceKind
from schemas.instant import DAY, HOUR, MINUTE
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.books.reserve_books import Books, Check, Drift, Mismatch, Shortage
from services.detector.explanations.reserve_shortfall import Shortfall, explained, explanation
from services.detector.flows.shortfall_causes import Cause, Causes
from services.detector.parties.entities import Entities
from services.detector.parties.marks import RESERVE
from services.detector.severity import by_amount
from services.detector.sieve import Fact, sieve
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Recheck,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    lacking,
    parameter,
    shown,
)

_ELSEWHERE: Final = sieve(
    not_payee=RESERVE, purposes=[Purpose.top_up], facts=Fact.known_payer | Fact.known_payee
)
_MAX_PENDING: Final = 80
"""Checks that wait, of one account: two for each statement that the history keeps, and some."""
_MAX_MISMATCHES: Final = 62


@dataclass(frozen=True, slots=True)
class Parameters:
    cut_off_minutes: int = parameter(
        120, "assumption: clearing takes no longer to reach a statement around its closing"
    )
    late_hours: int = parameter(24, "a feed may be a day late (schemas.registry.Feed.lateness_seconds)")
    epsilon_minor: int = parameter(10_000, "assumption: a day's bank charges, 100 yuan")
    window_days: int = parameter(30, "assumption: one episode's statements; flows are known that long")
    max_edges: int = parameter(200_000, "bound on the transfers between two statements of an account")

    @property
    def cut_off_us(self) -> int:
        return self.cut_off_minutes * MINUTE


class _Hole(NamedTuple):
    as_of_us: int
    minor: int


class ReserveShortfall(Typology):
    id = "reserve_shortfall"
    name = Bilingual(zh="备付金缺口", en="Shortfall of clients' reserves")
    law = (
        Citation(document="RP", article="二.3.1"),
        Citation(document="GO", article="十"),
    )
    parameters = Parameters
    needs = ("registry.account", "feed.balance")
    look_alikes = (Bilingual(zh="结算时限内的在途资金", en="items in flight inside the settlement cut-off"),)

    def __init__(self) -> None:
        self._pending: dict[int, list[Check]] = {}
        self._mismatches: dict[tuple[str, str], list[Mismatch]] = {}
        self._since_us: int | None = None
        self._holes: dict[tuple[str, str], _Hole] = {}
        """The last shortage of each subject and currency."""
        self._causes = Causes()
        self._to_tell: dict[int, list[Finding]] = {}

    def candidates(self, step: Step) -> Candidates:
        """Top-ups to accounts that are no reserves. Besides, statements wake it."""
        applied = step.applied
        if self._since_us is None:
            self._since_us = int(applied.clock_us[0])
        rows = step.passing(_ELSEWHERE)
        return Candidates(rows, applied.dst[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        if not transfer.is_reversal:
            self._causes.note(context, transfer)
        return None

    def stated(self, context: Context, account: int, balance: Balance) -> Outcome:
        is_reserve = AccountRole.reserve in Entities(context).roles(account)
        if not is_reserve and not context.balances.stated([account], BalanceKind.clients, balance.currency):
            return None
        parameters = in_force(Parameters, self.id, context.rules)
        pending = self._pending.setdefault(account, [])
        soon_us, late_us = balance.as_of + parameters.cut_off_us, balance.as_of + parameters.late_hours * HOUR
        for check in (
            Check(soon_us, False, balance.as_of, balance.currency),
            Check(late_us, True, balance.as_of, balance.currency),
        ):
            if check not in pending:
                heappush(pending, check)
        while len(pending) > _MAX_PENDING:
            heappop(pending)
        return self.recheck(context, account)

    def recheck(self, context: Context, account: int) -> Outcome:
        """Make the checks that are due, and tell one thing after the other. Of several currencies the last
        one's mismatches are told."""
        if self._to_tell.get(account):
            return self._next(context, account)
        pending = self._pending.get(account, [])
        books = Books(context, account, in_force(Parameters, self.id, context.rules), self._since_us)
        found: tuple[list[Mismatch], str] | None = None
        while pending and pending[0].due_us <= context.now_us:
            check = heappop(pending)
            if new := books.mismatches(check):
                found = self._remember(context, books, check.currency, new), check.currency
                self._explain(context, books, account, check.currency, new)
        if found:
            self._to_tell.setdefault(account, []).insert(0, _finding(context, books, *found))
        return self._next(context, account)

    def _next(self, context: Context, account: int) -> Outcome:
        """What is to be told first, and when to look again."""
        pending, waiting = self._pending.get(account, []), self._to_tell.get(account, [])
        told = waiting.pop(0) if waiting else None
        at_us = context.now_us + 1 if waiting else pending[0].due_us if pending else None
        again = None if at_us is None else Recheck(account, at_us)
        return again if told is None else replace(told, again=again)

    def _explain(
        self, context: Context, books: Books, account: int, currency: str, new: list[Mismatch]
    ) -> None:
        """Who holds what a shortage has grown by since the last one."""
        for short in (one for one in new if isinstance(one, Shortage)):
            key, parameters = (books.subject.id, currency), in_force(Parameters, self.id, context.rules)
            last = self._holes.get(key, _Hole(0, 0))
            since_us = max(last.as_of_us, short.as_of_us - DAY)
            grown = short.minor - (last.minor if last.as_of_us >= short.as_of_us - 2 * DAY else 0)
            self._holes[key] = _Hole(short.as_of_us, short.minor)
            if grown <= parameters.epsilon_minor + short.on_the_way_minor:
                continue
            found = books.holders(currency, since_us, short.as_of_us)
            window = (currency, since_us, short.as_of_us)
            found |= self._causes.elsewhere(context, books.reserves, *window)
            for cause in self._causes.take(context, books.subject.id, currency, found):
                self._to_tell.setdefault(account, []).append(_caused(context, books, short, cause, currency))

    def _remember(self, context: Context, books: Books, currency: str, new: list[Mismatch]) -> list[Mismatch]:
        """Those of the window, by time; one of the same check replaces what it said before."""
        since_us = context.now_us - in_force(Parameters, self.id, context.rules).window_days * DAY
        key = books.subject.id, currency
        recent = [one for one in self._mismatches.get(key, []) if one.as_of_us >= since_us]
        known = {_identity(one): one for one in (*recent, *new)}
        self._mismatches[key] = sorted(known.values(), key=_identity)[-_MAX_MISMATCHES:]
        return self._mismatches[key]


def _identity(one: Mismatch) -> tuple[int, str]:
    return one.as_of_us, one.account if isinstance(one, Drift) else ""


def _finding(context: Context, books: Books, mismatches: list[Mismatch], currency: str) -> Finding:
    parameters = in_force(Parameters, ReserveShortfall.id, context.rules)
    latest, worst = mismatches[-1], max(mismatches, key=lambda one: one.minor)
    since_us = latest.before_us if isinstance(latest, Drift) else latest.as_of_us - DAY
    attributed = books.outflows(currency, since_us, latest.as_of_us, latest.minor)
    shown_flows = context.graph.edges(attributed) if attributed else None
    first_us = int(shown_flows.ts_us[0]) if shown_flows else context.now_us
    missing = {name for one in mismatches for name in one.missing}
    if books.institution_id is None:
        missing.add("registry.account")
    full = len(mismatches) == _MAX_MISMATCHES
    cut = (Limit(name="mismatches", bound=_MAX_MISMATCHES),) if full else ()
    found = Shortfall(books.institution_id, currency, mismatches, first_us, len(attributed))
    return Finding(
        subject=books.subject,
        institution_id=books.institution_id,
        accounts=tuple(books.reserves),
        attributed=attributed,
        amount_minor=worst.minor,
        currency=currency,
        confidence=_confidence(mismatches, tuple(sorted(missing))),
        severity=(
            factor("rule", 55, "客户备付金必须足额", "clients' reserves must be there in full"),
            by_amount(worst.minor, currency),
        ),
        law=ReserveShortfall.law,
        parameters=shown(parameters),
        explanation=explanation(found),
        missing=tuple(sorted(missing)),
        limits=(*cut, *context.limits),
    )


def _caused(context: Context, books: Books, short: Shortage, cause: Cause, currency: str) -> Finding:
    missing = (*short.missing, *(() if books.institution_id else ("registry.account",)))
    token = context.token(cause.holder)
    return Finding(
        subject=books.subject,
        institution_id=books.institution_id,
        accounts=(*books.reserves, cause.holder),
        attributed={},
        amount_minor=cause.minor,
        currency=currency,
        confidence=_confidence([short], missing),
        severity=(
            factor("rule", 55, "客户备付金必须足额", "clients' reserves must be there in full"),
            by_amount(cause.minor, currency),
        ),
        law=ReserveShortfall.law,
        parameters=shown(in_force(Parameters, ReserveShortfall.id, context.rules)),
        explanation=explained(short, books.institution_id, token, cause.edges, currency),
        missing=missing,
        limits=context.limits,
        earlier=tuple(cause.edges),
        matter=token,
    )


def _confidence(mismatches: list[Mismatch], missing: tuple[str, ...]) -> tuple[Factor, ...]:
    if any(isinstance(one, Shortage) for one in mismatches):
        factors = [factor("shortage", 80, "银行余额小于所欠客户资金", "less is booked than clients are owed")]
    else:
        factors = [factor("drift", 50, "对账单与流水对不上", "statement and flows do not agree")]
    if len(mismatches) > 1:
        count = len(mismatches)
        factors.append(factor("repeated", min(15, 5 * count), f"共 {count} 次", f"{count} times"))
    return (*factors, *lacking(missing, 15))
