"""What the elements of ISO 20022 messages say: their texts by path, and what the paths they share mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from lxml import etree

from schemas.errors import MalformedBatch
from schemas.transaction import Purpose
from services.ingest.formats.iso20022 import name_of

MAX_REFERENCE: Final = 128
"""Longest reference a Transaction takes."""

_PURPOSES: Final = {  # ISO 20022 external purpose codes (ExternalPurpose1Code)
    "SALA": "salary",
    "PAYR": "salary",
    "BONU": "salary",
    "TAXS": "tax",
    "VATX": "tax",
    "WHLD": "tax",
    "INTE": "interest",
    "FEES": "fee",
    "REFU": "refund",
    "GDDS": "purchase",
    "SCVE": "purchase",
    "LOAR": "repay",
    "MTUP": "top_up",
}

_NO_REFERENCE: Final = frozenset({"", "NOTPROVIDED", "NOT PROVIDED", "NONREF"})
_ZONED_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_TOTAL = re.compile(r"\d{1,18}(?:\.\d{0,17})?", re.ASCII)

Leaves = Mapping[str, str]
"""Texts by path of local names, as in "Acct/Id/IBAN"; the currency of an amount as "Amt/@Ccy"."""


def leaves_of(element: etree._Element, leave_out: str = "") -> Leaves:
    """What is inside `element`: the first text of each path, without blanks around it. Its children named
    `leave_out` are left out."""
    leaves: dict[str, str] = {}
    for child in element.iterchildren(etree.Element):
        if name_of(child) != leave_out:
            _gather(child, name_of(child), leaves)
    return leaves


def _gather(element: etree._Element, path: str, leaves: dict[str, str]) -> None:
    if len(element):
        for child in element.iterchildren(etree.Element):
            _gather(child, f"{path}/{name_of(child)}", leaves)
    elif path not in leaves:
        leaves[path] = (element.text or "").strip()
        if currency := element.get("Ccy"):
            leaves[f"{path}/@Ccy"] = currency


def said(leaves: Leaves, *paths: str) -> str:
    """The text at the first of `paths` that has any; else ""."""
    return next((text for path in paths if (text := leaves.get(path))), "")


def reference(leaves: Leaves, *paths: str) -> str:
    """`said`, leaving out what banks write where there is no reference."""
    return next((text for path in paths if (text := said(leaves, path)) not in _NO_REFERENCE), "")


def moment(leaves: Leaves, *paths: str) -> str:
    """The date-time or date at the first of `paths` that has one; a date without its time zone."""
    text = said(leaves, *paths)
    return text[:10] if _ZONED_DATE.fullmatch(text) else text


def account(leaves: Leaves, path: str) -> str:
    """The number of the account at `path`: its IBAN in electronic form, else its other id; else ""."""
    iban = said(leaves, f"{path}/Id/IBAN")
    return "".join(iban.split()).upper() or said(leaves, f"{path}/Id/Othr/Id")


def party_name(leaves: Leaves, path: str) -> str:
    return said(leaves, f"{path}/Nm", f"{path}/Pty/Nm", f"{path}/Agt/FinInstnId/Nm")


def known_by_name(name: str) -> str:
    """What stands for the account of a party of which only the name is known: "name:" and the name in
    lower case with single blanks. Parties of one name are then one account."""
    return f"name:{' '.join(name.casefold().split())}"[:MAX_REFERENCE] if name else ""


def bank(leaves: Leaves, path: str) -> str:
    """The institution at `path`: its BIC, else its clearing member id, else its name; else ""."""
    inside = f"{path}/FinInstnId"
    return said(
        leaves, *(f"{inside}/{leaf}" for leaf in ("BICFI", "BIC", "ClrSysMmbId/MmbId", "Othr/Id", "Nm"))
    )[:MAX_REFERENCE]


def purpose(leaves: Leaves, *paths: str) -> str:
    """Our purpose for the first of `paths` that has one: by its ISO code, or by its proprietary text where
    that is one of our names; else ""."""
    for path in paths:
        own = leaves.get(f"{path}/Prtry", "")
        if found := _PURPOSES.get(leaves.get(f"{path}/Cd", ""), own if own in Purpose.__members__ else ""):
            return found
    return ""


def total(leaves: Leaves, path: str) -> Decimal | None:
    """A control total; None: not there. Raises MalformedBatch for one that is not an unsigned decimal."""
    text = said(leaves, path)
    if not text:
        return None
    if not _TOTAL.fullmatch(text):
        raise MalformedBatch(f"{path}: {text[:40]!r} is not an unsigned decimal")
    return Decimal(text)


def count(leaves: Leaves, path: str) -> int | None:
    """A control count; None: not there. Raises MalformedBatch for one that is not a whole number."""
    value = total(leaves, path)
    if value is None or value == int(value):
        return None if value is None else int(value)
    raise MalformedBatch(f"{path}: {value} is not a whole number")
