"""Balances: what a bank says is in an account, and what an institution says it owes its clients.

In files and on the wire one JSON object each, as registry records are; `account_id` is clear as its
sender writes it, and a token after ingest.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from schemas.instant import Instant
from schemas.record import Record
from schemas.registry import AccountNumber


class BalanceKind(StrEnum):
    booked = "booked"  # what the account's bank has booked by then
    clients = "clients"  # what the institution owes its clients then, stated on its reserve account


class Balance(Record):
    """What was in the account just after everything up to and including `as_of`, in minor units of
    `currency`. A later record of the same account, kind, currency and `as_of` corrects the earlier."""

    kind: Literal["balance"] = "balance"
    account_id: AccountNumber
    as_of: Instant
    balance_kind: BalanceKind
    balance_minor: Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


BALANCES: TypeAdapter[list[Balance]] = TypeAdapter(list[Balance])
"""What a message of kind `balances` on the topic `transactions` holds."""
