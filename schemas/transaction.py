"""The transaction as a custody bank sends it, before ingest validates and tokenises it.

One vocabulary for JSON, CSV and the labelled data sets; ISO 20022 is mapped onto it.
Decoded by msgspec because this is the one record that comes by the million.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta


class Purpose(IntEnum):
    """Why the money moved, as the feed says. The number is the columnar code: append, never renumber."""

    unknown = 0
    recharge = 1
    invest = 2
    disburse = 3
    repay = 4
    withdraw = 5
    fee = 6
    subsidy = 7
    compensation = 8
    interest = 9
    refund = 10
    merchant_settlement = 11
    redemption = 12
    reserve_transfer = 13
    top_up = 14
    salary = 15
    tax = 16
    purchase = 17
    transfer = 18


Id = Annotated[str, Meta(min_length=1, max_length=128)]
Reference = Annotated[str, Meta(max_length=128)]


class Transaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One movement of money from account `src` to account `dst`.

    tx_id         the bank's id, unique within its feed
    ts            RFC 3339 booking time; no offset means UTC
    src, dst      account numbers of payer and payee; "", EXT_SOURCE or EXT_SINK: the outside world
    amount        unsigned decimal in major units, as text ("617.20")
    currency      ISO 4217
    channel       how it was sent, free text
    src_bank, dst_bank  the accounts' banks
    purpose       a Purpose by name; "" is unknown
    product       the listing, fund or vehicle it belongs to
    instruction   reference of the client's instruction behind it
    reversal_of   tx_id that this one undoes
    """

    tx_id: Id
    ts: Annotated[str, Meta(max_length=40)]
    src: Reference
    dst: Reference
    amount: Annotated[str, Meta(max_length=40)]
    currency: Annotated[str, Meta(max_length=3)]
    channel: Reference = ""
    src_bank: Reference = ""
    dst_bank: Reference = ""
    purpose: Annotated[str, Meta(max_length=32)] = ""
    product: Reference = ""
    instruction: Reference = ""
    reversal_of: Reference = ""


FIELDS = tuple(field.name for field in msgspec.structs.fields(Transaction))
REQUIRED = tuple(f.name for f in msgspec.structs.fields(Transaction) if f.required)
