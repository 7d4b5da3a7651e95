from __future__ import annotations

from typing import Any

from benchmarks.graph.__main__ import compared
from benchmarks.graph.plan import NETWORKX, OURS, SNAPML, rows
from benchmarks.graph.subject import Shapes
from benchmarks.graph.table import text

LINE: dict[str, Any] = {
    "live": 10_000,
    "regime": "none",
    "subject": "ours",
    "shapes": "cycles",
    "transfers_per_second": 500_000,
    "transfers_per_core_second": 510_000,
    "batch_p99_ms": 3.0,
    "batch_p99_core_ms": 2.0,
    "recall": {"cycle": {"planted": 4, "found": 3}},
    "transfers": 2_000,
    "whole": False,
}


def test_compares_equal_work_only() -> None:
    peer = LINE | {"subject": NETWORKX, "transfers_per_core_second": 51_000}
    lines = compared([LINE, peer, peer | {"shapes": "both"}, peer | {"failed": "late"}])
    assert [line.get("ours_times") for line in lines] == [None, 10.0, None, None]


def test_says_what_was_cut_and_what_failed() -> None:
    shown = text([LINE, {**LINE, "subject": SNAPML, "failed": "not installed"}])
    heading, rule, cut, failed = shown.splitlines()
    assert len({row.count("|") for row in (heading, rule, cut, failed)}) == 1
    assert "2,000 (time limit)" in cut
    assert "cycles 3/4" in cut
    assert "not installed" in failed
    assert "500,000" not in failed


def test_snapml_searches_less_at_a_million() -> None:
    few = {row.shapes for row in rows(100_000) if row.subject == SNAPML}
    many = {row.shapes for row in rows(1_000_000) if row.subject == SNAPML}
    assert few == {Shapes.both}
    assert many == {Shapes.scatter_gather, Shapes.short_cycles}


def test_every_peer_has_a_row_of_ours_with_equal_work() -> None:
    for live in (10_000, 1_000_000, 10_000_000):
        planned = list(rows(live))
        ours = {row.shapes for row in planned if row.subject == OURS}
        assert {row.shapes for row in planned} == ours
