"""Lines of figures as a table, in Markdown as well as on a terminal."""

from __future__ import annotations

from typing import Any, Final

HEADINGS: Final = (
    "live",
    "hubs",
    "subject",
    "shapes",
    "transfers/s",
    "transfers/core-s",
    "ours is × as fast",
    "p99 ms",
    "p99 core-ms",
    "planted found",
    "measured",
)
_NAMES: Final = {"cycle": "cycles", "hub_cycle": "through hubs", "scatter_gather": "scatter-gathers"}
_WIDTHS: Final = (9, 11, 13, 14, 11, 16, 17, 8, 11, 56, 18)


def text(lines: list[dict[str, Any]], heading: bool = True) -> str:
    """Markdown rows, padded."""
    rows = [_row(HEADINGS), _row(["-" * width for width in _WIDTHS])] if heading else []
    return "\n".join(rows + [_row(_cells(line)) for line in lines])


def _row(cells: Any) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)) + " |"


def _cells(line: dict[str, Any]) -> list[str]:
    known = [f"{line['live']:,}", line["regime"], line["subject"].removesuffix("_peer"), line["shapes"]]
    if "failed" in line:
        return [*known, "–", "–", "–", "–", "–", line["failed"], "none"]
    return [
        *known,
        f"{line['transfers_per_second']:,}",
        f"{line['transfers_per_core_second']:,}",
        f"{line['ours_times']:g}" if "ours_times" in line else "",
        f"{line['batch_p99_ms']:.2f}",
        f"{line['batch_p99_core_ms']:.2f}",
        ", ".join(_recall(kind, counts) for kind, counts in sorted(line["recall"].items())),
        f"{line['transfers']:,}" + ("" if line["whole"] else " (time limit)"),
    ]


def _recall(kind: str, counts: dict[str, int]) -> str:
    return f"{_NAMES[kind]} {counts['found']}/{counts['planted']}"
