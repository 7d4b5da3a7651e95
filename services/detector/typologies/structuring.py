"""拆分交易: several transfers kept just under a reporting limit that pass it together on one day.

A bank reports what one customer receives or pays in one Beijing day from a limit on, single or summed:
in cash, over the border, or by transfer, with a limit for persons and one for companies, each inclusive.
It fires when transfers that are each below the customer's limit reach it together, and either

- at least n of them lie just under it, whoever they go to; or
- at least N of like size go to one receiver (cash: come in, or go out): what is owed is paid at once,
  or in two parts that a day's limit of the payer's bank explains.

The customer is the payer; of cash that comes in from outside, the receiver. All accounts of a party are
one, and money between them does not count; nor does what accounts that keep others' money pay, nor what
is stated to be a salary, a tax, or a payment under a loan or product. Parts below a twentieth of the
limit are not counted. The limits are in CNY: transfers in other currencies are not judged, since the
law's limits for them are of their worth in USD and there is no exchange rate here.

Where the registry does not say what kind of party the customer is, the person's limit is taken; where
the feed states no channel, cash and cross-border transfers are judged as plain ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from schemas.alert import Citation, Factor, Limit, Subject, SubjectKind
from schemas.instant import to_micros
from schemas.record import Bilingual
from schemas.registry import AccountRole, PartyKind
from schemas.transaction import Purpose
from services.detector.beijing import day_of
from services.detector.books.stating import Stating
from services.detector.channels import CASH, CROSS_BORDER, sent_by
from services.detector.explanations.structuring import Split, explanation
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.parties.entities import Entities
from services.detector.parties.marks import KEPT_FOR_OTHERS, OTHER, bits_of
from services.detector.severity import by_amount
from services.detector.sieve import Fact, sieve
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
_CURRENCY: Final = "CNY"
_NO_ROWS: Final = np.zeros(0, np.bool_)
_NO_DAY: Final = -(2**62)
_ORDER_2016_3_US: Final = to_micros("2017-07-01T00:00:00+08:00")
_MIN_PART: Final = 20
"""A part is at least the limit divided by this."""
_EXPLAINED: Final = (
    Purpose.salary,
    Purpose.tax,
    Purpose.repay,
    Purpose.interest,
    Purpose.redemption,
    Purpose.disburse,
    Purpose.compensation,
    Purpose.refund,
    Purpose.merchant_settlement,
    Purpose.reserve_transfer,
)
_MAY_BE_PART: Final = sieve(
    purposes=[one for one in Purpose if one not in _EXPLAINED],
    facts=Fact.between_two,
    not_facts=Fact.reversal,
)
_KEEPERS: Final = KEPT_FOR_OTHERS | {AccountRole.product_vehicle}
_ORDINARY: Final = OTHER & ~bits_of({AccountRole.product_vehicle})


@dataclass(frozen=True, slots=True)
class Parameters:
    """Limits in minor units of CNY; n and N."""

    cash_minor: int = parameter(5_000_000, "PBoC Order 2016-3 (s)")
    cross_border_minor: int = parameter(20_000_000, "PBoC Order 2016-3 (s)")
    person_minor: int = parameter(50_000_000, "PBoC Order 2016-3 (s)")
    entity_minor: int = parameter(200_000_000, "PBoC Order 2016-3 (s)")
    near_bp: int = parameter(2_000, "assumption: just under is at most a fifth below the limit")
    min_near: int = parameter(2, "assumption: n; one alone passes nothing")
    min_alike: int = parameter(3, "assumption: N, more than a day's ordinary payments to one receiver")
    likeness_bp: int = parameter(5_000, "assumption: of like size is at least half the largest")
    max_parts: int = parameter(500, "bound on the parts of one customer and day that are kept")


class _Part(NamedTuple):
    seq: int
    amount_minor: int
    account: int
    """The customer's."""
    receiver: str


class _Day(NamedTuple):
    """Whose transfers of which day and kind."""

    customer: str
    day: int
    channel: str
    inward: bool


class Structuring(Typology):
    id = "structuring"
    name = Bilingual(zh="拆分交易", en="Structuring below reporting limits")
    law = (
        Citation(document="GO", article="十八"),
        Citation(document="PBOC-2016-3", article="大额交易"),
        Citation(document="PBOC-2006-2", article="大额交易"),
    )
    parameters = Parameters
    needs = ("registry.party", "feed.channel")
    look_alikes = (
        Bilingual(zh="租金", en="rent"),
        Bilingual(zh="代发工资", en="salaries"),
        Bilingual(zh="等额分期还款", en="instalments of equal size"),
    )

    def __init__(self) -> None:
        self._parts: dict[_Day, list[_Part]] = {}
        self._stating = Stating()
        self._cash = self._crossing = _NO_ROWS
        self._oldest = _NO_DAY
        """Of the days whose parts are kept."""

    def candidates(self, step: Step) -> Candidates:
        """Whatever may be a part: by amount and purpose, from accounts that are not registered only to
        keep others' money."""
        applied = step.applied
        cash, crossing = self._cash, self._crossing = sent_by(step, CASH, CROSS_BORDER)
        stated = cash | crossing
        self._stating.open(step.batch, stated)
        smallest = {
            name: least(Parameters, self.id, name, step) // _MIN_PART
            for name in ("person_minor", "cash_minor", "cross_border_minor")
        }
        rows = step.passing(_MAY_BE_PART, min(smallest.values()))
        rows = rows[stated[rows] | (applied.amount_minor[rows] >= smallest["person_minor"])]
        deposited = cash[rows] & (applied.src[rows] == OUTSIDE_INDEX)
        customers = np.where(deposited, applied.dst[rows], applied.src[rows])
        marks = step.marks[customers]
        may = (marks == 0) | ((marks & _ORDINARY) != 0)
        may &= deposited | (customers != OUTSIDE_INDEX)
        return Candidates(rows[may], customers[may])

    def confirm(self, context: Context, transfer: Transfer) -> Outcome:
        """A transfer that comes more than a day late is not judged: its day's parts are forgotten."""
        day = day_of(transfer.ts_us)
        is_cny = context.graph.currency(transfer.currency) == _CURRENCY
        if not is_cny or day < day_of(context.now_us) - 1:
            return None
        entities, parameters = Entities(context), in_force(Parameters, self.id, context.rules)
        customer = entities.entity(transfer.account)
        other = transfer.dst if transfer.account == transfer.src else transfer.src
        channel = CASH if self._cash[transfer.row] else CROSS_BORDER if self._crossing[transfer.row] else ""
        receiver = "" if channel == CASH else entities.entity(other)
        if receiver == customer or (entities.roles(transfer.account) & _KEEPERS):
            return None
        kind = _kind(context, entities, transfer.account)
        limit = _limit(channel, kind, parameters)
        if not limit <= transfer.amount_minor * _MIN_PART or transfer.amount_minor >= limit:
            return None
        key = _Day(customer, day, channel, transfer.account == transfer.dst)
        parts = self._parts.setdefault(key, [])
        parts.append(_Part(transfer.seq, transfer.amount_minor, transfer.account, receiver))
        del parts[: -parameters.max_parts]
        if len(parts) < min(parameters.min_near, parameters.min_alike):
            return None
        stated = self._stating.has(transfer.feed_id, transfer.row)
        return _Case(context, entities, transfer, parts, kind, limit, stated, parameters).finding(channel)

    def absorb(self, step: Step) -> None:
        self._stating.close()
        self._cash = self._crossing = _NO_ROWS
        oldest = day_of(int(step.applied.clock_us[-1])) - 1
        if oldest > self._oldest:
            self._oldest = oldest
            for key in [key for key in self._parts if key.day < oldest]:
                del self._parts[key]


def _kind(context: Context, entities: Entities, account: int) -> PartyKind | None:
    party = entities.party(account)
    record = context.registry.party(party, context.now_us) if party else None
    return record.party_kind if record else None


def _limit(channel: str, kind: PartyKind | None, parameters: Parameters) -> int:
    if channel == CASH:
        return parameters.cash_minor
    if kind is PartyKind.company:
        return parameters.entity_minor
    return parameters.cross_border_minor if channel == CROSS_BORDER else parameters.person_minor


class _Case:
    """One customer's day as it stands, the transfer its last part."""

    def __init__(
        self,
        context: Context,
        entities: Entities,
        transfer: Transfer,
        parts: list[_Part],
        kind: PartyKind | None,
        limit: int,
        channel_stated: bool,
        parameters: Parameters,
    ) -> None:
        self._context = context
        self._entities = entities
        self._transfer = transfer
        self._parts = parts
        self._kind = kind
        self._limit = limit
        self._stated = channel_stated
        self._p = parameters

    def _near(self) -> list[_Part]:
        floor = self._limit * (_WHOLE - self._p.near_bp)
        near = [part for part in self._parts if part.amount_minor * _WHOLE >= floor]
        return near if len(near) >= self._p.min_near and self._passes(near) else []

    def _alike(self) -> list[_Part]:
        """The largest set of parts of like size to the last part's receiver, that part among them."""
        last = self._parts[-1]
        same = [part for part in self._parts if part.receiver == last.receiver]
        if len(same) < self._p.min_alike or not self._passes(same):
            return []
        same.sort(key=lambda part: part.amount_minor)
        best: list[_Part] = []
        first = 0
        for place, largest in enumerate(same):
            floor = largest.amount_minor * self._p.likeness_bp
            while same[first].amount_minor * _WHOLE < floor:
                first += 1
            is_last_in = same[first].amount_minor <= last.amount_minor <= largest.amount_minor
            if is_last_in and place + 1 - first > len(best):
                best = same[first : place + 1]
        return best if len(best) >= self._p.min_alike and self._passes(best) else []

    def _passes(self, parts: list[_Part]) -> bool:
        return sum(part.amount_minor for part in parts) >= self._limit

    def finding(self, channel: str) -> Finding | None:
        near, alike = self._near(), self._alike()
        parts = {part.seq: part for part in (*near, *alike)}
        if not parts:
            return None
        context, transfer = self._context, self._transfer
        party = self._entities.party(transfer.account)
        token = context.token(transfer.account)
        minor = sum(part.amount_minor for part in parts.values())
        missing = self._missing(channel)
        split = Split(
            party or token, day_of(transfer.ts_us), channel, self._kind, self._limit, minor, len(parts)
        )
        if party:
            subject = Subject(kind=SubjectKind.party, id=party)
        else:
            subject = Subject(kind=SubjectKind.account, id=token)
        ties = self._entities.ties(transfer.account)
        full = len(self._parts) == self._p.max_parts
        cut = (Limit(name="parts", bound=self._p.max_parts),) if full else ()
        return Finding(
            subject=subject,
            institution_id=ties[0] if ties else None,
            accounts=tuple(sorted({part.account for part in parts.values()})),
            attributed={part.seq: part.amount_minor for part in parts.values()},
            amount_minor=minor,
            currency=_CURRENCY,
            confidence=self._confidence(near, alike, list(parts.values()), missing),
            severity=(
                factor("rule", 20, "规避大额交易报告", "reports of large transactions are evaded"),
                by_amount(minor, _CURRENCY),
            ),
            law=self._law(),
            parameters=shown(self._p),
            explanation=explanation(split),
            missing=missing,
            limits=(*cut, *context.limits),
        )

    def _law(self) -> tuple[Citation, ...]:
        opinions, since_2017, before = Structuring.law
        return opinions, since_2017 if self._context.now_us >= _ORDER_2016_3_US else before

    def _missing(self, channel: str) -> tuple[str, ...]:
        missing = {
            "registry.party": self._kind is None and channel != CASH,
            "feed.channel": not self._stated,
        }
        return tuple(name for name, is_missing in missing.items() if is_missing)

    def _confidence(
        self, near: list[_Part], alike: list[_Part], parts: list[_Part], missing: tuple[str, ...]
    ) -> tuple[Factor, ...]:
        factors = []
        if near:
            count = len(near)
            zh, en = f"{count} 笔均略低于限额", f"{count} transfers just under the limit"
            factors.append(factor("near", min(50, 25 + 10 * (count - 1)), zh, en))
        if alike:
            count = len(alike)
            zh, en = f"{count} 笔金额相近", f"{count} transfers of like size"
            factors.append(factor("alike", 35, zh, en))
        if len({part.receiver for part in parts}) == 1:
            factors.append(factor("receiver", 20, "同一收款方", "one receiver"))
        if all(one.amount_minor == other.amount_minor for one, other in pairwise(parts)):
            factors.append(factor("same_amount", 5, "金额完全相同", "the amounts are the same"))
        return (*factors, *lacking(missing))
