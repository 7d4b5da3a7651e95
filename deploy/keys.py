"""The secrets of one deployed shape: made at its first start, readable by its owner alone."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True)
class Keys:
    """token: hex, what account numbers are tokenised with; lose it and old tokens match nothing.
    operator: for registry pushes and resends. supervisor: reads everything in the API.
    store: ClickHouse's password."""

    token: str
    operator: str
    supervisor: str
    store: str


def keys_of(folder: Path) -> Keys:
    """Those in folder/keys.json; new random ones when there is none."""
    path = folder / "keys.json"
    if not path.exists():
        made = Keys(*(secrets.token_hex(32) for _ in range(4)))
        _write(path, asdict(made))
    return Keys(**json.loads(path.read_text()))


def write_access(folder: Path, keys: Keys) -> Path:
    """The API's key file, unless someone has put one there: one supervisor who may see everything."""
    path = folder / "access.json"
    if not path.exists():
        supervisor = {"name": "supervisor", "key_sha256": digest(keys.supervisor)}
        scope = {"sectors": "*", "regions": "*", "feeds": "*", "rejects": True}
        _write(path, [supervisor | scope])
    return path


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _write(path: Path, content: object) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
