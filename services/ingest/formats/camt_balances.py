"""The balances of a camt.053 statement: what its account held at the end of the period it covers.

The closing booked balance (CLBD) of each currency; where a currency has none, what was there when the
period began: the opening booked (OPBD), else the previous closing booked balance (PRCD). Interim, available
and forward balances, and those of a page (SubTp INTM), are passed over.

A balance of a date is that of the end of the day in Beijing, of an opening of the day before. Debit is
negative: the account is overdrawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from typing import Final, NamedTuple

from lxml import etree

from schemas.balance import BalanceKind
from services.ingest.formats.iso20022 import raw_of
from services.ingest.formats.iso20022_leaves import leaves_of, moment, said
from services.ingest.formats.parsed import Stated

_RANKS: Final = ("CLBD", "OPBD", "PRCD")
_OPENING: Final = "OPBD"
_INTERMEDIATE: Final = "INTM"
_DEBIT: Final = "DBIT"
_SIGN: Final = {"CRDT": "", _DEBIT: "-"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Balance(NamedTuple):
    """As the message says it. `kind`: its code."""

    kind: str
    intermediate: bool
    amount: str
    currency: str
    direction: str
    moment: str
    raw: bytes


def balance_of(element: etree._Element) -> Balance:
    found = leaves_of(element)
    return Balance(
        kind=said(found, "Tp/CdOrPrtry/Cd", "Tp/Cd"),
        intermediate=said(found, "Tp/SubTp/Cd") == _INTERMEDIATE,
        amount=said(found, "Amt"),
        currency=said(found, "Amt/@Ccy"),
        direction=said(found, "CdtDbtInd"),
        moment=moment(found, "Dt/DtTm", "Dt/Dt"),
        raw=raw_of(element),
    )


def stated(balances: Iterable[Balance], account: str) -> Iterator[Stated]:
    """One a currency, in the order in which the currencies came."""
    foremost: dict[str, Balance] = {}
    for one in balances:
        if one.kind in _RANKS and not one.intermediate:
            known = foremost.get(one.currency)
            if known is None or _RANKS.index(one.kind) < _RANKS.index(known.kind):
                foremost[one.currency] = one
    for one in foremost.values():
        yield Stated(
            raw=one.raw,
            account=account,
            as_of=_as_of(one),
            kind=BalanceKind.booked.value,
            balance=_SIGN.get(one.direction, f"{one.direction} ") + one.amount,
            currency=one.currency,
        )


def _as_of(balance: Balance) -> str:
    text = balance.moment
    if _DATE.fullmatch(text) is None:
        return text
    if balance.kind == _OPENING:
        with suppress(ValueError, OverflowError):  # what is no date is refused when it is checked
            text = (date.fromisoformat(text) - timedelta(days=1)).isoformat()
    return f"{text}T23:59:59.999999+08:00"
