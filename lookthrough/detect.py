"""`lookthrough detect`: the detector's engine over files, offline. The same input gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import IO, Final

import msgspec
import numpy as np
import pyarrow as pa

from lookthrough.files import Directory, Progress, read_balances, read_registry, read_transactions
from schemas.alert import Alert
from schemas.balance import Balance
from schemas.batch import BatchId, TransferBatch
from schemas.instant import MAX_INSTANT
from schemas.record import content_id
from schemas.risk import RiskScore
from services.detector.engine import Engine, Outputs
from services.ingest.normalise import Bad

BALANCES: Final = "balances.csv"
_FEED = "offline"


@dataclass
class Summary:
    """What one run read and found.

    alerts  the newest version of each, in the order of first detection
    scores  the last one of each institution
    """

    transfers: int = 0
    balances: int = 0
    rejected: int = 0
    alerts: dict[str, Alert] = field(default_factory=dict)
    scores: dict[str, RiskScore] = field(default_factory=dict)

    def take(self, outputs: Outputs) -> None:
        self.alerts.update((alert.alert_id, alert) for alert in outputs.alerts)
        self.scores.update((score.institution_id, score) for score in outputs.scores)

    def by_typology(self) -> dict[str, int]:
        return dict(sorted(Counter(alert.typology for alert in self.alerts.values()).items()))


def detect(
    files: Sequence[Path],
    registry: Path | None,
    out: Path,
    engine: Engine,
    progress: Progress = lambda _: None,
) -> Summary:
    """Run `engine` over `files` in event-time order; write the alerts to `out`, one JSON a line.

    Several files are merged by time, each being in time order itself but for a chunk of rows. Balances
    come from statements among the files, and from balances.csv beside a file where there is one; each
    comes before the chunk of rows that reaches its time. Records that cannot be read go to `out` +
    ".rejects". Raises InvalidInput for a file that cannot be read.
    """
    directory = Directory()
    summary = Summary()
    if registry is not None:
        engine.apply_registry(read_registry(registry, directory))
    with _created(out) as alerts_out, _created(out.with_name(f"{out.name}.rejects")) as rejects_out:
        reading = _Reading(directory, summary, rejects_out)
        for balances in sorted({file.with_name(BALANCES) for file in files}):
            if balances.exists():
                reading.read_balances(balances)
        streams = [reading.good_rows(file, progress) for file in files]
        for part, columns in enumerate(merge(streams)):
            summary.take(engine.apply_balances(reading.stated_until(int(_times(columns).max()))))
            identity = BatchId(_FEED, content_id(_FEED, str(part)), 0)
            summary.take(engine.apply_transfers(TransferBatch(identity, columns)))
            summary.transfers += columns.num_rows
        summary.take(engine.apply_balances(reading.stated_until(MAX_INSTANT)))
        alerts_out.writelines(
            directory.reveal(alert.model_dump_json()) + "\n" for alert in summary.alerts.values()
        )
    return summary


def merge(streams: Sequence[Iterator[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
    """Rows of several time-ordered streams as one, stable by time. Holds one chunk of each stream."""
    if len(streams) == 1:
        yield from streams[0]
        return
    held = {i: chunk for i, stream in enumerate(streams) if (chunk := next(stream, None)) is not None}
    while held:
        until_us = min(_times(chunk).max() for chunk in held.values())
        due = []
        for i, chunk in list(held.items()):
            now = _times(chunk) <= until_us
            due.append(chunk.filter(pa.array(now)))
            following = next(streams[i], None) if now.all() else chunk.filter(pa.array(~now))
            if following is None:
                del held[i]
            else:
                held[i] = following
        rows = pa.Table.from_batches(due).unify_dictionaries().combine_chunks()
        order = np.argsort(rows.column("ts_us").to_numpy(), kind="stable")
        yield from rows.take(order).combine_chunks().to_batches()


def _times(chunk: pa.RecordBatch) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    times: np.ndarray[tuple[int], np.dtype[np.int64]] = chunk.column("ts_us").to_numpy()
    return times


class _Reading:
    """The good rows and balances of files; the bad ones go to `rejects_out`."""

    def __init__(self, directory: Directory, summary: Summary, rejects_out: IO[str]) -> None:
        self._directory = directory
        self._summary = summary
        self._rejects_out = rejects_out
        self._stated: list[tuple[int, int, Balance]] = []

    def good_rows(self, file: Path, progress: Progress) -> Iterator[pa.RecordBatch]:
        """Chunk by chunk."""
        besides = partial(self._take_balance, file)
        for normalised in read_transactions(file, self._directory, progress, besides):
            for bad in normalised.bad:
                self._reject(file, bad)
            if normalised.columns.num_rows:
                yield normalised.columns

    def read_balances(self, file: Path) -> None:
        for balance in read_balances(file, self._directory):
            self._take_balance(file, balance)

    def stated_until(self, until_us: int) -> list[Balance]:
        """What was read of balances as of `until_us` or before and not asked for yet, by time."""
        due = []
        while self._stated and self._stated[0][0] <= until_us:
            due.append(heappop(self._stated)[-1])
        return due

    def _take_balance(self, file: Path, balance: Balance | Bad) -> None:
        if isinstance(balance, Bad):
            self._reject(file, balance)
            return
        heappush(self._stated, (balance.as_of, self._summary.balances, balance))
        self._summary.balances += 1

    def _reject(self, file: Path, bad: Bad) -> None:
        self._summary.rejected += 1
        self._rejects_out.write(_reject_line(file, bad))


def _reject_line(file: Path, bad: Bad) -> str:
    line = {
        "file": str(file),
        "record": bad.number,
        "tx_id": bad.tx_id,
        "field": bad.field,
        "reason": bad.reason,
        "raw": bad.raw.decode("utf-8", "backslashreplace"),
    }
    return msgspec.json.encode(line).decode() + "\n"


def _created(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8", newline="\n")
