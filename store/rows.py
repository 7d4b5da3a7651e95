"""What each record is as a row of its table. Pure; tables are schemas/migrations.

`appended_us` is the log's own time of the append. It stays the same when the log is read again,
and of two rows of equal key the one appended later wins.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

import numpy as np
import pyarrow as pa

from eventlog.log import Message
from schemas.alert import Alert
from schemas.balance import Balance
from schemas.batch import TransferBatch
from schemas.feed import Receipt
from schemas.registry import (
    Account,
    Institution,
    Party,
    Product,
    RegistryRecord,
    Relation,
    key_of,
)
from schemas.reject import Reject
from schemas.risk import RiskScore

Row = dict[str, Any]

NO_SEQUENCE: Final = -1


def transactions(batch: TransferBatch, appended_us: int) -> pa.Table:
    """Rows of `transactions`, one for each transfer of the batch."""
    columns: dict[str, pa.Array] = {}
    for name in batch.columns.schema.names:
        column = batch.columns.column(name)
        if name in ("src", "dst"):
            columns[name] = _hex(batch.tokens(name))
        elif pa.types.is_dictionary(column.type):
            columns[name] = column.dictionary_decode()
        else:
            columns[name] = column
    columns["feed_id"] = pa.repeat(pa.scalar(batch.id.feed_id), batch.rows)
    columns["batch_id"] = pa.repeat(pa.scalar(batch.id.batch_id), batch.rows)
    columns["appended_us"] = pa.repeat(pa.scalar(appended_us, pa.uint64()), batch.rows)
    return pa.table(columns)


def balance(record: Balance, feed_id: str, appended_us: int) -> Row:
    return {
        "account": record.account_id,
        "balance_kind": record.balance_kind.value,
        "currency": record.currency,
        "as_of_us": record.as_of,
        "balance_minor": record.balance_minor,
        "feed_id": feed_id,
        "appended_us": appended_us,
    }


def _hex(tokens: np.ndarray[tuple[int, int], np.dtype[np.uint64]]) -> pa.Array:
    """Tokens as 32 lower-case hex digits each, without a Python object per token."""
    digits = binascii.hexlify(tokens.tobytes())
    offsets = np.arange(0, len(digits) + 32, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(tokens), pa.py_buffer(offsets), pa.py_buffer(digits))


def alert(record: Alert, appended_us: int) -> Row:
    return {
        "alert_id": record.alert_id,
        "version": record.version,
        "typology": record.typology,
        "subject_kind": record.subject.kind.value,
        "subject_id": record.subject.id,
        "institution_id": record.institution_id or "",
        "sector": record.sector or "",
        "regions": list(record.regions),
        "accounts": list(record.accounts),
        "episode_us": record.episode_at,
        "first_us": record.first_at,
        "last_us": record.last_at,
        "detected_us": record.detected_at,
        "amount_minor": record.amount_minor,
        "currency": record.currency,
        "confidence": record.confidence,
        "severity": record.severity.value,
        "severity_points": record.severity_points,
        "rule_version": record.rule_version,
        "body": record.model_dump_json(),
        "appended_us": appended_us,
    }


def risk_score(record: RiskScore, appended_us: int) -> Row:
    return {
        "institution_id": record.institution_id,
        "at_us": record.at,
        "sector": record.sector or "",
        "regions": list(record.regions),
        "score": record.score,
        "risk_class": record.risk_class.value,
        "body": record.model_dump_json(),
        "appended_us": appended_us,
    }


def receipt(record: Receipt, appended_us: int) -> Row:
    return {
        "feed_id": record.feed_id,
        "batch_id": record.batch_id,
        "sequence": NO_SEQUENCE if record.sequence is None else record.sequence,
        "format": record.format.value,
        "status": record.status.value,
        "received_us": record.received_at,
        "records": record.records,
        "accepted": record.accepted,
        "rejected": record.rejected,
        "first_us": record.first_ts or 0,
        "last_us": record.last_ts or 0,
        "gap_before": record.gap_before,
        "body": record.model_dump_json(),
        "appended_us": appended_us,
    }


def reject(record: Reject, appended_us: int) -> Row:
    return {
        "feed_id": record.feed_id,
        "reject_id": record.reject_id,
        "batch_id": record.batch_id,
        "record_number": record.record_number,
        "tx_id": record.tx_id,
        "field": record.field,
        "reason": record.reason,
        "received_us": record.received_at,
        "status": record.status.value,
        "resent_as": record.resent_as,
        "body": record.model_dump_json(),
        "appended_us": appended_us,
    }


def registry(record: RegistryRecord, appended_us: int) -> Row:
    row: Row = {
        "kind": record.kind,
        "key": key_of(record),
        "valid_from_us": record.valid_from,
        "valid_to_us": record.valid_to,
        "institution_id": getattr(record, "institution_id", None) or "",
        "party_id": "",
        "to_party_id": "",
        "account_id": "",
        "product_id": "",
        "role": "",
        "name": "",
        "sector": "",
        "regions": [],
        "body": record.model_dump_json(),
        "appended_us": appended_us,
    }
    return row | _particulars(record)


def _particulars(record: RegistryRecord) -> Row:
    """The columns that only some kinds have."""
    match record:
        case Institution():
            regions = dict.fromkeys((record.registered_region, *record.operating_regions))
            return {
                "party_id": record.party_id,
                "name": record.name,
                "sector": record.sector,
                "regions": list(regions),
            }
        case Party():
            return {"party_id": record.party_id, "name": record.name}
        case Relation():
            return {
                "party_id": record.from_id,
                "to_party_id": record.to_id,
                "role": record.relation.value,
            }
        case Account():
            return {
                "account_id": record.account_id,
                "party_id": record.party_id,
                "role": record.role.value,
            }
        case Product():
            return {"product_id": record.product_id, "party_id": record.borrower_party_id or ""}
        case _:
            return {}


def unreadable(message: Message, reason: str) -> Row:
    return {
        "topic": message.topic,
        "log_partition": message.partition,
        "log_offset": message.offset,
        "reason": reason,
        "key_base64": base64.b64encode(message.key).decode(),
        "value_base64": base64.b64encode(message.value).decode(),
        "appended_us": message.appended_us,
    }
