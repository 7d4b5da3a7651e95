"""How accounts are named once ingest has let them in.

A bank's account number never travels past ingest. It is replaced by a token: 16 bytes, a keyed
HMAC of the number (services/ingest/tokens.py). In JSON and SQL a token is 32 lower-case hex digits.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import StringConstraints

TOKEN_BYTES: Final = 16

OUTSIDE: Final = bytes(TOKEN_BYTES)
"""The world outside the feeds, where a transfer names no counterparty account. Money comes from it
and goes to it, but it is not an account: never a hub, never a node on a path, never a subject."""

OUTSIDE_NAMES: Final = frozenset({"", "EXT_SOURCE", "EXT_SINK"})
"""What a feed may write for OUTSIDE."""

AccountToken = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
