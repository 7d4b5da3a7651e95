"""Settings of the detector worker, from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from schemas.environment import Environment


@dataclass(frozen=True)
class Settings:
    """kafka_bootstrap: brokers as "host:port", comma-separated. metrics_port: Prometheus metrics on
    127.0.0.1; 0: none. Two workers on one machine need two ports."""

    kafka_bootstrap: str = "127.0.0.1:9092"
    metrics_port: int = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Raises InvalidSetting, naming the variable and what it takes."""
        read = Environment(environ)
        port = read.integer("LOOKTHROUGH_DETECTOR_METRICS_PORT", cls.metrics_port, 0, 65_535)
        return cls(read.kafka_bootstrap(), port)
