"""Examples of every record, valid and invalid, that each producer and consumer is tested on.

One file a record: {"valid": [record, …], "invalid": [{"why", "field", "record"}, …]}; `field` is
what the error must name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Invalid:
    why: str
    field: str
    record: dict[str, Any]


def valid(name: str) -> list[dict[str, Any]]:
    """The valid examples of record `name`, as JSON objects."""
    return list(_load(name)["valid"])


def invalid(name: str) -> list[Invalid]:
    return [Invalid(**example) for example in _load(name)["invalid"]]


def _load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return document
