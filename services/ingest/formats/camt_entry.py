"""What a camt message says of a report, of an entry on the report's account, of a detail of the entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

from services.ingest.formats.iso20022 import name_of, raw_of
from services.ingest.formats.iso20022_leaves import (
    Leaves,
    account,
    bank,
    known_by_name,
    leaves_of,
    moment,
    party_name,
    purpose,
    reference,
    said,
)

CREDIT: Final = "CRDT"
DEBIT: Final = "DBIT"

_CODE: Final = ("BkTxCd/Domn/Cd", "BkTxCd/Domn/Fmly/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd")


@dataclass(frozen=True, slots=True)
class Report:
    """A statement or notification about one account."""

    id: str = ""
    created: str = ""
    account: str = ""
    owner: str = ""
    bank: str = ""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as written, and its currency."""

    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A booking, without its details. `raw` is its XML without them."""

    money: Money
    direction: str
    status: str
    reversal: bool
    ts: str
    reference: str
    channel: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Counterparty:
    """Its account, "" for the outside world, and its bank."""

    account: str = ""
    bank: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """One transaction of an entry.

    money            None: it has no amount of its own
    bank_reference   what the account's bank calls it; "" where it calls only the entry
    payment_id       what the banks call the payment: TxId, else UETR
    references       TxId, UETR, EndToEndId, those that are given
    """

    money: Money | None
    direction: str
    counterparty: Counterparty
    bank_reference: str
    payment_id: str
    references: tuple[str, ...]
    instruction: str
    purpose: str
    channel: str
    raw: bytes


def report_of(acct: etree._Element) -> Report:
    """The report whose Acct this is."""
    parent = acct.getparent()
    assert parent is not None
    report = leaves_of(parent)
    return Report(
        id=said(report, "Id"),
        created=moment(report, "CreDtTm"),
        account=account(report, "Acct"),
        owner=party_name(report, "Acct/Ownr"),
        bank=bank(report, "Acct/Svcr"),
    )


def entry_of(element: etree._Element) -> Entry:
    entry = leaves_of(element, leave_out="NtryDtls")
    return Entry(
        money=_money(entry, "Amt") or Money("", ""),
        direction=said(entry, "CdtDbtInd"),
        status=said(entry, "Sts/Cd", "Sts"),
        reversal=said(entry, "RvslInd") in ("true", "1"),
        ts=moment(entry, "BookgDt/DtTm", "BookgDt/Dt", "ValDt/DtTm", "ValDt/Dt"),
        reference=reference(entry, "AcctSvcrRef"),
        channel=_channel(entry),
        raw=b"<Ntry>%b</Ntry>" % b"".join(raw_of(e) for e in element if name_of(e) != "NtryDtls"),
    )


def detail_of(element: etree._Element, entry: Entry, report: Report) -> Detail:
    detail = leaves_of(element)
    direction = _direction(detail, entry, report)
    bank_reference = reference(detail, "Refs/AcctSvcrRef")
    payment = (reference(detail, f"Refs/{name}") for name in ("TxId", "UETR", "EndToEndId"))
    return Detail(
        money=_own_money(detail, entry.money.currency),
        direction=direction,
        counterparty=_counterparty(detail, direction, entry, report),
        bank_reference=bank_reference if bank_reference != entry.reference else "",
        payment_id=reference(detail, "Refs/TxId", "Refs/UETR"),
        references=tuple(filter(None, payment)),
        instruction=reference(detail, "Refs/EndToEndId", "Refs/InstrId"),
        purpose=purpose(detail, "Purp"),
        channel=_channel(detail),
        raw=raw_of(element),
    )


def whole(entry: Entry) -> Detail:
    """What stands in for the details of an entry that has none."""
    return Detail(entry.money, entry.direction, Counterparty(), "", "", (), "", "", "", b"")


def _money(leaves: Leaves, path: str) -> Money | None:
    return Money(leaves[path], said(leaves, f"{path}/@Ccy")) if path in leaves else None


def _own_money(detail: Leaves, currency: str) -> Money | None:
    """Amt, which is what was booked; of the amounts behind it only one in the entry's currency."""
    if booked := _money(detail, "Amt"):
        return booked
    behind = (_money(detail, f"AmtDtls/{name}/Amt") for name in ("TxAmt", "CntrValAmt"))
    return next((money for money in behind if money and money.currency == currency), None)


def _direction(detail: Leaves, entry: Entry, report: Report) -> str:
    sides = [account(detail, f"RltdPties/{side}Acct") == report.account != "" for side in ("Dbtr", "Cdtr")]
    if not entry.reversal and any(sides) and not all(sides):
        return DEBIT if sides[0] else CREDIT
    return said(detail, "CdtDbtInd") or entry.direction


def _counterparty(detail: Leaves, direction: str, entry: Entry, report: Report) -> Counterparty:
    """Whoever pays for a credit, is paid for a debit. Of a reversal, whose parties may be the original's,
    the other one where that is the account's own side or nobody."""
    usual, other = ("Dbtr", "Cdtr") if direction == CREDIT else ("Cdtr", "Dbtr")
    for side in (usual, other) if entry.reversal else (usual,):
        number, name = account(detail, f"RltdPties/{side}Acct"), party_name(detail, f"RltdPties/{side}")
        own = entry.reversal and (number == report.account if number else name == report.owner)
        if (number or name) and not own:
            return Counterparty(number or known_by_name(name), bank(detail, f"RltdAgts/{side}Agt"))
    return Counterparty(bank=bank(detail, f"RltdAgts/{usual}Agt"))


def _channel(leaves: Leaves) -> str:
    """The bank transaction code: domain, family, sub-family; else the bank's own."""
    code = [text for path in _CODE if (text := said(leaves, path))]
    return "-".join(code) or said(leaves, "BkTxCd/Prtry/Cd")
