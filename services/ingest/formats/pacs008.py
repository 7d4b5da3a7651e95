"""pacs.008 FIToFICustomerCreditTransfer, all versions: one transaction a CdtTrfTxInf.

tx_id        PmtId/TxId, else UETR, else InstrId, else "<MsgId>/<number>"
ts           settlement time indication, else settlement date (its own or the header's), else CreDtTm
src, dst     DbtrAcct, CdtrAcct: IBAN, else other id; else the party's name (iso20022_leaves.known_by_name)
amount       IntrBkSttlmAmt, what moves between the banks
instruction  PmtId/EndToEndId, else InstrId
channel      PmtTpInf: local instrument, else service level

NbOfTxs and CtrlSum of the group header are the declared totals.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from schemas.registry import FeedFormat
from services.ingest.formats import iso20022
from services.ingest.formats.iso20022 import name_of, raw_of
from services.ingest.formats.iso20022_leaves import (
    Leaves,
    account,
    bank,
    count,
    known_by_name,
    leaves_of,
    moment,
    party_name,
    purpose,
    reference,
    said,
    total,
)
from services.ingest.formats.parsed import Declared, Item, from_fields

NAME: Final = FeedFormat.pacs008
MEDIA_TYPES: Final = iso20022.MEDIA_TYPES

_PARTS: Final = {"GrpHdr": ("FIToFICstmrCdtTrf",), "CdtTrfTxInf": ("FIToFICstmrCdtTrf",)}


def parse(stream: BinaryIO) -> Iterator[Item]:
    """See services.ingest.formats."""
    message_id = header_ts = ""
    number = 0
    for part in iso20022.parts_of(stream, "pacs.008", _PARTS):
        leaves = leaves_of(part)
        if name_of(part) == "GrpHdr":
            message_id = said(leaves, "MsgId")
            header_ts = moment(leaves, "IntrBkSttlmDt", "CreDtTm")
            yield Declared(count(leaves, "NbOfTxs"), total(leaves, "CtrlSum"))
        else:
            number += 1
            yield from_fields(number, raw_of(part), _fields(leaves, f"{message_id}/{number}", header_ts))


def _fields(transfer: Leaves, fallback_id: str, header_ts: str) -> dict[str, str]:
    return {
        "tx_id": reference(transfer, "PmtId/TxId", "PmtId/UETR", "PmtId/InstrId") or fallback_id,
        "ts": moment(transfer, "SttlmTmIndctn/DbtDtTm", "SttlmTmIndctn/CdtDtTm", "IntrBkSttlmDt")
        or header_ts,
        "src": account(transfer, "DbtrAcct") or known_by_name(party_name(transfer, "Dbtr")),
        "dst": account(transfer, "CdtrAcct") or known_by_name(party_name(transfer, "Cdtr")),
        "amount": said(transfer, "IntrBkSttlmAmt"),
        "currency": said(transfer, "IntrBkSttlmAmt/@Ccy"),
        "channel": said(transfer, *_CHANNELS),
        "src_bank": bank(transfer, "DbtrAgt"),
        "dst_bank": bank(transfer, "CdtrAgt"),
        "purpose": purpose(transfer, "Purp", "PmtTpInf/CtgyPurp"),
        "instruction": reference(transfer, "PmtId/EndToEndId", "PmtId/InstrId"),
    }


_CHANNELS: Final = (
    "PmtTpInf/LclInstrm/Cd",
    "PmtTpInf/LclInstrm/Prtry",
    "PmtTpInf/SvcLvl/Cd",
    "PmtTpInf/SvcLvl/Prtry",
)
