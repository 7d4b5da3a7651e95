"""备付金计息: a bank pays interest on an account that keeps clients' reserves.

Interest credited from outside or from a bank's account to a reserve account of a payment institution, or
to a special-business or cooperating institution's account that keeps the same money; or a bank's payment
by another name, a refund say, that no client ordered and that the institution takes over in the same
amount for its own account, again and again. Interest on its filed own-fund account is the institution's
own and is fine, and so is interest that a client had paid over the institution on an instruction. Until
the rectification plan interest was allowed with a provision for risks, and nothing is found; nor is what
the central bank paid on what it held, while it did.

Where the feed leaves the purpose out: a credit from outside or from a bank, without an instruction, that
is the only one of its kind on the day on which banks credit quarterly interest, in two quarters running,
is a suspicion of low confidence. Interest credited on other days, or by another name, is then not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from compiled import Bools, Int64s
from schemas.alert import Citation, EvidenceEdge, Factor, Limit
from schemas.instant import DAY
from schemas.record import Bilingual
from schemas.registry import Account, AccountRole
from schemas.transaction import Purpose
from services.detector.beijing import day_of, midnight_us
from services.detector.books.rebates import Rebates
from services.detector.evidence import keep
from services.detector.explanations.reserve_interest import Interest, Way, explanation
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.parties.entities import Entities
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
    lacking,
    parameter,
    shown,
)

_FINANCE: Final = "J"
"""GB/T 4754: finance."""
_RESERVES: Final = frozenset({AccountRole.reserve, AccountRole.partner_reserve, AccountRole.special_business})
_KEPT: Final = bits_of(_RESERVES)
_OWN: Final = bits_of({AccountRole.own, AccountRole.filed_own})
_FUNDS: Final = frozenset({AccountRole.product_vehicle, AccountRole.fund_sales})
_OTHER_NAMES: Final = (Purpose.refund, Purpose.transfer, Purpose.fee)
"""What interest may be called; without a purpose it is looked for on the interest days only."""
_MOVES: Final = either(
    sieve(payee=_KEPT, purposes=[Purpose.interest, Purpose.unknown, *_OTHER_NAMES], facts=Fact.between_two),
    sieve(payer=_KEPT, payee=_OWN, facts=Fact.between_two),
)
"""Credits to reserves that may be interest, and what goes from there to an institution's own."""
_INTEREST_MONTHS: Final = (3, 6, 9, 12)
_INTEREST_DAY: Final = 21
_QUARTER_DAYS: Final = 92
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Parameters:
    interest_allowed: int = parameter(0, "RP 二.3.1; schemas/law has the time before it")
    central_bank_pays: int = parameter(0, "RP 二.3.1; schemas/law has the time in which it did (s)")
    central_banks: tuple[str, ...] = parameter(
        ("pbc",), "assumption: the registry's own id of the People's Bank, which is free text"
    )
    min_rebates: int = parameter(2, "assumption: once may be a charge given back")
    rebate_days: int = parameter(31, "assumption: taken over within the month")
    span_days: int = parameter(366, "assumption: a year's interest is shown together")
    max_credits: int = parameter(100, "bound on the credits of one account that are kept")


class ReserveInterest(Typology):
    id = "reserve_interest"
    name = Bilingual(zh="备付金计息", en="Interest on clients' reserves")
    law = (Citation(document="RP", article="二.3.1"),)
    parameters = Parameters
    needs = ("registry.account", "registry.party", "feed.purpose")
    look_alikes = (
        Bilingual(zh="备案自有资金账户的利息", en="interest on filed_own"),
        Bilingual(zh="客户委托经备付金支付的利息", en="interest that a client pays over the institution"),
        Bilingual(zh="银行退回误收的一笔费用", en="a charge that a bank gives back once"),
    )

    def __init__(self) -> None:
        self._credits: dict[tuple[int, int], list[EvidenceEdge]] = {}
        """By account and currency: interest as stated."""
        self._unstated: dict[tuple[int, int], dict[int, list[EvidenceEdge]]] = {}
        """By account and currency: credits of the last two interest days, two of each at most."""
        self._rebates: dict[tuple[int, int], Rebates] = {}

    def candidates(self, step: Step) -> Candidates:
        """Credits to reserves that may be interest, and what goes from there to the institution's own."""
        applied, rows = step.applied, step.passing(_MOVES)
        if not rows.size:
            return NOBODY
        purpose = applied.purpose[rows]
        taken = ((step.src_marks[rows] & _KEPT) != 0) & ((step.dst_marks[rows] & _OWN) != 0)
        unstated = (purpose != Purpose.unknown) | _on_interest_day(applied.ts_us[rows])
        chosen = taken | (purpose == Purpose.interest) | (unstated & ~step.instructed[rows])
        rows, taken = rows[chosen], taken[chosen]
        return Candidates(rows, np.where(taken, applied.src[rows], applied.dst[rows]))

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        if transfer.is_reversal or parameters.interest_allowed:
            return None
        reserve = _reserve(context, transfer.account)
        if reserve is None:
            return None
        if transfer.account == transfer.src:
            return self._take_over(context, transfer, reserve, parameters)
        payer = _payer(context, transfer)
        if payer is None or _is_central_banks(context, transfer, reserve, parameters):
            return None
        key = transfer.dst, transfer.currency
        edge = keep(context, transfer.leg, transfer.amount_minor)
        if transfer.purpose in _OTHER_NAMES:
            if payer.is_bank:
                self._rebates.setdefault(key, Rebates(parameters.max_credits)).come(edge)
            return None
        if transfer.purpose is Purpose.unknown:
            return self._remember(key, day_of(transfer.ts_us), edge)
        credits = self._credits.setdefault(key, [])
        credits.append(edge)
        since_us = context.now_us - parameters.span_days * DAY
        credits[:] = [one for one in credits if one.ts >= since_us][-parameters.max_credits :]
        return _finding(context, reserve, transfer.dst, credits, payer, parameters)

    def _take_over(
        self, context: Context, transfer: Transfer, reserve: Account, parameters: Parameters
    ) -> Outcome:
        """The institution takes for itself what a bank had paid, if it is that."""
        rebates = self._rebates.get((transfer.src, transfer.currency))
        if rebates is None:
            return None
        own = keep(context, transfer.leg, 0)
        since_us, kept_us = (
            context.now_us - days * DAY for days in (parameters.rebate_days, parameters.span_days)
        )
        if not rebates.take_over(own, since_us, kept_us):
            return None
        if len(rebates.credits) < parameters.min_rebates:
            return None
        finding = _finding(context, reserve, transfer.src, rebates.credits, _REBATES, parameters)
        return replace(finding, earlier=(*finding.earlier, *rebates.taken), matter=_REBATES.way)

    def _remember(self, key: tuple[int, int], day: int, edge: EvidenceEdge) -> Recheck:
        days = self._unstated.setdefault(key, {})
        of_day = days.setdefault(day, [])
        if len(of_day) < 2:
            of_day.append(edge)
        for past in sorted(days)[:-2]:
            del days[past]
        return Recheck(key[0], midnight_us(day + 1))

    def recheck(self, context: Context, account: int) -> Outcome:
        """At the end of an interest day: was there one credit, as three months before?"""
        reserve = _reserve(context, account)
        if reserve is None:
            return None
        today = day_of(context.now_us) - 1
        for (holder, _), days in self._unstated.items():
            before = [day for day in days if today - _QUARTER_DAYS <= day < today]
            if holder != account or today not in days or not before:
                continue
            pair = [*days[before[-1]], *days[today]]
            if len(pair) == 2:
                parameters = in_force(Parameters, self.id, context.rules)
                return _finding(context, reserve, account, pair, _UNSTATED, parameters)
        return None


@dataclass(frozen=True, slots=True)
class _Payer:
    """Who paid, how sure it is that it was interest of a bank, and what is missing to be surer."""

    points: int
    because: Bilingual
    missing: tuple[str, ...] = ()
    is_bank: bool = False
    way: Way = "stated"


_REBATES: Final = _Payer(
    65,
    Bilingual(
        zh="银行多次付入、无客户指令，机构原额转入自有账户",
        en="a bank paid again and again, and the institution took over the same amounts",
    ),
    is_bank=True,
    way="rebates",
)
_UNSTATED: Final = _Payer(
    35,
    Bilingual(
        zh="两个季度的结息日各有唯一一笔无指令的入账",
        en="the only credit without an instruction on the interest day of two quarters",
    ),
    ("feed.purpose",),
    way="unstated",
)


def _on_interest_day(ts_us: Int64s) -> Bools:
    """Banks settle interest on the 20th of each quarter's last month and credit it on the 21st."""
    days = day_of(ts_us)
    first, last = int(days.min()), int(days.max())
    if last - first > _QUARTER_DAYS:
        chosen = [day for day in np.unique(days).tolist() if _is_interest_day(day)]
    else:
        chosen = [day for day in range(first, last + 1) if _is_interest_day(day)]
    return np.isin(days, chosen) if chosen else np.zeros(days.size, np.bool_)


def _is_interest_day(day: int) -> bool:
    civil = _EPOCH + timedelta(days=day)
    return civil.day == _INTEREST_DAY and civil.month in _INTEREST_MONTHS


def _reserve(context: Context, account: int) -> Account | None:
    records = context.registered.accounts(account, context.now_us)
    return next((one for one in records if one.role in _RESERVES and one.institution_id), None)


def _is_central_banks(context: Context, transfer: Transfer, reserve: Account, parameters: Parameters) -> bool:
    """What the central bank pays on what it holds, while it does."""
    if not parameters.central_bank_pays or reserve.bank not in parameters.central_banks:
        return False
    payers = context.registered.accounts(transfer.src, context.now_us)
    return transfer.src == OUTSIDE_INDEX or any(one.bank in parameters.central_banks for one in payers)


def _payer(context: Context, transfer: Transfer) -> _Payer | None:
    """None: a client or somebody else who is no bank."""
    entities = Entities(context)
    if transfer.instruction:
        return None
    if transfer.src == OUTSIDE_INDEX:
        return _Payer(80, Bilingual(zh="由行外入账，用途为利息", en="credited from outside as interest"))
    if not entities.accounts(transfer.src):
        because = Bilingual(
            zh="用途为利息，付款账户未登记", en="stated as interest, the payer is unregistered"
        )
        return _Payer(70, because, ("registry.account",))
    industry = entities.industry(transfer.src)
    if industry == _FINANCE:
        because = Bilingual(zh="付款人是金融机构", en="the payer is a financial firm")
        return _Payer(90, because, is_bank=not entities.roles(transfer.src) & _FUNDS)
    if industry or entities.ties(transfer.src) or entities.client_of(transfer.src):
        return None
    because = Bilingual(
        zh="用途为利息，付款人行业不明", en="stated as interest, the payer's trade is unknown"
    )
    return _Payer(70, because, ("registry.party",))


def _finding(
    context: Context,
    reserve: Account,
    account: int,
    credits: list[EvidenceEdge],
    payer: _Payer,
    parameters: Parameters,
) -> Finding:
    minor, currency = sum(one.amount_minor for one in credits), credits[0].currency
    interest = Interest(
        reserve.institution_id or "",
        context.token(account),
        min(one.ts for one in credits),
        max(one.ts for one in credits),
        len(credits),
        minor,
        currency,
        way=payer.way,
    )
    full = len(credits) == parameters.max_credits
    cut = (Limit(name="credits", bound=parameters.max_credits),) if full else ()
    return Finding(
        subject=context.subject(account),
        institution_id=reserve.institution_id,
        accounts=(account,),
        attributed={},
        amount_minor=minor,
        currency=currency,
        confidence=_confidence(payer),
        severity=(
            factor("rule", 30, "备付金不得计息", "reserves must bear no interest"),
            by_amount(minor, currency),
        ),
        law=ReserveInterest.law,
        parameters=shown(parameters),
        explanation=explanation(interest),
        missing=payer.missing,
        limits=(*cut, *context.limits),
        earlier=tuple(credits),
    )


def _confidence(payer: _Payer) -> tuple[Factor, ...]:
    factors = [factor("payer", payer.points, payer.because.zh, payer.because.en)]
    return (*factors, *lacking(payer.missing))
