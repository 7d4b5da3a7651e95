"""`lookthrough detect`: the detector's engine over files, offline. The same input gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec
import numpy as np
import pyarrow as pa

from lookthrough.files import Directory, Progress, read_registry, read_transactions
from schemas.alert import Alert
from schemas.batch import BatchId, TransferBatch
from schemas.record import content_id
from schemas.risk import RiskScore
from services.detector.engine import Engine
from services.ingest.normalise import Bad

_FEED = "offline"


@dataclass
class Summary:
    """What one run read and found.

    alerts  the newest version of each, in the order of first detection
    scores  the last one of each institution
    """

    transfers: int = 0
    rejected: int = 0
    alerts: dict[str, Alert] = field(default_factory=dict)
    scores: dict[str, RiskScore] = field(default_factory=dict)

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

    Several files are merged by time, each being in time order itself but for a chunk of rows. Records
    that cannot be read go to `out` + ".rejects". Raises InvalidInput for a file that cannot be read.
    """
    directory = Directory()
    summary = Summary()
    if registry is not None:
        engine.apply_registry(read_registry(registry, directory))
    with _created(out) as alerts_out, _created(out.with_name(f"{out.name}.rejects")) as rejects_out:
        streams = [_good_rows(file, directory, progress, summary, rejects_out) for file in files]
        for part, columns in enumerate(merge(streams)):
            identity = BatchId(_FEED, content_id(_FEED, str(part)), 0)
            outputs = engine.apply_transfers(TransferBatch(identity, columns))
            summary.transfers += columns.num_rows
            summary.alerts.update((alert.alert_id, alert) for alert in outputs.alerts)
            summary.scores.update((score.institution_id, score) for score in outputs.scores)
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


def _good_rows(
    file: Path, directory: Directory, progress: Progress, summary: Summary, rejects_out: IO[str]
) -> Iterator[pa.RecordBatch]:
    """The good rows of one file, chunk by chunk; the bad ones go to `rejects_out`."""
    for normalised in read_transactions(file, directory, progress):
        summary.rejected += len(normalised.bad)
        rejects_out.writelines(_reject_line(file, bad) for bad in normalised.bad)
        if normalised.columns.num_rows:
            yield normalised.columns


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
