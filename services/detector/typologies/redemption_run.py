"""挤兑: more clients than usual take out more than usual, for days, and what is there will not last.

Every midnight after a day on which many took money out, the institution's last days are held against its own
history: withdrawals and redemptions out of its clients', custody, reserve, product and fund sales accounts,
and the number of distinct clients who took. A fund, or another product that keeps its money apart, has a
history of its own, through whosever account its holders are paid. On each of the days at least twice as many
people must take as the median of the same weekday and of the same day of the month; over the days together
people and amount must be more deviations above the medians than chance explains (median absolute deviation;
variances of days add up). So a salary day, or a festival's peak that the history has seen, is none; what was
reported as a run, and was seen once, is no habit. Days on which nobody takes, for the house is closed, count
for nothing. And what the institution or product holds for its clients, by the banks' statements, must last
less than some days at the net outflow of those days.

Where the feed states no purpose, only money between clients' own accounts and the world outside counts; where
it names no product, a fund's holders count as its manager's. Who has been seen for less than two weeks has no
baseline; for less than four weeks also that of all days, which `missing` names, as it does statements that
are not there. Runs that overlap are one run and one alert.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.record import Bilingual
from schemas.transaction import Purpose
from services.detector.beijing import day_of, midnight_us
from services.detector.books.baseline import ceiling, usual
from services.detector.books.controlled import Controlled, Held
from services.detector.books.day_flows import HOLDING, Book, DayFlows, Totals
from services.detector.explanations.redemption_run import Run, explanation
from services.detector.parties.marks import CLIENT
from services.detector.purposes import among
from services.detector.severity import by_amount
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Recheck,
    Shared,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    lacking,
    parameter,
    shown,
)
from services.detector.wording import day as day_text

_WHOLE: Final = 10_000
_SHOWN: Final = 20
_IS_TAKEN: Final = among({Purpose.withdraw, Purpose.redemption})


@dataclass(frozen=True, slots=True)
class Parameters:
    run_days: int = parameter(3, "assumption: a run is not over in a day, and a rumour is")
    span_days: int = parameter(10, "assumption: which may have a festival's closed week between them")
    z: int = parameter(5, "assumption: five deviations above the medians of like days")
    growth_bp: int = parameter(20_000, "assumption: and at least twice those medians")
    cover_days: int = parameter(7, "assumption: a week to raise money")
    min_takers: int = parameter(20, "assumption: fewer people are no run")
    flow_days: int = parameter(30, "how far back flows tell what is there")
    max_takers: int = parameter(500, "bound on the clients among whose withdrawals the largest are shown")
    max_edges: int = parameter(100_000, "bound on the transfers of one account that are added up")
    max_taken: int = parameter(100, "bound on the transfers of one client among which withdrawals are sought")


class _Peak(NamedTuple):
    """The days of a run, `start` the first. `usual_*`: the most that is usual for them together; `takers`
    count once a day, `last_takers` on the last one."""

    start: int
    minor: int
    net_minor: int
    takers: int
    last_takers: int
    usual_minor: int
    usual_takers: int
    baselined: bool


class _Run(NamedTuple):
    """One that was reported: from which day, and until which it had gone on."""

    start: int
    last: int


class RedemptionRun(Typology):
    id = "redemption_run"
    name = Bilingual(zh="挤兑", en="Run of withdrawals")
    law = (Citation(document="CP", article="监测预警"),)
    parameters = Parameters
    needs = ("feed.balance", "feed.history")
    look_alikes = (
        Bilingual(zh="发薪日", en="salary day"),
        Bilingual(zh="基线中已有的节日高峰", en="festival peaks seen in the baseline"),
        Bilingual(zh="到期产品的兑付", en="a product that is paid out as it falls due"),
    )
    shares = Shared.loans

    def __init__(self) -> None:
        self._flows = DayFlows()
        self._runs: dict[Book, list[_Run]] = {}
        """Those reported, as long as their days are kept."""
        self._left: list[Book] = []
        """Still to be looked at this midnight: a look has one finding at most."""
        self._today = -1

    def candidates(self, step: Step) -> Candidates:
        """The first withdrawal of each day."""
        rows = self._flows.open(step)
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        return Recheck(transfer.src, midnight_us(day_of(context.now_us) + 1))

    def recheck(self, context: Context, account: int) -> Outcome:
        """At midnight: the days that are over."""
        self._flows.advance(context.as_of)
        p = in_force(Parameters, self.id, context.rules)
        today = day_of(context.now_us)
        if today != self._today:
            self._today, self._left = today, self._flows.busy(today - 1, p.min_takers)
        while self._left:
            found = self._looked_at(context, self._left.pop(0), p)
            if found is not None:
                return replace(found, again=Recheck(account, context.now_us)) if self._left else found
        return None

    def _looked_at(self, context: Context, book: Book, p: Parameters) -> Finding | None:
        today, totals = self._today, self._flows.totals(book, self._today)
        runs = [one for one in self._runs.get(book, ()) if one.last >= totals.first_day]
        peak = _peak(totals, today, p, {day for one in runs for day in range(one.start, one.last + 1)})
        if peak is None or _is_due(context, book, peak):
            return None
        takers = {one for day in range(peak.start, today) for one in self._flows.takers(book, day)}
        start = runs.pop().start if runs and runs[-1].last >= peak.start else peak.start
        found = _finding(context, book, peak, sorted(takers), start, today, p)
        if found is not None:
            self._runs[book] = [*runs, _Run(start, today - 1)]
        return found

    def absorb(self, step: Step) -> None:  # noqa: ARG002
        self._flows.close()


def _peak(totals: Totals, today: int, p: Parameters, reported: Collection[int]) -> _Peak | None:
    """None where some day of the last `run_days` on which people took is a usual one, or all together."""
    first = totals.first_day
    lately = range(max(first, today - p.span_days), today)
    days = [day for day in lately if totals.takers[day - first]][-p.run_days :]
    if len(days) < p.run_days:
        return None
    start, minors, takers = days[0], [], []
    for day in days:
        minor = usual(totals.took_minor, first, day, start, reported)
        people = usual(totals.takers, first, day, start, reported)
        if minor is None or people is None:
            return None
        came = totals.takers[day - first]
        if came < p.min_takers or came * _WHOLE <= people.middle * p.growth_bp:
            return None
        minors.append(minor)
        takers.append(people)
    peak = _Peak(
        start,
        sum(totals.took_minor[start - first :]),
        sum(totals.took_minor[start - first :]) - sum(totals.brought_minor[start - first :]),
        sum(totals.takers[start - first :]),
        totals.takers[-1],
        ceiling(minors, p.z, p.growth_bp),
        ceiling(takers, p.z, p.growth_bp),
        all(day.enough for day in minors),
    )
    return peak if peak.minor > peak.usual_minor and peak.takers > peak.usual_takers else None


def _is_due(context: Context, book: Book, peak: _Peak) -> bool:
    """The product had come to its end when people began to take."""
    record = context.registry.product(book.product_id, context.now_us) if book.product_id else None
    due_us = record.due_at if record else None
    return due_us is not None and due_us < midnight_us(peak.start + 1)


def _finding(
    context: Context,
    book: Book,
    peak: _Peak,
    takers: Sequence[int],
    start: int,
    today: int,
    p: Parameters,
) -> Finding | None:
    """Of a run that began on day `start`. None where what is there lasts."""
    institution_id, product_id, currency = *book[:2], context.graph.currency(book.currency)
    pot = Controlled(context, institution_id, HOLDING, currency, p.flow_days, p.max_edges, product_id)
    held = pot.held()
    if peak.net_minor <= 0 or held.minor * p.run_days >= peak.net_minor * p.cover_days:
        return None
    start_us, end_us = midnight_us(peak.start), midnight_us(today) - 1
    attributed = _largest(context, book, takers[: p.max_takers], (start_us, end_us), p)
    edges = context.graph.edges(attributed) if attributed else None
    run = Run(
        institution_id=institution_id,
        product_id=product_id,
        first_us=start_us,
        last_us=end_us,
        minor=peak.minor,
        net_minor=peak.net_minor,
        held_minor=held.minor,
        currency=currency,
        days=p.run_days,
        takers=peak.takers,
        last_takers=peak.last_takers,
        usual_takers=peak.usual_takers,
        usual_minor=peak.usual_minor,
        cover_days=max(0, held.minor) * p.run_days // peak.net_minor,
        shown_us=int(edges.ts_us[0]) if edges is not None else context.now_us,
    )
    missing = tuple(
        name
        for name, is_missing in (("feed.balance", not held.stated), ("feed.history", not peak.baselined))
        if is_missing
    )
    kind = SubjectKind.product if product_id else SubjectKind.institution
    return Finding(
        subject=Subject(kind=kind, id=product_id or institution_id),
        institution_id=institution_id,
        accounts=pot.accounts,
        attributed=attributed,
        amount_minor=peak.minor,
        currency=currency,
        confidence=_confidence(peak, held, missing),
        severity=(
            factor("rule", 50, "流动性将尽", "liquidity runs out"),
            by_amount(peak.minor, currency),
        ),
        law=RedemptionRun.law,
        parameters=shown(p),
        explanation=explanation(run),
        missing=missing,
        limits=(
            *pot.limits,
            *((Limit(name="takers", bound=p.max_takers),) if len(takers) > p.max_takers else ()),
            *context.limits,
        ),
        matter=day_text(midnight_us(start)),
    )


def _largest(
    context: Context, book: Book, takers: Sequence[int], span_us: tuple[int, int], p: Parameters
) -> dict[int, int]:
    """The largest withdrawals by `takers`: out of clients' own accounts, else into whatever account was
    paid."""
    graph, product = context.graph, context.graph.product_code(book.product_id)
    found: list[tuple[int, int]] = []
    for account in takers:
        is_client = bool(context.marks[account] & CLIENT)
        ask = graph.edges_out if is_client else graph.edges_in
        edges = ask(account, *span_us, context.as_of, p.max_taken)
        taken = _IS_TAKEN[edges.purpose] | (is_client & (edges.purpose == Purpose.unknown))
        if product:
            taken &= edges.product == product
        amounts, seqs = edges.amount_minor[taken].tolist(), edges.seq[taken].tolist()
        found += [(-minor, seq) for minor, seq in zip(amounts, seqs, strict=True)]
    return {seq: -minor for minor, seq in sorted(found)[:_SHOWN]}


def _confidence(peak: _Peak, held: Held, missing: Sequence[str]) -> tuple[Factor, ...]:
    factors = [factor("peak", 60, "提取金额与人数超出自身基线", "more people take more than is usual here")]
    if peak.takers > 3 * peak.usual_takers:
        factors.append(
            factor("many", 15, "人数为往常上限三倍以上", "three times as many as is usual at most")
        )
    if held.minor < peak.net_minor:
        factors.append(factor("cover", 15, "余额不足再支撑同样长的时间", "it will not last as long again"))
    return (*factors, *lacking(missing, 15))
