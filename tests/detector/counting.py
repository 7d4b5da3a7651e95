"""An engine whose every finding tells all that it has seen, in order: one message lost, repeated or out
of place changes the bytes of all that follow. As a program it is a worker with that engine.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from schemas.alert import Alert
from schemas.balance import Balance
from schemas.batch import TransferBatch
from schemas.examples import valid
from schemas.record import content_id
from schemas.registry import RegistryRecord, version_key
from schemas.risk import RiskScore

_log = logging.getLogger(__name__)
_ALERT = Alert.model_validate(valid("alert")[0])
_SCORE = RiskScore.model_validate(valid("risk-score")[0])


@dataclass(frozen=True)
class Findings:
    alerts: tuple[Alert, ...] = ()
    scores: tuple[RiskScore, ...] = ()


class CountingEngine:
    def __init__(self, seconds_a_batch: float = 0.0) -> None:
        self._seen = blake2b(digest_size=16)
        self._batches = 0
        self._seconds = seconds_a_batch

    @property
    def fill(self) -> float:
        return self._batches / 50

    def apply_transfers(self, *batches: TransferBatch) -> Findings:
        _log.info("%d batches together", len(batches))
        return Findings(alerts=tuple(map(self._seen_in, batches)))

    def _seen_in(self, batch: TransferBatch) -> Alert:
        time.sleep(self._seconds)
        self._batches += 1
        self._seen.update(batch.id.batch_id.encode())
        self._seen.update(batch.int64("amount_minor").tobytes())
        return _ALERT.model_copy(
            update={
                "alert_id": content_id("alert", batch.id.feed_id),
                "version": self._batches,
                "rule_version": self._seen.hexdigest(),
            }
        )

    def apply_registry(self, records: Sequence[RegistryRecord]) -> Findings:
        for record in records:
            self._seen.update(version_key(record).encode())
        return Findings(scores=(_SCORE.model_copy(update={"formula": self._seen.hexdigest()}),))

    def apply_balances(self, records: Sequence[Balance]) -> Findings:
        for record in records:
            self._seen.update(record.model_dump_json().encode())
        return Findings(scores=(_SCORE.model_copy(update={"formula": self._seen.hexdigest()}),))


if __name__ == "__main__":
    from services.detector.settings import Settings
    from services.detector.worker import run

    pause_s = float(sys.argv[1])
    run(Settings.from_environment(os.environ), lambda: CountingEngine(pause_s))
