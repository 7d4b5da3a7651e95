"""Time: UTC microseconds since 1970 as an int, RFC 3339 text on the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from schemas.errors import InvalidRecord

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

MIN_INSTANT: Final = 0
MAX_INSTANT: Final = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z
FOREVER: Final = MAX_INSTANT
"""The open end of a validity period."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII
)


def to_micros(text: str) -> int:
    """Microseconds of an RFC 3339 date-time or ISO date; no offset means UTC.

    Raises InvalidRecord for other text and for dates outside 1970–9999.
    """
    if _RFC3339.fullmatch(text) is None:
        raise InvalidRecord("ts", f"{text[:40]!r} is not an RFC 3339 date-time")
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        micros = (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise InvalidRecord("ts", f"{text[:40]!r} is not a date-time: {error}") from None
    if not MIN_INSTANT <= micros <= MAX_INSTANT:
        raise InvalidRecord("ts", f"{text[:40]!r} is outside 1970–9999")
    return micros


@lru_cache(maxsize=10_000)
def to_rfc3339(micros: int) -> str:
    """RFC 3339 text in UTC, six decimals only where they are needed."""
    return (_NAIVE_EPOCH + timedelta(microseconds=micros)).isoformat() + "Z"


def _validate(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("expected an RFC 3339 date-time")
    try:
        micros = to_micros(value) if isinstance(value, str) else value
    except InvalidRecord as error:
        raise ValueError(error.reason) from None
    if not MIN_INSTANT <= micros <= MAX_INSTANT:
        raise ValueError("outside 1970–9999")
    return micros


Instant = Annotated[
    int,
    BeforeValidator(_validate),
    PlainSerializer(to_rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A record field: int microseconds in Python, RFC 3339 text in JSON."""
