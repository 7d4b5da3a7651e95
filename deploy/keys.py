"""The secrets of one deployed shape: made at its first start, readable by its owner alone.

As a program, for Docker: `python3 deploy/keys.py FOLDER` makes them and FOLDER/compose.env.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
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
        _write(path, json.dumps(asdict(made), indent=2))
    return Keys(**json.loads(path.read_text()))


def write_access(folder: Path, keys: Keys) -> Path:
    """The API's key file, unless someone has put one there: one supervisor who may see everything.

    It holds digests only, and the container's user must be able to read it.
    """
    path = folder / "access.json"
    if not path.exists():
        supervisor = {"name": "supervisor", "key_sha256": digest(keys.supervisor)}
        scope = {"sectors": "*", "regions": "*", "feeds": "*", "rejects": True}
        _write(path, json.dumps([supervisor | scope], indent=2), 0o644)
    return path


def digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def write_compose_environment(folder: Path, keys: Keys) -> Path:
    """What compose.yml takes by --env-file."""
    path = folder / "compose.env"
    if not path.exists():
        variables = {
            "LOOKTHROUGH_TOKEN_KEY": keys.token,
            "LOOKTHROUGH_OPERATOR_KEY_SHA256": digest(keys.operator),
            "LOOKTHROUGH_STORE_PASSWORD": keys.store,
            "LOOKTHROUGH_ACCESS_FILE": str(write_access(folder, keys)),
        }
        _write(path, "".join(f"{name}={value}\n" for name, value in variables.items()))
    return path


def _write(path: Path, content: str, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)


if __name__ == "__main__":
    chosen = Path(sys.argv[1]).resolve()
    chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_compose_environment(chosen, keys_of(chosen))
