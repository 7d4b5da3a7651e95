"""Settings of the detector worker, from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from schemas.errors import InvalidSetting


@dataclass(frozen=True)
class Settings:
    """kafka_bootstrap: brokers as "host:port", comma-separated. metrics_port: Prometheus metrics on
    127.0.0.1; 0: none. Two workers on one machine need two ports."""

    kafka_bootstrap: str = "127.0.0.1:9092"
    metrics_port: int = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Raises InvalidSetting, naming the variable and what it takes."""
        bootstrap = environ.get("LOOKTHROUGH_KAFKA_BOOTSTRAP", cls.kafka_bootstrap)
        if not all(_is_address(broker) for broker in bootstrap.split(",")):
            raise InvalidSetting(
                f"LOOKTHROUGH_KAFKA_BOOTSTRAP={bootstrap!r}: expected host:port[,host:port…]"
            )
        port = environ.get("LOOKTHROUGH_DETECTOR_METRICS_PORT", str(cls.metrics_port))
        if not _is_port(port):
            raise InvalidSetting(f"LOOKTHROUGH_DETECTOR_METRICS_PORT={port!r}: expected 0 to 65535")
        return cls(bootstrap, int(port))


def _is_address(broker: str) -> bool:
    host, _, port = broker.rpartition(":")
    return bool(host) and _is_port(port) and int(port) > 0


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535
