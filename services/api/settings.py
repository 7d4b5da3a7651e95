"""How the supervisors' API is set up. Everything is checked before a port is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.environment import DEMO, Environment, is_loopback
from schemas.errors import InvalidSetting

PREFIX: Final = "LOOKTHROUGH_API_"
_KNOWN: Final = {f"{PREFIX}{name}" for name in ("HOST", "PORT", "KEYS", "READS", "READ_SECONDS")}


@dataclass(frozen=True, slots=True)
class Settings:
    """Raises InvalidSetting for what must not run: no keys outside the demo, a demo others can reach.

    keys           JSON file of access keys (services/api/access.py); None only in the demo
    demo           everyone is the principal "demo", who sees everything
    reads          reads of the store at the same moment; more wait, then are refused
    read_seconds   longest that one read of the store may take
    requests       requests under /v1 at the same moment; more are refused at once
    """

    host: str = "127.0.0.1"
    port: int = 8000
    keys: Path | None = None
    demo: bool = False
    reads: int = 8
    read_seconds: int = 10
    requests: int = 64

    def __post_init__(self) -> None:
        if self.demo and not is_loopback(self.host):
            raise InvalidSetting(
                f"the demo answers everyone, so it may not listen on {self.host!r}; "
                f"listen on 127.0.0.1, or unset LOOKTHROUGH_DEMO and give keys in {PREFIX}KEYS"
            )
        if not self.demo and self.keys is None:
            raise InvalidSetting(
                f"no access keys: name a key file in {PREFIX}KEYS, or set LOOKTHROUGH_DEMO=true to try it out"
            )


def from_environment(variables: Mapping[str, str]) -> Settings:
    """Raises InvalidSetting naming the variable, also for a LOOKTHROUGH_API_ variable nobody reads."""
    unread = sorted(name for name in variables if name.startswith(PREFIX) and name not in _KNOWN)
    if unread:
        raise InvalidSetting(f"{unread[0]} is not a setting; known are {', '.join(sorted(_KNOWN))}")
    environment = Environment(variables)
    keys = variables.get(f"{PREFIX}KEYS")
    return Settings(
        host=environment.text(f"{PREFIX}HOST", "127.0.0.1"),
        port=environment.integer(f"{PREFIX}PORT", 8000, 0, 65_535),
        keys=Path(keys) if keys else None,
        demo=environment.boolean(DEMO),
        reads=environment.integer(f"{PREFIX}READS", 8, 1, 256),
        read_seconds=environment.integer(f"{PREFIX}READ_SECONDS", 10, 1, 300),
    )
