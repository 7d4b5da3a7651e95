"""Settings from environment variables. Nothing is guessed: a value is of its kind or refused.

Every reader raises InvalidSetting naming the variable and what it takes, and never repeats a value
that may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from schemas.errors import InvalidSetting

KAFKA_BOOTSTRAP: Final = "LOOKTHROUGH_KAFKA_BOOTSTRAP"
DEMO: Final = "LOOKTHROUGH_DEMO"

_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Environment:
    """Typed reading of `variables`; a variable that is not set has its default."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str) -> str:
        value = self._variables.get(name, default)
        if not value:
            raise InvalidSetting(f"{name} is empty; leave it out to use {default!r}")
        return value

    def boolean(self, name: str, default: bool = False) -> bool:
        value = self._variables.get(name)
        if value is None:
            return default
        if value not in _BOOLEANS:
            raise InvalidSetting(f"{name}={value!r}: expected one of {', '.join(_BOOLEANS)}")
        return _BOOLEANS[value]

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        value = self._variables.get(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,15}", value) or not low <= int(value) <= high:
            raise InvalidSetting(f"{name}={value!r}: expected a whole number from {low} to {high}")
        return int(value)

    def sha256(self, name: str) -> str | None:
        value = self._variables.get(name)
        if value is not None and not _SHA256.fullmatch(value):
            raise InvalidSetting(f"{name}: expected a SHA-256 as 64 lower-case hex digits")
        return value

    def folder(self, name: str) -> Path | None:
        value = self._variables.get(name)
        if value is None:
            return None
        if not Path(value).is_dir():
            raise InvalidSetting(f"{name}={value!r}: expected a folder that exists")
        return Path(value)

    def kafka_bootstrap(self) -> str:
        """Brokers as "host:port", comma-separated."""
        value = self.text(KAFKA_BOOTSTRAP, "127.0.0.1:9092")
        if not all(_is_address(broker) for broker in value.split(",")):
            raise InvalidSetting(f"{KAFKA_BOOTSTRAP}={value!r}: expected host:port[,host:port…]")
        return value


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_address(broker: str) -> bool:
    host, _, port = broker.rpartition(":")
    return bool(host) and bool(re.fullmatch(r"[0-9]{1,5}", port)) and 0 < int(port) <= 65_535
