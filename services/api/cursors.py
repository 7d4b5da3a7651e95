"""Opaque places in a list: where the page after this one starts.

A cursor holds the sort key of the last item given out, never an offset, so that what is inserted
meanwhile neither repeats nor skips an item.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from schemas.errors import InvalidInput

MAX_LENGTH: Final = 512
_INT64: Final = range(-(2**63), 2**63)

Place = tuple[int | str, ...]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Stretch(Generic[Row]):
    """Consecutive rows of a list, and the cursor to those after them: None at its end."""

    rows: Sequence[Row]
    cursor: str | None


def cut(resource: str, rows: Sequence[Row], limit: int, place: Callable[[Row], Place]) -> Stretch[Row]:
    """The first `limit` of `rows`, of which one more was asked for so as to know whether any follow."""
    if len(rows) <= limit:
        return Stretch(rows, None)
    shown = rows[:limit]
    return Stretch(shown, encode(resource, place(shown[-1])))


def encode(resource: str, place: Place) -> str:
    text = json.dumps([resource, *place], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(resource: str, cursor: str | None, start: Place) -> Place:
    """The place in `cursor`, or `start` without one; raises InvalidInput when it is not of `resource`.

    The parts have the types of `start`'s, and integers fit int64.
    """
    if cursor is None:
        return start
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name, *place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _refusal(resource) from None
    fits = [type(part) is type(like) for part, like in zip(place, start, strict=False)]
    if name != resource or len(place) != len(start) or not all(fits):
        raise _refusal(resource)
    if any(isinstance(part, int) and part not in _INT64 for part in place):
        raise _refusal(resource)
    return tuple(place)


def _refusal(resource: str) -> InvalidInput:
    return InvalidInput(
        f"this cursor does not belong to the list of {resource}; follow `next` as it was given, "
        "or leave `cursor` out to start anew"
    )
