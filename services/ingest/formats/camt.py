"""camt.053 statements and camt.054 notifications: one transaction a booking.

An entry (Ntry) is one booking on the reported account. Each of its details (TxDtls) with an amount of its
own (Amt, or AmtDtls/TxAmt or CntrValAmt in the entry's currency) is one transaction. Its other
details cannot be told apart: together they are one transaction of what the entry has beyond the
former, with a counterparty only where they agree on it. An entry without details, batch-booked or not,
is one transaction of its amount.

direction    CdtDbtInd of the detail, else of the entry: credit, to the account; debit, from it.
             Where a detail names the account as its debtor's, or its creditor's, that decides.
reversal     RvslInd true: CdtDbtInd is the direction of the reversal itself (ISO 20022: "if CRDT and
             RvslInd is true, the original entry was a debit"), so it is not turned. Purpose
             `refund`, and reversal_of is TxId, UETR or EndToEndId where it is not the tx_id itself.
             The parties may be the original's: the one that is not the account's is taken.
status       only BOOK has moved money; an entry of another status is a rejected record.
tx_id        the detail's AcctSvcrRef, else the entry's (with ".2", ".3" after the first detail), else
             the detail's TxId or UETR; where none is there, or it came before in the message,
             "<MsgId>/<report id>/<entry>.<detail>".
ts           BookgDt, else ValDt, else CreDtTm of the report, else of the message.
counterparty IBAN, else other id; else the party's name (iso20022_leaves.known_by_name); else outside.
totals       TxsSummry counts entries; it is declared in records by adding what details added.
balances     those of a statement (camt_balances), yielded at its end; no control total counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import BinaryIO

from lxml import etree

from schemas.errors import InvalidRecord
from services.ingest.formats import iso20022
from services.ingest.formats.camt_balances import Balance, balance_of, stated
from services.ingest.formats.camt_entry import (
    CREDIT,
    DEBIT,
    Counterparty,
    Detail,
    Entry,
    Money,
    Report,
    detail_of,
    entry_of,
    report_of,
    whole,
)
from services.ingest.formats.camt_totals import Totals
from services.ingest.formats.iso20022 import MESSAGES, name_of
from services.ingest.formats.iso20022_leaves import leaves_of, moment, said
from services.ingest.formats.parsed import Item, Parsed, Stated, from_fields, readable_amount
from services.ingest.repeats import SeenIds

_BOOKED = "BOOK"


def parse(stream: BinaryIO, message: str, report: str) -> Iterator[Item]:
    """The records of a camt `message` made of elements `report`, then what it declares, if it does."""
    root = next(element for element, name in MESSAGES.items() if name == message)
    wanted = {
        "GrpHdr": (root,),
        "Acct": (report,),
        "Bal": (report,),
        "TxsSummry": (report,),
        "TxDtls": ("NtryDtls",),
        "Ntry": (report,),
        report: (root,),
    }
    reading = _Reading()
    for part in iso20022.parts_of(stream, message, wanted):
        yield from reading.take(part)
    if declared := reading.totals.declared():
        yield declared


class _Reading:
    """Where the reading of one message stands: its header, the report, the entry and its details so far."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._message_id = self._created = ""
        self._report = Report()
        self._entries = self._records = 0
        self._ids = SeenIds()
        self._entry: _OpenEntry | None = None
        self._balances: list[Balance] = []

    def take(self, part: etree._Element) -> Iterator[Parsed | Stated]:
        """The records that `part` completes."""
        match name_of(part):
            case "GrpHdr":
                header = leaves_of(part)
                self._message_id, self._created = said(header, "MsgId"), moment(header, "CreDtTm")
            case "Acct":
                self._report = report_of(part)
            case "Bal":
                self._balances.append(balance_of(part))
            case "TxsSummry":
                self.totals.declare(leaves_of(part))
            case "TxDtls":
                yield from self._take_detail(part)
            case "Ntry":
                yield from self._take_entry(part)
            case _:
                yield from stated(self._balances, self._report.account)
                self._balances = []
                self._report = Report()
                self.totals.end_report()

    def _open(self, element: etree._Element) -> _OpenEntry:
        if self._entry is None:
            self._entry = _OpenEntry(entry_of(element))
            self._entries += 1
        return self._entry

    def _take_detail(self, element: etree._Element) -> Iterator[Parsed]:
        opened = self._open(next(element.iterancestors("{*}Ntry")))
        detail = detail_of(element, opened.entry, self._report)
        opened.details += 1
        if detail.money is None:
            opened.keep_undivided(detail)
        else:
            opened.count_own(detail.money, detail.direction)
            yield self._record(opened, detail, detail.money, opened.details)

    def _take_entry(self, element: etree._Element) -> Iterator[Parsed]:
        opened = self._open(element)
        entry = opened.entry
        if not opened.details:
            yield self._record(opened, whole(entry), entry.money, 0)
        elif opened.undivided:
            yield self._record(opened, opened.undivided, opened.rest(), opened.undivided_at)
        self.totals.add_entry(entry.money.amount)
        self._entry = None

    def _record(self, opened: _OpenEntry, detail: Detail, money: Money, position: int) -> Parsed:
        self._records += 1
        self.totals.add_record(money.amount)
        entry = opened.entry
        tx_id = self._tx_id(entry, detail, position)
        raw = entry.raw.removesuffix(b"</Ntry>") + b"<NtryDtls>%b</NtryDtls></Ntry>" % detail.raw
        if problem := _problem(entry, detail, self._report):
            return Parsed(self._records, raw, problem, tx_id, readable_amount(money.amount))
        own = (self._report.account, self._report.bank)
        theirs = (detail.counterparty.account, detail.counterparty.bank)
        (src, src_bank), (dst, dst_bank) = (theirs, own) if detail.direction == CREDIT else (own, theirs)
        undone = next((name for name in detail.references if name != tx_id), "") if entry.reversal else ""
        fields = {
            "tx_id": tx_id,
            "ts": entry.ts or self._report.created or self._created,
            "src": src,
            "dst": dst,
            "amount": money.amount,
            "currency": money.currency,
            "channel": detail.channel or entry.channel,
            "src_bank": src_bank,
            "dst_bank": dst_bank,
            "purpose": detail.purpose or ("refund" if entry.reversal else ""),
            "instruction": detail.instruction,
            "reversal_of": undone,
        }
        return from_fields(self._records, raw, fields)

    def _tx_id(self, entry: Entry, detail: Detail, position: int) -> str:
        of_entry = entry.reference and entry.reference + (f".{position}" if position > 1 else "")
        name = detail.bank_reference or of_entry or detail.payment_id
        if not name or self._ids.before([name]):
            name = f"{self._message_id}/{self._report.id}/{self._entries}.{position}"
        self._ids.add([name])
        return name


class _OpenEntry:
    """An entry and what is known of its details so far."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.details = 0
        self.undivided: Detail | None = None
        self.undivided_at = 0
        self._own = Decimal(0)
        self._other_currency = False

    def count_own(self, money: Money, direction: str) -> None:
        amount = readable_amount(money.amount) or Decimal(0)
        self._own += amount if direction == self.entry.direction else -amount
        self._other_currency |= money.currency != self.entry.money.currency

    def keep_undivided(self, detail: Detail) -> None:
        if self.undivided is None:
            self.undivided, self.undivided_at = detail, self.details
        elif self.undivided.counterparty != detail.counterparty:
            self.undivided = replace(self.undivided, counterparty=Counterparty())

    def rest(self) -> Money:
        """What the entry has beyond the amounts of its details; "" as amount where it cannot be told."""
        if not self._own:
            return self.entry.money
        of_entry = readable_amount(self.entry.money.amount)
        told = "" if of_entry is None or self._other_currency else str(of_entry - self._own)
        return Money(told, self.entry.money.currency)


def _problem(entry: Entry, detail: Detail, report: Report) -> InvalidRecord | None:
    if entry.status != _BOOKED:
        return InvalidRecord("Sts", f"{entry.status[:40]!r} is not {_BOOKED}: no money has moved")
    if detail.direction not in (CREDIT, DEBIT):
        return InvalidRecord("CdtDbtInd", f"{detail.direction[:40]!r} is neither {CREDIT} nor {DEBIT}")
    if not report.account:
        return InvalidRecord("Acct/Id", "the report names no account")
    return None
