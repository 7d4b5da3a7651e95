"""`lookthrough evaluate`: run the detector over labelled sets and say how well it did."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

from lookthrough.detect import detect
from lookthrough.evaluation.labelled import read, transactions_of
from lookthrough.evaluation.matching import Outcome, judge
from lookthrough.evaluation.measures import Measured, Recall, Run, Share, measure, missed
from lookthrough.evaluation.page import page
from lookthrough.files import Progress
from schemas.instant import HOUR
from schemas.law import load_law
from services.detector.engine import Engine
from services.detector.typologies import TYPOLOGIES

_EXAMPLES = 20
"""Missed cases, and alerts in error, named for each typology."""
_PROGRESS_S = 0.2
_READABLE = 12
"""Transfers that a picture may show."""


def evaluate(folders: Sequence[Path], out: Path, progress: Progress) -> dict[str, Any]:
    """Write evaluation.json, evaluation.html and the alerts of each set to `out`; the figures.

    The sets are run side by side, a process each, as far as there are processors. Raises InvalidInput
    for a folder that is no labelled set. Blocks, a minute or two a million transfers.
    """
    out.mkdir(parents=True, exist_ok=True)
    figures = _figures(_side_by_side(folders, out, progress))
    (out / "evaluation.json").write_text(
        json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    (out / "evaluation.html").write_text(page(figures), encoding="utf-8")
    return figures


def size_of(folder: Path) -> int:
    """Bytes that evaluate() will read of it and tell `progress`. Raises InvalidInput."""
    return transactions_of(folder).stat().st_size


def _side_by_side(folders: Sequence[Path], out: Path, progress: Progress) -> list[Run]:
    workers = min(len(folders), os.cpu_count() or 1)
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(workers, spawn) as pool:
        read_bytes = manager.Queue()
        runs = [
            pool.submit(_run, folder, out / f"{number}-{folder.name}.alerts.jsonl", read_bytes.put)
            for number, folder in enumerate(folders, start=1)
        ]
        while wait(runs, timeout=_PROGRESS_S).not_done or not read_bytes.empty():
            while not read_bytes.empty():
                progress(read_bytes.get())
        return [run.result() for run in runs]


def _run(folder: Path, alerts: Path, progress: Progress) -> Run:
    labelled = read(folder)
    engine = Engine(load_law())
    summary = detect([transactions_of(folder)], labelled.registry, alerts, engine, progress)
    return Run(labelled, tuple(judge(alert, labelled) for alert in summary.alerts.values()))


def _figures(runs: Sequence[Run]) -> dict[str, Any]:
    """As evaluation.json has them: docs/evaluation.md says what each is."""
    names = {one.id: one.name for one in TYPOLOGIES}
    return {
        "sets": [
            {
                "name": run.labelled.name,
                "cases": sum(one.illicit and one.complete for one in run.labelled.patterns),
                "honest_patterns": sum(not one.illicit for one in run.labelled.patterns),
                "alerts": len(run.judged),
            }
            for run in runs
        ],
        "typologies": [
            {
                "id": one.typology,
                "name": names[one.typology].model_dump() if one.typology in names else None,
                **_of(one),
                "example": _example(runs, one.typology),
                "missed": _missed(runs, one.typology),
                "in_error": _in_error(runs, one.typology),
            }
            for one in measure(runs)
        ],
    }


def _of(one: Measured) -> dict[str, Any]:
    return {
        "precision": _share(one.precision),
        "outcomes": {outcome.value: count for outcome, count in one.outcomes.items() if count},
        "recall": {care or "unstated": _recall(of) for care, of in one.recall.items()},
        "any_name": _share(one.any_name),
        "variants": {variant or "unstated": _recall(of) for variant, of in one.variants.items()},
        "look_alikes": _share(one.look_alikes),
        "look_alikes_hit": dict(one.hit),
    }


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    value = None if share.value is None else round(share.value, 4)
    return {
        "part": share.part,
        "whole": share.whole,
        "value": value,
        "interval": [round(low, 4), round(high, 4)],
    }


def _recall(recall: Recall) -> dict[str, Any]:
    return {
        **_share(recall.share),
        "amount": None if recall.amount is None else round(recall.amount, 4),
        "median_delay_hours": _hours(recall.median_delay_us),
        "longest_delay_hours": _hours(recall.delays_us[-1] if recall.delays_us else None),
    }


def _hours(delay_us: float | None) -> float | None:
    return None if delay_us is None else round(delay_us / HOUR, 2)


def _example(runs: Sequence[Run], typology: str) -> dict[str, Any] | None:
    """The right alert that is easiest to read: some transfers, and few."""
    right = [
        one.alert
        for run in runs
        for one in run.judged
        if one.alert.typology == typology and one.outcome is Outcome.right
    ]
    few = [one for one in right if len(one.evidence.edges) <= _READABLE]
    easiest = min(
        few, key=lambda one: (-min(len(one.evidence.edges), 4), -one.confidence, one.alert_id), default=None
    )
    return easiest.model_dump(mode="json") if easiest else None


def _missed(runs: Sequence[Run], typology: str) -> list[dict[str, str]]:
    found = (
        {"set": run.labelled.name, "pattern": one.pattern_id, "variant": one.variant}
        for run in runs
        for one in missed(run, typology)
    )
    return [one for one, _ in zip(found, range(_EXAMPLES), strict=False)]


def _in_error(runs: Sequence[Run], typology: str) -> list[dict[str, Any]]:
    found = (
        {
            "set": run.labelled.name,
            "alert": one.alert.alert_id,
            "outcome": one.outcome.value,
            "confidence": one.alert.confidence,
            "about": [f"{pattern.pattern_id} {pattern.typology}" for pattern in one.patterns[:3]],
        }
        for run in runs
        for one in run.judged
        if one.alert.typology == typology and one.outcome not in (Outcome.right, Outcome.ignored)
    )
    return [one for one, _ in zip(found, range(_EXAMPLES), strict=False)]


def table(figures: dict[str, Any]) -> Iterator[str]:
    """The figures as lines for a terminal: a typology, then its variants."""
    heads = ("", "precision", "recall", "95 % of it", "careful", "amount", "look-alikes", "delay h")
    yield _line(*heads)
    for one in figures["typologies"]:
        recall = one["recall"].get("all")
        low, high = recall["interval"] if recall else (0, 1)
        yield _line(
            one["id"],
            _fraction(one["precision"]),
            _fraction(recall),
            f"{low:.2f}–{high:.2f}" if recall else "",
            _fraction(one["recall"].get("careful")),
            _number(recall and recall["amount"]),
            _fraction(one["look_alikes"]),
            _number(recall and recall["median_delay_hours"]),
        )
        for variant, of in one["variants"].items():
            shown = (_number(of["amount"]), "", _number(of["median_delay_hours"]))
            yield _line(f"  {variant}", "", _fraction(of), "", "", *shown)


def _line(first: str, *rest: str) -> str:
    return f"{first:<28}" + "".join(f"{one:>14}" for one in rest)


def _fraction(share: dict[str, Any] | None) -> str:
    return f"{share['part']}/{share['whole']}" if share else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
