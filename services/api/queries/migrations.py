"""Which migrations the store has seen."""

from __future__ import annotations

from typing import Final

from services.api.inquiry import Reader

_NUMBERS: Final = """
SELECT number
FROM schema_migrations FINAL
LIMIT 10000
"""


def numbers(reader: Reader) -> frozenset[int]:
    """Raises Unavailable, also where no migration ever ran."""
    return frozenset(number for (number,) in reader.query(_NUMBERS, {}))
