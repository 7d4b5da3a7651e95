"""What a transfer is to platforms' loans: one class of Flow, by who pays, who is paid and the purpose.

Every transfer that touches a platform's account, or that a related party pays to a client, is booked;
where the feed states no purpose, by who the two are. A reversal undoes the flow of the transfer it
reverses. Yuan only: the law's caps are in yuan, and platforms lend in it. Roles are those the registry
ever gave (services.detector.parties.marks); whether one held on the day is for a confirmation to ask.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Bools, Int8s, Int32s, Int64s, direct, kernel, read_only
from schemas.instant import HOUR
from schemas.registry import AccountRole
from schemas.transaction import Purpose
from services.detector.beijing import day_at
from services.detector.graph import Applied
from services.detector.parties.marks import BORROWER, CLIENT, CUSTODY, TIED, bits_of
from services.detector.purposes import bits_of as bits_of_purposes
from services.detector.sieve import Fact, Sights, either, sieve

YUAN: Final = 0
"""Code of the currency that the graph sums."""
MAX_PRODUCTS: Final = 1 << 20
"""Products beyond it are booked as if the feed named none."""
MAX_MINOR: Final = 10**12
"""CNY 10 billion; more than any loan, and keeps the sums of products with time within 64 bits."""
EPOCH_HOURS: Final = 350_000
"""Moments count hours from late 2009, before there was any online lending to watch."""


class Flow(IntEnum):
    """What a transfer is to a platform's loans."""

    none = 0
    invested = 1
    """By clients, into custody or an account of the platform."""
    refunded = 2
    """To investors of what did not come about."""
    disbursed = 3
    """From custody to a borrower."""
    repaid = 4
    """By a borrower: principal, or principal and interest in one."""
    borrower_interest = 5
    compensated = 6
    """Into custody for a borrower, by a guarantor, the platform or its people."""
    income = 7
    """Other money into a platform's account, from nobody's client."""
    paid = 8
    """To investors: principal, or principal and interest in one."""
    interest = 9
    """To investors."""
    subsidy = 10


ASSET: Final = (Flow.repaid, Flow.borrower_interest, Flow.compensated)
"""Money that came for a loan from others than investors."""
PAYOUTS: Final = (Flow.paid, Flow.interest)
INWARD: Final = (Flow.invested, *ASSET, Flow.income)
HOUSE: Final = bits_of({AccountRole.own, AccountRole.fee, AccountRole.marketing, AccountRole.filed_own})
"""Marks of a platform's own accounts."""
_GUARANTEE: Final = bits_of({AccountRole.guarantee})


class _Who(IntEnum):
    """An end of a transfer, by its marks."""

    stranger = 0
    client = 1
    custody = 2
    house = 3
    sponsor = 4  # a guarantor, or a related party
    borrower = 5


_ANY: Final = tuple(_Who)
_PAYER: Final = (_Who.stranger, _Who.client, _Who.borrower)
_THIRD: Final = (_Who.house, _Who.sponsor)
_PLATFORM: Final = (_Who.custody, _Who.house)
_PERSON: Final = (_Who.stranger, _Who.client, _Who.borrower, _Who.sponsor)
_PRINCIPAL: Final = (Purpose.repay, Purpose.redemption)
UNSTATED: Final = (Purpose.unknown, Purpose.transfer)
_BACK: Final = (*_PRINCIPAL, Purpose.interest, *UNSTATED)

_RULES: Final = (
    # Earlier rules give way to later ones: (payer, payee, purposes, flow).
    ((_Who.stranger, _Who.borrower, _Who.sponsor), _PLATFORM, tuple(Purpose), Flow.income),
    (_PAYER, _PLATFORM, (Purpose.invest, Purpose.recharge), Flow.invested),
    ((_Who.sponsor,), _PLATFORM, (Purpose.invest,), Flow.invested),
    ((_Who.client,), (_Who.custody,), UNSTATED, Flow.invested),
    (_PAYER, _PLATFORM, _PRINCIPAL, Flow.repaid),
    (_PAYER, _PLATFORM, (Purpose.interest,), Flow.borrower_interest),
    ((_Who.borrower,), (_Who.custody,), UNSTATED, Flow.repaid),
    (_THIRD, (_Who.custody,), _BACK, Flow.compensated),
    (_ANY, (_Who.custody,), (Purpose.compensation,), Flow.compensated),
    ((_Who.custody,), _ANY, (Purpose.disburse,), Flow.disbursed),
    ((_Who.custody,), (_Who.borrower,), UNSTATED, Flow.disbursed),
    ((_Who.custody,), _PERSON, (Purpose.refund,), Flow.refunded),
    (_PLATFORM, _PERSON, (*_PRINCIPAL, Purpose.compensation), Flow.paid),
    (_PLATFORM, _PERSON, (Purpose.interest,), Flow.interest),
    (_PLATFORM, (_Who.client,), UNSTATED, Flow.paid),
    ((_Who.sponsor, _Who.borrower), (_Who.client,), (*_PRINCIPAL, Purpose.compensation), Flow.paid),
    ((_Who.sponsor, _Who.borrower), (_Who.client,), (Purpose.interest,), Flow.interest),
    (_PLATFORM, _PERSON, (Purpose.subsidy,), Flow.subsidy),
)


def _flow_table() -> Int8s:
    table = np.zeros((len(_Who), len(_Who), len(Purpose)), np.int8)
    for payers, payees, purposes, flow in _RULES:
        table[np.ix_(payers, payees, purposes)] = flow
    return table


_ROLE_BITS: Final = CLIENT | CUSTODY | HOUSE | _GUARANTEE
_SHIFT: Final = (TIED.bit_length() - 1) - _ROLE_BITS.bit_length()


def _who_table() -> Int8s:
    """_Who by key_of(), the last that fits."""
    keys = np.arange((TIED | BORROWER) >> _SHIFT << 1)
    table = np.zeros(keys.size, np.int8)
    for bits, who in (
        (_GUARANTEE | TIED >> _SHIFT, _Who.sponsor),
        (BORROWER >> _SHIFT, _Who.borrower),
        (_GUARANTEE, _Who.sponsor),
        (HOUSE, _Who.house),
        (CLIENT, _Who.client),
        (CUSTODY, _Who.custody),
    ):
        table[(keys & bits) != 0] = who
    return table


_FLOWS: Final = _flow_table()
_WHO: Final = _who_table()
_FLOW_CODES: Final = np.arange(len(Flow))
AHEAD: Final[Int64s] = np.isin(_FLOW_CODES, Flow.paid) - np.isin(_FLOW_CODES, ASSET).astype(np.int64)
_IS_INWARD: Final = np.isin(_FLOW_CODES, INWARD)
_HOUSE: Final = int(_Who.house)
_CLIENT: Final = int(_Who.client)
_NO_FLOW: Final = int(Flow.none)
_REVERSAL: Final = int(Fact.reversal)
_UNSTATED_BITS: Final = bits_of_purposes(UNSTATED)
_TOUCHES: Final = either(
    sieve(payer=CUSTODY | HOUSE, facts=Fact.yuan),
    sieve(payee=CUSTODY | HOUSE, facts=Fact.yuan),
    sieve(payer=TIED, payee=CLIENT, facts=Fact.yuan),
)
MOVES_LOAN: Final = np.isin(_FLOW_CODES, (Flow.disbursed, Flow.repaid, Flow.compensated))


class Booked(NamedTuple):
    """The rows of a batch that are booked, ascending; columns of one length."""

    rows: Array
    flow: Array
    product: Array
    account: Array
    """Of the platform, or of who pays in its stead."""
    other: Array
    minor: Array
    """Negative where a transfer is reversed."""
    hours: Array
    day: Array
    """Of the clock, in Beijing."""
    ts_us: Array
    listed: Array
    """Money that moves for a listing at a custody account."""

    def of(self, *flows: Flow) -> Bools:
        chosen: Bools = _among(flows)[self.flow]
        return chosen


_KINDS: Final = ("i8", "i1", "i4", "i4", "i4", "i8", "i8", "i8", "i8", "?")
"""Of the columns, in their order."""


@cache
def _among(flows: tuple[Flow, ...]) -> Bools:
    """By code, whether it is one of `flows`."""
    return np.isin(_FLOW_CODES, flows)


def booked(applied: Applied, sights: Sights) -> Booked:
    """The rows of a batch that concern platforms' loans."""
    rows = sights.passing(_TOUCHES)
    columns = Booked(*(np.empty(rows.size, kind) for kind in _KINDS))
    count = book_rows(
        rows,
        sights.seen,
        applied.src,
        applied.dst,
        read_only(applied.ts_us),
        applied.clock_us,
        read_only(applied.amount_minor),
        read_only(applied.purpose),
        applied.product,
        (_WHO, _FLOWS, _IS_INWARD),
        columns,
    )
    return Booked(*(column[:count] for column in columns))


@direct
@kernel
def book_rows(
    rows: Int64s,
    seen: Array,
    src: Int32s,
    dst: Int32s,
    ts_us: Int64s,
    clock_us: Int64s,
    amount_minor: Int64s,
    purpose: Int8s,
    product: Int32s,
    tables: tuple[Int8s, Int8s, Bools],
    booked: Booked,
) -> int:
    """How many of `rows` are booked; they are the first of `booked`."""
    whose, flows, is_inward = tables
    count = 0
    for row in rows:
        payer, payee = whose[key_of(seen[0, row])], whose[key_of(seen[1, row])]
        source, target, minor = src[row], dst[row], amount_minor[row]
        if seen[3, row] & _REVERSAL:
            payer, payee, source, target = payee, payer, target, source
            minor = -minor
        named = product[row] if product[row] < MAX_PRODUCTS else 0
        flow = flows[payer, payee, purpose[row]]
        # The house pays its people too: unstated, it pays for a listing only where it names one.
        idle = payer == _HOUSE and payee == _CLIENT and named == 0 and _UNSTATED_BITS >> purpose[row] & 1 != 0
        if flow == _NO_FLOW or idle or amount_minor[row] > MAX_MINOR:
            continue
        booked.rows[count] = row
        booked.flow[count] = flow
        booked.product[count] = named
        booked.account[count] = target if is_inward[flow] else source
        booked.other[count] = source if is_inward[flow] else target
        booked.minor[count] = minor
        booked.hours[count] = ts_us[row] // HOUR - EPOCH_HOURS
        booked.day[count] = day_at(clock_us[row])
        booked.ts_us[count] = ts_us[row]
        marks = seen[1, row] if is_inward[flow] else seen[0, row]
        booked.listed[count] = named > 0 and minor > 0 and marks & CUSTODY != 0
        count += 1
    return count


@kernel
def key_of(marks: int) -> int:
    """The marks that matter here, side by side."""
    return (marks & _ROLE_BITS) | ((marks & (TIED | BORROWER)) >> _SHIFT)
