"""A record that was not let in, kept whole so that it can be repaired and sent again."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.instant import Instant
from schemas.record import Identifier, Record


class RejectStatus(StrEnum):
    open = "open"
    resent = "resent"


class Reject(Record):
    """`record_number` counts from 1 within the batch; 0 stands for the batch as a whole.

    `raw` is the record as it came: text, or base64 where it is not UTF-8. Its clear account
    numbers make it readable only to whoever may read the feed. `resent_as` is the tx_id under
    which a repaired record was accepted.
    """

    reject_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    feed_id: Identifier
    batch_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    record_number: Annotated[int, Field(ge=0)]
    tx_id: str = ""
    field: str
    reason: str
    raw: str
    raw_encoding: Literal["utf-8", "base64"] = "utf-8"
    received_at: Instant
    status: RejectStatus = RejectStatus.open
    resent_as: str = ""
