"""变相跨行清算: an institution takes money in at one bank and pays it out at another, for third parties.

Somebody pays an account of the institution at bank A; within T the institution pays somebody else, out of
an account at bank B, as much, or less by at most a fee, at once or in a few parts. Neither is the
institution itself, no clearing house took part at either account in between, and neither account is at the
central bank. It fires when this has happened at least N times within the window and answers for most of
what the institution paid third parties at such accounts of bank B, so that it is no chance. Each account
paid out of is an alert, which shows all of it until none of bank B's has been used so for a window.

Moving its own funds between its own accounts is fine; so are wallet services: what is stated to be a
top-up, a withdrawal, a refund, a fee or an investment is not counted. Where both transfers name a client's
instruction, it must be the same one. Where the feed leaves purposes out, all transfers count and the
finding is less sure. Currencies are judged apart; the floor is in minor units of each.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from schemas.alert import Citation, EvidenceEdge, Factor, Limit, Subject, SubjectKind
from schemas.instant import DAY, HOUR
from schemas.record import Bilingual
from schemas.registry import Account, AccountRole
from schemas.transaction import Purpose
from services.detector.beijing import day_of
from services.detector.evidence import keep
from services.detector.explanations.disguised_clearing import Cleared, explanation
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.legs import Leg
from services.detector.parties.entities import Entities
from services.detector.parties.houses import HOUSE, HOUSE_ROLES, Houses
from services.detector.severity import by_amount
from services.detector.sieve import either, sieve
from services.detector.typology import (
    Candidates,
    Context,
    Finding,
    Outcome,
    Step,
    Transfer,
    Typology,
    factor,
    in_force,
    lacking,
    least,
    parameter,
    shown,
)

_WHOLE: Final = 10_000
_SERVING: Final = (
    Purpose.unknown,
    Purpose.transfer,
    Purpose.purchase,
    Purpose.merchant_settlement,
    Purpose.reserve_transfer,
)
_WITH_OTHERS: Final = either(
    sieve(payee=HOUSE, not_payer=HOUSE, purposes=_SERVING),
    sieve(payer=HOUSE, not_payee=HOUSE, purposes=_SERVING),
)
_MAX_PAIRS: Final = 500


@dataclass(frozen=True, slots=True)
class Parameters:
    """T, N and the fee."""

    window_days: int = parameter(30, "assumption: a month")
    within_hours: int = parameter(48, "assumption: T, from any hour of a day to any of the next")
    min_pairs: int = parameter(5, "assumption: N, a business rather than a favour")
    max_parts: int = parameter(5, "assumption: parts in which one payment is handed on")
    fee_bp: int = parameter(100, "assumption: at most one per cent is kept")
    floor_minor: int = parameter(100_000, "assumption: CNY 1,000; small round amounts match by chance")
    share_bp: int = parameter(5_000, "assumption: most of what is paid to third parties there")
    central_banks: tuple[str, ...] = parameter(
        ("pbc",), "assumption: the registry's own id of the People's Bank, which is free text"
    )
    max_waiting: int = parameter(5_000, "bound on the payments in that wait for their match")


class _In(NamedTuple):
    """A payment in that may be matched, ordered by amount."""

    amount_minor: int
    ts_us: int
    seq: int
    leg: Leg
    bank: str
    instruction: str


class _Pair(NamedTuple):
    """`left` answers to `came`; both as evidence that stays."""

    came: EvidenceEdge
    left: tuple[EvidenceEdge, ...]
    accounts: frozenset[int]
    payer: str
    from_bank: str
    to_bank: str

    @property
    def last_us(self) -> int:
        return self.left[-1].ts

    @property
    def left_minor(self) -> int:
        return sum(one.amount_minor for one in self.left)


@dataclass(slots=True)
class _Book:
    """Of one institution in one currency."""

    waiting: list[_In] = field(default_factory=list)
    parts: OrderedDict[tuple[str, str], list[Leg]] = field(default_factory=OrderedDict)
    """By bank and payee, as tokens: recent payments out that answer to nothing yet."""
    pairs: deque[_Pair] = field(default_factory=lambda: deque(maxlen=_MAX_PAIRS))
    paid: dict[tuple[int, str], int] = field(default_factory=dict)
    """What third parties were paid, by Beijing day and bank; days of the window are kept."""
    is_cut: bool = False


class DisguisedClearing(Typology):
    id = "disguised_clearing"
    name = Bilingual(zh="变相跨行清算", en="Disguised interbank clearing")
    law = (Citation(document="RP", article="二.3.2"),)
    parameters = Parameters
    needs = ("registry.account", "feed.purpose")
    look_alikes = (
        Bilingual(zh="在自有账户之间调拨自有资金", en="moving its own funds between its own accounts"),
        Bilingual(zh="经清算机构处理的跨行支付", en="payments over a clearing house"),
        Bilingual(zh="客户钱包充值与提现", en="clients' top-ups and withdrawals"),
    )

    def __init__(self) -> None:
        self._houses = Houses()
        self._books: dict[tuple[str, int], _Book] = {}
        self._cleared_us: dict[int, int] = {}
        """By account: when a clearing house last paid it or was paid."""

    def candidates(self, step: Step) -> Candidates:
        """Large enough transfers between somebody and an account of an institution at several banks."""
        applied = step.applied
        rows = step.passing(_WITH_OTHERS, least(Parameters, self.id, "floor_minor", step))
        into = (step.dst_marks[rows] & HOUSE) != 0
        accounts = np.where(into, applied.dst[rows], applied.src[rows])
        central = frozenset(in_force(Parameters, self.id, step.rules[0]).central_banks)
        several = self._houses.of_several_banks(step, accounts, central)
        return Candidates(rows[several], accounts[several])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        parameters = in_force(Parameters, self.id, context.rules)
        entities = Entities(context)
        house = _house(entities, transfer.account, parameters)
        if house is None or house.institution_id is None or transfer.is_reversal:
            return None
        other = transfer.src if transfer.account == transfer.dst else transfer.dst
        if AccountRole.clearing_house in entities.roles(other):
            self._cleared_us[transfer.account] = transfer.ts_us
            return None
        if other == OUTSIDE_INDEX or entities.entity(other) == entities.entity(transfer.account):
            return None
        book = self._books.setdefault((house.institution_id, transfer.currency), _Book())
        if transfer.account == transfer.dst:
            _wait(book, transfer, house.bank, parameters)
            return None
        _forget(book, context.now_us - parameters.window_days * DAY)
        of_day = day_of(transfer.ts_us), house.bank
        book.paid[of_day] = book.paid.get(of_day, 0) + transfer.amount_minor
        pair = self._pair(context, entities, book, transfer, house.bank, parameters)
        if pair is None:
            return None
        book.pairs.append(pair)
        return _finding(context, house, book, pair, parameters)

    def _pair(
        self,
        context: Context,
        entities: Entities,
        book: _Book,
        transfer: Transfer,
        bank: str,
        parameters: Parameters,
    ) -> _Pair | None:
        """What the payment out answers to by itself, else together with those to the payee before it."""
        key, since_us = (bank, entities.entity(transfer.dst)), transfer.ts_us - parameters.within_hours * HOUR
        oldest = context.graph.oldest(context.as_of)  # at the stated maximum the window is shorter than a day
        before = [one for one in book.parts.pop(key, []) if one.ts_us >= since_us and one.seq >= oldest]
        legs = [*before, transfer.leg][-parameters.max_parts :]
        for first in reversed(range(len(legs))):
            came = self._match(entities, book, transfer, legs[first:], bank, oldest, parameters)
            if came is not None:
                return _Pair(
                    keep(context, came.leg, came.amount_minor),
                    tuple(keep(context, one, one.amount_minor) for one in legs[first:]),
                    frozenset({came.leg.dst, *(one.src for one in legs[first:])}),
                    context.token(transfer.src),
                    came.bank,
                    bank,
                )
        book.parts[key] = legs
        if len(book.parts) > parameters.max_waiting:
            book.parts.popitem(last=False)
        return None

    def _match(
        self,
        entities: Entities,
        book: _Book,
        transfer: Transfer,
        left: list[Leg],
        bank: str,
        oldest: int,
        parameters: Parameters,
    ) -> _In | None:
        """The payment in at another bank, of those the graph holds, that is closest in amount to `left`, the
        transfer its last."""
        since_us = transfer.ts_us - parameters.within_hours * HOUR
        payee, cleared_us = entities.entity(transfer.dst), self._cleared_us
        instruction, left_minor = transfer.instruction, sum(one.amount_minor for one in left)
        place = bisect_left(book.waiting, left_minor, key=lambda one: one.amount_minor)
        while place < len(book.waiting):
            came = book.waiting[place]
            if (came.amount_minor - left_minor) * _WHOLE > came.amount_minor * parameters.fee_bp:
                return None
            through_us = max(cleared_us.get(came.leg.dst, -1), cleared_us.get(transfer.src, -1))
            if (
                came.bank != bank
                and came.leg.seq >= oldest
                and since_us <= came.ts_us <= left[0].ts_us
                and through_us < came.ts_us
                and (not instruction or not came.instruction or instruction == came.instruction)
                and entities.entity(came.leg.src) != payee
            ):
                del book.waiting[place]
                return came
            place += 1
        return None


def _house(entities: Entities, account: int, parameters: Parameters) -> Account | None:
    """The account as an institution's own or reserve account at a commercial bank."""
    for one in entities.accounts(account):
        if one.role in HOUSE_ROLES and one.bank not in parameters.central_banks:
            return one
    return None


def _wait(book: _Book, transfer: Transfer, bank: str, parameters: Parameters) -> None:
    leg = transfer.leg
    insort(book.waiting, _In(leg.amount_minor, leg.ts_us, leg.seq, leg, bank, transfer.instruction))
    if len(book.waiting) > parameters.max_waiting:
        since_us = transfer.ts_us - parameters.within_hours * HOUR
        book.waiting = [one for one in book.waiting if one.ts_us >= since_us]
    if len(book.waiting) > parameters.max_waiting:
        book.waiting.remove(min(book.waiting, key=lambda one: one.seq))
        book.is_cut = True


def _forget(book: _Book, since_us: int) -> None:
    if book.pairs and book.pairs[-1].last_us < since_us:
        book.pairs.clear()
    for of_day in [one for one in book.paid if one[0] < day_of(since_us)]:
        del book.paid[of_day]


def _finding(
    context: Context, house: Account, book: _Book, last: _Pair, parameters: Parameters
) -> Finding | None:
    to_bank = [one for one in book.pairs if one.to_bank == last.to_bank]
    since_us = context.now_us - parameters.window_days * DAY
    recent = [one for one in to_bank if one.last_us >= since_us]
    paid = sum(minor for (_, bank), minor in book.paid.items() if bank == last.to_bank)
    matched = sum(one.left_minor for one in recent)
    if len(recent) < parameters.min_pairs or matched * _WHOLE < parameters.share_bp * paid:
        return None
    told = [one for one in to_bank if one.payer == last.payer]
    minor, currency = sum(one.left_minor for one in told), last.came.currency
    edges = tuple(edge for one in told for edge in (one.came, *one.left))
    unstated = 2 * sum(edge.purpose == Purpose.unknown.name for edge in edges) > len(edges)
    missing = ("feed.purpose",) if unstated else ()
    banks = tuple(sorted({one.from_bank for one in told}))
    cleared = Cleared(
        house.institution_id or "",
        banks,
        last.to_bank,
        min(edge.ts for edge in edges),
        max(edge.ts for edge in edges),
        len(told),
        minor,
        parameters.within_hours,
        currency,
    )
    cut = (Limit(name="waiting", bound=parameters.max_waiting),) if book.is_cut else ()
    return Finding(
        subject=Subject(kind=SubjectKind.institution, id=house.institution_id or ""),
        institution_id=house.institution_id,
        accounts=tuple(sorted(frozenset().union(*(one.accounts for one in told)))),
        attributed={},
        amount_minor=minor,
        currency=currency,
        confidence=_confidence(recent, matched, paid, missing),
        severity=(
            factor("rule", 40, "支付机构不得变相跨行清算", "clearing between banks is not its business"),
            by_amount(minor, currency),
        ),
        law=DisguisedClearing.law,
        parameters=shown(parameters),
        explanation=explanation(cleared),
        missing=missing,
        limits=(*cut, *context.limits),
        earlier=edges,
        matter=last.payer,
    )


def _confidence(pairs: list[_Pair], matched: int, paid: int, missing: tuple[str, ...]) -> tuple[Factor, ...]:
    count = len(pairs)
    factors = [factor("pairs", min(60, 40 + count), f"共 {count} 组收付相符", f"{count} matched pairs")]
    if matched * _WHOLE >= paid * 9_000:
        factors.append(factor("whole", 15, "付出几乎全部对应他行收款", "nearly all paid there is matched"))
    return (*factors, *lacking(missing))
