"""What FastAPI cannot see of the push endpoint: its streamed bodies and its receipts, with examples."""

from __future__ import annotations

import json
from typing import Any, Final

from schemas.examples import valid
from schemas.feed import Receipt

_TRANSACTION = valid("transaction")[0]
_RECEIPT = valid("receipt")[0]
_REJECTED = {
    **_RECEIPT,
    "status": "rejected",
    "accepted": 0,
    "rejected": 3,
    "reason": "control count: the caller declared 4 records, there are 3",
}


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _body(description: str, examples: dict[str, Any]) -> dict[str, Any]:
    content = {media_type: {"example": example} for media_type, example in examples.items()}
    return {"requestBody": {"required": True, "description": description, "content": content}}


BATCH_BODY: Final = _body(
    "One batch, streamed, in the format of the feed: JSON (object, array, NDJSON), CSV with a header"
    " line, ISO 20022 camt.053, camt.054 or pacs.008",
    {
        "application/json": _TRANSACTION,
        "application/x-ndjson": _line(_TRANSACTION) + "\n",
        "text/csv": ",".join(_TRANSACTION) + "\n" + ",".join(_TRANSACTION.values()) + "\n",
        "application/xml": '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">…</Document>',
    },
)
BALANCES_BODY: Final = _body(
    "Balances: NDJSON of schemas.balance with clear account numbers, or CSV with a header line",
    {
        "application/x-ndjson": _line({**valid("balance")[0], "account_id": "8110701012345678"}) + "\n",
        "text/csv": "account,as_of,kind,balance,currency\n"
        "8110701012345678,2021-06-01T23:59:59+08:00,booked,12500000.00,CNY\n",
    },
)
REGISTRY_BODY: Final = _body(
    "Registry records, one JSON object a line; account and identity numbers clear",
    {"application/x-ndjson": "".join(_line(valid(kind)[0]) + "\n" for kind in ("feed", "party", "account"))},
)
RECORD_BODY: Final = _body("The repaired record", {"application/json": _TRANSACTION})


def _receipt(description: str, example: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": Receipt,
        "description": description,
        "content": {"application/json": {"example": example}},
    }


RECEIPTS: Final[dict[int | str, dict[str, Any]]] = {
    200: _receipt("Pushed before: its receipt again", {**_RECEIPT, "duplicate": True}),
    201: _receipt("Accepted, wholly or in part", _RECEIPT),
    422: _receipt("Rejected as a whole: its receipt; or a problem for a request without one", _REJECTED),
}
