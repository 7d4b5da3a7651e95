"""What every record but the transaction is built on."""

from __future__ import annotations

from hashlib import blake2b
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:\-]*$")
]
"""An id that people and systems outside chose: of a feed, institution, party, product."""

Text = Annotated[str, StringConstraints(max_length=1000)]
Percent = Annotated[int, Field(ge=0, le=100)]


class Record(BaseModel):
    """Immutable, strict about unknown fields; its JSON is deterministic (field order)."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Bilingual(Record):
    """The same sentence for a supervisor who reads Chinese or English."""

    zh: str
    en: str


def content_id(*parts: str) -> str:
    """128-bit id derived from content: the same parts give the same id on every machine."""
    encoded = [part.encode() for part in parts]
    framed = b"".join([len(part).to_bytes(4, "big") + part for part in encoded])
    return blake2b(framed, digest_size=16).hexdigest()
