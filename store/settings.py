"""Where the store is, as one URL: LOOKTHROUGH_STORE_URL.

    clickhouse://user:password@host:port/database    a server, native protocol
    clickhouses://…                                  the same over TLS
    chdb:FOLDER                                      chDB in this process, data in FOLDER

User, password and database are percent-encoded where they need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from schemas.errors import InvalidSetting

VARIABLE: Final = "LOOKTHROUGH_STORE_URL"
DEFAULT_PORT: Final = 9000
DEFAULT_TLS_PORT: Final = 9440


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int = DEFAULT_PORT
    database: str = "default"
    user: str = "default"
    password: str = field(default="", repr=False)
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    path: Path


def from_environment(environment: Mapping[str, str]) -> Server | Folder:
    """Raises InvalidSetting when LOOKTHROUGH_STORE_URL is missing or is no such URL."""
    if VARIABLE not in environment:
        raise InvalidSetting(f"{VARIABLE} is not set")
    return parse(environment[VARIABLE])


def parse(url: str) -> Server | Folder:
    """Raises InvalidSetting for anything but the forms above. Messages never show the password."""
    scheme, separator, rest = url.partition(":")
    if scheme == "chdb" and rest:
        return Folder(Path(rest))
    if scheme not in ("clickhouse", "clickhouses") or not separator:
        raise InvalidSetting(f"{VARIABLE}: expected clickhouse://host:port/database or chdb:FOLDER")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidSetting(f"{VARIABLE}: {error}") from None
    if not parts.hostname or parts.query or parts.fragment or "/" in parts.path[1:]:
        raise InvalidSetting(f"{VARIABLE}: expected clickhouse://user:password@host:port/database")
    secure = scheme == "clickhouses"
    return Server(
        host=parts.hostname,
        port=port or (DEFAULT_TLS_PORT if secure else DEFAULT_PORT),
        database=unquote(parts.path[1:]) or "default",
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        secure=secure,
    )
