"""备付金分散存放: clients' reserves stay overnight at a bank where they may not be that day.

A reserve account, or a cooperating institution's, at a bank that is neither the central bank nor, before
all reserves were centralised, a qualified commercial bank, still holds money at the end of a Beijing day
that came in by then. So does an own account on which clients' top-ups land: what they top up is reserve
wherever it is put, and counts until as much has left. What comes in and leaves within the day is clearing
in transit and is fine. Special-business accounts (特定业务专用账户) are the exceptions that the notice of
2018 left at commercial banks.

What is held is counted from transfers, from below, as the account's opening balance is not known; and for
reserve accounts taken from the bank's closing statement where there is one. The partial
centralisation of 2017 and 2018 is not judged, as it depends on each institution's class. Before 2019-01-14
every registered bank is taken for qualified unless `qualified_banks` lists those that are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from schemas.alert import Citation, Factor
from schemas.balance import Balance, BalanceKind
from schemas.instant import DAY, HOUR
from schemas.record import Bilingual
from schemas.registry import Account, AccountRole, InstitutionKind
from schemas.transaction import Purpose
from services.detector.beijing import day_of, midnight_us
from services.detector.books.net_flows import NetFlows
from services.detector.explanations.reserve_location import Elsewhere, explanation
from services.detector.parties.marks import bits_of
from services.detector.severity import by_amount
from services.detector.sieve import Fact, either, sieve
from services.detector.typology import (
    NOBODY,
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
    parameter,
    shown,
)
from services.detector.wording import role

_RESERVES: Final = frozenset({AccountRole.reserve, AccountRole.partner_reserve})
_MARKS: Final = bits_of(_RESERVES)
_OWN: Final = frozenset({AccountRole.own, AccountRole.filed_own})
_OWN_MARKS: Final = bits_of(_OWN)
_COMES: Final = either(
    sieve(payee=_MARKS, facts=Fact.between_two),
    sieve(payee=_OWN_MARKS, purposes=[Purpose.top_up], facts=Fact.between_two),
)
_LEAVES: Final = sieve(payer=_MARKS | _OWN_MARKS, facts=Fact.between_two)


_NEVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Parameters:
    central_banks: tuple[str, ...] = parameter(
        ("pbc",), "assumption: the registry's own id of the People's Bank, which is free text"
    )
    centralised: int = parameter(1, "Yin Ban Fa 2018-114 (s); schemas/law has the time before it")
    qualified_banks: tuple[str, ...] = parameter((), "RP 二.3.1: none listed, every bank counts as one")
    tolerance_minor: int = parameter(10_000, "assumption: in minor units of any currency, as in closing")
    window_days: int = parameter(30, "assumption: how far back the transfers shown reach")
    max_edges: int = parameter(500, "bound on the transfers in that are looked at for what is held")


class ReserveLocation(Typology):
    id = "reserve_location"
    name = Bilingual(zh="备付金分散存放", en="Reserves kept outside the central bank")
    law = (
        Citation(document="RP", article="二.3.1"),
        Citation(document="PBOC-2018-114", article="集中交存"),
    )
    parameters = Parameters
    needs = ("registry.account",)
    look_alikes = (
        Bilingual(zh="当日清算在途资金", en="clearing transit the same day"),
        Bilingual(zh="特定业务专用账户", en="special-business accounts"),
    )

    def __init__(self) -> None:
        self._flows = NetFlows()
        self._topped_up: dict[int, int] = {}
        """By own account: the first row of all batches that topped clients' money up there."""
        self._rows = 0
        """Of all batches before this one."""
        self._watched: dict[int, int] = {}
        """By account: the last day on which it was put down for the day's end."""

    def candidates(self, step: Step) -> Candidates:
        """The first transfer in of each day of what was ever a reserve account."""
        applied, into, out_of = step.applied, step.passing(_COMES), step.passing(_LEAVES)
        if not into.size and not out_of.size:
            return NOBODY
        for row in into[(step.dst_marks[into] & _OWN_MARKS) != 0].tolist():
            if applied.purpose[row] == Purpose.top_up:
                self._topped_up.setdefault(int(applied.dst[row]), self._rows + row)
        watched = (step.src_marks[out_of] & _MARKS) != 0
        for place in np.flatnonzero(~watched).tolist() if self._topped_up else ():
            first = self._topped_up.get(int(applied.src[out_of[place]]), _NEVER)
            watched[place] = first <= self._rows + out_of[place]
        self._flows.open(step, into, out_of[watched])
        accounts, days = applied.dst[into], day_of(applied.clock_us[into])
        chosen = list(self._firsts(accounts.tolist(), days.tolist()))
        return Candidates(into[chosen], accounts[chosen])

    def _firsts(self, accounts: list[int], days: list[int]) -> Iterator[int]:
        """Where an account first comes on a day."""
        for place, (account, day) in enumerate(zip(accounts, days, strict=True)):
            if self._watched.get(account, -1) < day:
                self._watched[account] = day
                yield place

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        self._flows.advance(transfer.row)
        return Recheck(transfer.account, _last_instant(day_of(context.now_us)))

    def recheck(self, context: Context, account: int) -> Outcome:
        """At the end of the day, by the law of that day; and of every day after it while money is there."""
        self._flows.advance_before(context.now_us)
        parameters = in_force(Parameters, self.id, context.rules)
        reserve = _elsewhere(context, account, parameters)
        held = self._flows.held_minor(account)
        self._flows.note_lowest(account)
        most = max(range(len(held)), key=lambda code: (held[code], -code))
        if reserve is None or held[most] <= parameters.tolerance_minor:
            return None
        again = Recheck(account, context.now_us + DAY)
        if _may_hold(reserve, parameters):
            return again
        currency, night = context.graph.currency(most), day_of(context.now_us)
        found = _finding(context, reserve, account, currency, held[most], night, parameters)
        return replace(found, again=again)

    def stated(self, context: Context, account: int, balance: Balance) -> Outcome:
        """A bank's statement of what was there within the last hour of a day."""
        parameters = in_force(Parameters, self.id, context.rules)
        minor, night = balance.balance_minor, day_of(balance.as_of)
        is_closing = balance.as_of >= _last_instant(night) - HOUR
        if balance.balance_kind is not BalanceKind.booked or not is_closing:
            return None
        if minor <= parameters.tolerance_minor or not context.marks[account] & _MARKS:
            return None
        reserve = _elsewhere(context, account, parameters)
        if reserve is None or reserve.role in _OWN or _may_hold(reserve, parameters):
            return None
        return _finding(context, reserve, account, balance.currency, minor, night, parameters)

    def absorb(self, step: Step) -> None:
        self._flows.close(step.applied.ts_us.size)
        self._rows += step.applied.ts_us.size


def _last_instant(day: int) -> int:
    return midnight_us(day + 1) - 1


def _may_hold(reserve: Account, parameters: Parameters) -> bool:
    qualified = not parameters.qualified_banks or reserve.bank in parameters.qualified_banks
    return not parameters.centralised and qualified


def _elsewhere(context: Context, account: int, parameters: Parameters) -> Account | None:
    """Its record as a reserve account, or a payment institution's own, that is not at the central bank."""
    for one in context.registered.accounts(account, context.now_us):
        keeps = one.role in _RESERVES or (one.role in _OWN and _is_for_payment(context, one))
        if keeps and one.bank not in parameters.central_banks:
            return one
    return None


def _is_for_payment(context: Context, own: Account) -> bool:
    institution = context.registry.institution(own.institution_id or "", context.now_us)
    return institution is not None and institution.institution_kind is InstitutionKind.payment


def _finding(
    context: Context,
    reserve: Account,
    account: int,
    currency: str,
    minor: int,
    night: int,
    parameters: Parameters,
) -> Finding:
    attributed, first_us = _newest(context, account, currency, reserve.role in _OWN, minor, parameters)
    elsewhere = Elsewhere(
        reserve.institution_id or "",
        role(reserve.role),
        context.token(account),
        reserve.bank,
        first_us,
        night,
        minor,
        currency,
    )
    return Finding(
        subject=context.subject(account),
        institution_id=reserve.institution_id,
        accounts=(account,),
        attributed=attributed,
        amount_minor=minor,
        currency=currency,
        confidence=_confidence(),
        severity=(
            factor("rule", 30, "备付金须集中存放", "reserves must be kept where the law says"),
            by_amount(minor, currency),
        ),
        law=ReserveLocation.law if parameters.centralised else ReserveLocation.law[:1],
        parameters=shown(parameters),
        explanation=explanation(elsewhere),
        limits=context.limits,
    )


def _newest(
    context: Context, account: int, currency: str, is_own: bool, minor: int, parameters: Parameters
) -> tuple[dict[int, int], int]:
    """The transfers in that are still there, first in, first out: the newest; and the first one's time,
    else now."""
    since_us = context.now_us - parameters.window_days * DAY
    edges = context.graph.edges_in(account, since_us, context.now_us, context.as_of, parameters.max_edges)
    codes = [one for one in np.unique(edges.currency).tolist() if context.graph.currency(one) == currency]
    counts = np.isin(edges.currency, codes)
    if is_own:
        counts &= edges.purpose == Purpose.top_up
    found: dict[int, int] = {}
    first_us = context.now_us
    for place in np.flatnonzero(counts)[::-1].tolist():
        if minor <= 0:
            break
        found[int(edges.seq[place])] = min(minor, int(edges.amount_minor[place]))
        first_us = int(edges.ts_us[place])
        minor -= int(edges.amount_minor[place])
    return found, first_us


def _confidence() -> tuple[Factor, ...]:
    return (factor("overnight", 80, "日终仍有余额", "money was there at the end of the day"),)
