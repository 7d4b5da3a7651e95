"""The rows of a batch, one after the other; what each completes is searched just after it was applied,
so it sees what was logged before it, and itself."""

from __future__ import annotations

from typing import Final

from compiled import kernel
from services.detector.graph.adjacency import begin_lists, bring_lists_near, keep_lists
from services.detector.graph.aggregates import apply_row
from services.detector.graph.cycles import search_cycle
from services.detector.graph.fans import search_fans
from services.detector.graph.hunt import Hunt
from services.detector.graph.overlaps import search_overlap
from services.detector.graph.shapes import Shape
from services.detector.graph.state import INSERTED, Rows, State
from services.detector.graph.warming import warm_row

_SCATTER_GATHER: Final = int(Shape.scatter_gather)
_BIPARTITE: Final = int(Shape.bipartite)


@kernel
def apply_rows(state: State, rows: Rows) -> None:
    for row in range(rows.ts_us.size):
        warm_row(state, rows, row)
        apply_row(state, rows, row)


@kernel
def apply_and_search_rows(state: State, rows: Rows, hunt: Hunt) -> None:
    settings = hunt.settings[0]
    begin_lists(state, hunt.kept)
    fans = settings.fan_in + settings.fan_out + settings.gather_scatter > 0
    for row in range(rows.ts_us.size):
        warm_row(state, rows, row)
        bring_lists_near(state, hunt.kept, rows, row)
        apply_row(state, rows, row)
        keep_lists(state, hunt.kept)
        if rows.status[row] != INSERTED:
            continue
        seq = rows.seq[row]
        if settings.cycle_legs > 0:
            search_cycle(state, hunt, row, seq)
        for shape in (_SCATTER_GATHER, _BIPARTITE):
            least = settings.middles if shape == _SCATTER_GATHER else settings.bipartite
            if least > 0:
                search_overlap(state, hunt, row, seq, shape)
        if fans:
            search_fans(state, hunt, row, seq)
