"""What the searches on every transfer work with: settings, scratch, and room for what they find."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from services.detector.graph.kernel import Array, Int32s, Int64s, aligned, kernel, signed
from services.detector.graph.shapes import BUDGET_SPENT, MOST_LEGS, Found, Shape, Shapes
from services.detector.graph.shapes import HUB_MET as HUB_MET
from services.detector.graph.walks import LABEL, Walk, new_walk

SETTINGS: Final = np.dtype([(name, "<i8") for name in Shapes.__slots__])

TRACE: Final = np.dtype([("seq", "<i8"), ("ts_us", "<i8"), ("account", "<i4"), ("before", "<i4")])
"""A leg on the way, the account at its far end, and the trace it goes on from."""

SIDE: Final = np.dtype([("queued", "<i8"), ("cost", "<i8"), ("hubs", "<i8"), ("layers", "<i8")])
"""One of the two ends a cycle is searched from."""

PROGRESS: Final = np.dtype(
    [("search", "<i8"), ("traced", "<i8"), ("near", "<i8"), ("far", "<i8"), ("hits", "<i8"), ("legs", "<i8")]
)
HIT: Final = np.dtype(
    [("row", "<i4"), ("shape", "<i4"), ("account", "<i4"), ("count", "<i4"), ("first_leg", "<i4")]
)
LAST_SEARCH: Final = 2**32 - 2**26
"""Search numbers are 32 bits wide; before they run out, labels are wiped."""
LISTS_AHEAD: Final = 16
"""Rows whose lists are brought near together."""
LISTS_A_ROW: Final = 4
_SEARCHES_A_ROW: Final = len(Shape) + 1


class Hunt(NamedTuple):
    settings: Array
    walk: Walk
    trace: Array
    queue: Array
    """(side, place): accounts of the next layer."""
    sides: Array
    progress: Array
    hits: Array
    legs: Int64s
    cut: Array
    warmed: Int64s
    """Scratch: the transfer to bring near next of each list."""


def new_hunt_labels(max_accounts: int) -> Array:
    return aligned(2 * (max_accounts + 1), LABEL)


def new_hunt(shapes: Shapes, labels: Array, search: int, rows: int) -> Hunt:
    """`search`: the greatest number that a search over these labels had."""
    room = 2 * shapes.budget + 4
    progress = np.zeros(1, PROGRESS)
    if search + rows * _SEARCHES_A_ROW > LAST_SEARCH:
        labels["search"] = 0
        search = 0
    progress["search"] = search
    settings = np.zeros(1, SETTINGS)
    settings[0] = tuple(getattr(shapes, name) for name in Shapes.__slots__)
    return Hunt(
        settings,
        new_walk(shapes.budget, labels),
        np.zeros(room, TRACE),
        np.zeros((2, room), np.int32),
        np.zeros(2, SIDE),
        progress,
        np.zeros(rows * len(Shape), HIT),
        np.zeros(rows * MOST_LEGS, np.int64),
        np.zeros(rows, np.int8),
        np.zeros(LISTS_A_ROW * LISTS_AHEAD, np.int64),
    )


def found_by(hunt: Hunt) -> Found:
    hits = hunt.hits[: int(hunt.progress[0]["hits"])]
    columns: dict[str, Int32s] = {name: np.ascontiguousarray(hits[name]) for name in HIT.names or ()}
    return Found(
        **columns,
        legs=hunt.legs[: int(hunt.progress[0]["legs"])],
        cut=hunt.cut,
        budget_spent=int(np.count_nonzero(hunt.cut & BUDGET_SPENT)),
        hub_met=int(np.count_nonzero(hunt.cut & HUB_MET)),
        visited=int(hunt.walk.scope[0]["visited_in_all"]),
    )


@kernel
def begin_search(hunt: Hunt) -> None:
    """A search of its own number, with nothing traced."""
    progress = hunt.progress[0]
    progress.search += 1
    progress.traced = 0
    hunt.walk.scope[0].budget = hunt.settings[0].budget


@kernel
def add_trace(hunt: Hunt, account: int, ts_us: int, seq: int, earlier: int, side: int) -> None:
    """A way to `account`, noted as the best there is on this side."""
    progress = hunt.progress[0]
    trace = hunt.trace[progress.traced]
    trace.seq = seq
    trace.ts_us = ts_us
    trace.account = account
    trace.before = earlier
    label = hunt.walk.labels[2 * account + side]
    label.search = np.uint32(progress.search)
    label.mark = progress.traced
    progress.traced += 1


@kernel
def mark_at(hunt: Hunt, account: int, side: int) -> int:
    """The trace this search noted at this side of the account, or -1."""
    label = hunt.walk.labels[2 * account + side]
    return signed(label.mark) if label.search == np.uint32(hunt.progress[0].search) else -1


@kernel
def add_hit(hunt: Hunt, row: int, shape: int, account: int, count: int) -> None:
    progress = hunt.progress[0]
    hit = hunt.hits[progress.hits]
    hit.row = row
    hit.shape = shape
    hit.account = account
    hit.count = count
    hit.first_leg = progress.legs
    progress.hits += 1


@kernel
def note_cut(hunt: Hunt, row: int, has_met_hub: bool) -> None:
    """Mark the row for what kept its search from looking everywhere."""
    scope = hunt.walk.scope[0]
    if scope.visited > scope.budget:
        hunt.cut[row] |= BUDGET_SPENT
    if has_met_hub:
        hunt.cut[row] |= HUB_MET
