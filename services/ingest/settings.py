"""Settings of ingest, from the environment. Nothing is guessed: a value is of its kind or refused."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from schemas.environment import DEMO, Environment, is_loopback
from schemas.errors import InvalidSetting

DEMO_TOKEN_KEY: Final = b"lookthrough demo key: not secret"
"""What the demo uses unless it is told otherwise. Anyone can undo tokens made with it."""

MIN_TOKEN_KEY_BYTES: Final = 32
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")


@dataclass(frozen=True)
class Settings:
    """demo: feeds and operators without a key are let in. operator_key_sha256: SHA-256, in hex, of
    the key for registry pushes and resends; None: none is let in unless this is the demo.
    spool_folder: where batches wait while they are read; None: the system's temporary folder."""

    token_key: bytes = field(repr=False)
    demo: bool = False
    operator_key_sha256: str | None = None
    kafka_bootstrap: str = "127.0.0.1:9092"
    host: str = "127.0.0.1"
    port: int = 8001
    max_batch_bytes: int = 4 << 30
    concurrent_batches: int = 4
    spool_folder: Path | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Raises InvalidSetting, naming the variable and what it takes."""
        read = Environment(environ)
        demo = read.boolean(DEMO)
        host = read.text("LOOKTHROUGH_INGEST_HOST", cls.host)
        if demo and not is_loopback(host):
            raise InvalidSetting(
                f"LOOKTHROUGH_INGEST_HOST={host}: the demo lets anyone in, so it listens on loopback only"
            )
        return cls(
            token_key=_token_key(environ, "LOOKTHROUGH_TOKEN_KEY", DEMO_TOKEN_KEY if demo else None),
            demo=demo,
            operator_key_sha256=read.sha256("LOOKTHROUGH_OPERATOR_KEY_SHA256"),
            kafka_bootstrap=read.kafka_bootstrap(),
            host=host,
            port=read.integer("LOOKTHROUGH_INGEST_PORT", cls.port, 0, 65_535),
            max_batch_bytes=read.integer(
                "LOOKTHROUGH_MAX_BATCH_BYTES", cls.max_batch_bytes, 1 << 10, 1 << 40
            ),
            concurrent_batches=read.integer("LOOKTHROUGH_CONCURRENT_BATCHES", cls.concurrent_batches, 1, 64),
            spool_folder=read.folder("LOOKTHROUGH_SPOOL_FOLDER"),
        )


def _token_key(variables: Mapping[str, str], name: str, default: bytes | None) -> bytes:
    """Never repeats the value: it may be the secret, mistyped."""
    value = variables.get(name)
    wanted = f"at least {MIN_TOKEN_KEY_BYTES} bytes as hex or base64, as from `openssl rand -hex 32`"
    if value is None:
        if default is None:
            raise InvalidSetting(f"{name} is not set: expected {wanted}; only the demo has a default")
        return default
    key = _decoded(value)
    if key is None or len(key) < MIN_TOKEN_KEY_BYTES:
        raise InvalidSetting(f"{name}: expected {wanted}")
    return key


def _decoded(value: str) -> bytes | None:
    if _HEX.fullmatch(value):
        return bytes.fromhex(value)
    try:
        return b64decode(value, validate=True)
    except (NotBase64, ValueError):
        return None
