"""挤兑: more clients than usual take out more than usual, for days, and what is there will not last.

Every midnight after somebody took money out, the institution's last days are held against its own history:
withdrawals and redemptions out of its clients', custody, reserve and product accounts, and the number of
distinct clients who took. Each of the days must be above the most that is usual for its weekday and for its
day of the month (median and median absolute deviation), in amount and in people; so a salary day, or a
festival's peak that the history has seen, is none. And what the institution holds for its clients, by the
banks' statements, must last less than some days at the net outflow of those days.

Where the feed states no purpose, only money between clients' own accounts and the world outside counts. An
institution seen for less than two weeks has no baseline; one for less than four weeks also has that of all
its days, which `missing` names, as it does statements that are not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.record import Bilingual
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.beijing import day_of, midnight_us
from services.detector.books.baseline import usual
from services.detector.books.controlled import Controlled, Held
from services.detector.books.day_flows import HOLDING, Book, DayFlows, Totals
from services.detector.explanations.redemption_run import Run, explanation
from services.detector.parties.entities import Entities
from services.detector.parties.marks import CLIENT, bits_of
from services.detector.severity import by_amount
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

_SHOWN: Final = 20
_ROLES: Final = frozenset({*HOLDING, AccountRole.client})
_KEPT: Final = bits_of(_ROLES)


@dataclass(frozen=True, slots=True)
class Parameters:
    run_days: int = parameter(3, "assumption: a run is not over in a day, and a rumour is")
    z: int = parameter(5, "assumption: five deviations above the median of like days")
    growth_bp: int = parameter(20_000, "assumption: and at least twice that median")
    cover_days: int = parameter(7, "assumption: a week to raise money")
    min_takers: int = parameter(20, "assumption: fewer people are no run")
    flow_days: int = parameter(30, "how far back flows tell what is there")
    max_takers: int = parameter(500, "bound on the clients among whose withdrawals the largest are shown")
    max_edges: int = parameter(100_000, "bound on the transfers of one account that are added up")


class _Peak(NamedTuple):
    """The days of a run. `usual_*`: the most that is usual for the last of them."""

    minor: int
    net_minor: int
    takers: int
    usual_minor: int
    usual_takers: int
    baselined: bool


class RedemptionRun(Typology):
    id = "redemption_run"
    name = Bilingual(zh="挤兑", en="Run of withdrawals")
    law = (Citation(document="CP", article="监测预警"),)
    parameters = Parameters
    needs = ("feed.balance", "feed.history")
    look_alikes = (
        Bilingual(zh="发薪日", en="salary day"),
        Bilingual(zh="基线中已有的节日高峰", en="festival peaks seen in the baseline"),
    )

    def __init__(self) -> None:
        self._flows = DayFlows()

    def candidates(self, step: Step) -> Candidates:
        """The first withdrawal of each institution on each day."""
        rows = self._flows.open(step)
        return Candidates(rows, step.applied.src[rows])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        return Recheck(transfer.src, midnight_us(day_of(context.now_us) + 1))

    def recheck(self, context: Context, account: int) -> Outcome:
        """At midnight: the days that are over."""
        self._flows.advance(context.as_of)
        records = Entities(context).accounts(account)
        whose = next((one.institution_id for one in records if one.role in _ROLES), None)
        p = in_force(Parameters, self.id, context.rules)
        today = day_of(context.now_us)
        for book in self._flows.books_of(whose) if whose else ():
            peak = _peak(self._flows.totals(book, today), today, p)
            if peak is None:
                continue
            takers = {
                one for day in range(today - p.run_days, today) for one in self._flows.takers(book, day)
            }
            found = _finding(context, book, peak, sorted(takers), today, p)
            if found is not None:
                return found
        return None

    def absorb(self, step: Step) -> None:  # noqa: ARG002
        self._flows.close()


def _peak(totals: Totals, today: int, p: Parameters) -> _Peak | None:
    """None where some day of the last `run_days` is a usual one."""
    first, start = totals.first_day, today - p.run_days
    if start < first:
        return None
    limits = []
    for day in range(start, today):
        minor = usual(totals.took_minor, first, day, start, p.z, p.growth_bp)
        takers = usual(totals.takers, first, day, start, p.z, p.growth_bp)
        place = day - first
        if minor is None or takers is None or totals.takers[place] < p.min_takers:
            return None
        if totals.took_minor[place] <= minor[0] or totals.takers[place] <= takers[0]:
            return None
        limits.append((minor, takers))
    (last_minor, enough), (last_takers, _) = limits[-1]
    took = sum(totals.took_minor[-p.run_days :])
    net = took - sum(totals.brought_minor[-p.run_days :])
    return _Peak(took, net, totals.takers[-1], last_minor, last_takers, enough)


def _finding(
    context: Context, book: Book, peak: _Peak, takers: Sequence[int], today: int, p: Parameters
) -> Finding | None:
    """None where what is there lasts."""
    institution_id, currency = book[0], context.graph.currency(book[1])
    pot = Controlled(context, institution_id, HOLDING, currency, p.flow_days, p.max_edges)
    held = pot.held()
    if peak.net_minor <= 0 or held.minor * p.run_days >= peak.net_minor * p.cover_days:
        return None
    start_us, end_us = midnight_us(today - p.run_days), midnight_us(today) - 1
    attributed = _largest(context, (*pot.accounts, *takers[: p.max_takers]), start_us, end_us, p)
    edges = context.graph.edges(attributed) if attributed else None
    run = Run(
        institution_id=institution_id,
        first_us=start_us,
        last_us=end_us,
        minor=peak.minor,
        net_minor=peak.net_minor,
        held_minor=held.minor,
        currency=currency,
        days=p.run_days,
        takers=peak.takers,
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
    return Finding(
        subject=Subject(kind=SubjectKind.institution, id=institution_id),
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
            *context.graph.limits,
        ),
    )


def _largest(
    context: Context, accounts: Sequence[int], since_us: int, until_us: int, p: Parameters
) -> dict[int, int]:
    """The largest withdrawals out of accounts in which clients' money is kept."""
    found: list[tuple[int, int]] = []
    kept = np.asarray(accounts, np.int64)
    for account in kept[(context.marks[kept] & _KEPT) != 0].tolist():
        edges = context.graph.edges_out(account, since_us, until_us, context.as_of, p.max_edges)
        unstated = (edges.purpose == Purpose.unknown) & bool(context.marks[account] & CLIENT)
        taken = np.isin(edges.purpose, (Purpose.withdraw, Purpose.redemption)) | unstated
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
