"""What the searches on every transfer work with: settings, scratch, and room for what they find."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from compiled import Array, Int32s, Int64s, kernel, signed
from services.detector.graph.adjacency import Adjacency
from services.detector.graph.scope import SCOPE
from services.detector.graph.shapes import BUDGET_SPENT, MOST_LEGS, Found, Shape, Shapes
from services.detector.graph.shapes import HUB_MET as HUB_MET

SETTINGS: Final = np.dtype([(name, "<i8") for name in Shapes.__slots__])

TRACE: Final = np.dtype([("seq", "<i8"), ("tick", "<i8"), ("account", "<i4"), ("before", "<i4")])
"""A leg on the way, the account at its far end, and the trace it goes on from."""

SIDE: Final = np.dtype([("width", "<i8"), ("cost", "<i8"), ("hubs", "<i8"), ("layers", "<i8")])
"""One of the two ends a cycle is searched from, or of the two kinds of an overlap."""

END: Final = np.dtype(
    [
        ("seq", "<i8"),
        ("tick", "<i8"),
        ("account", "<i4"),
        ("count", "<i4"),
        ("counted_for", "<i4"),
        ("padding", "<i4"),
    ]
)
"""A payer or a target of an overlap. Of a target: its last leg, and the payer it was counted for last;
of a payer the other way round, and how many targets were counted."""

PROGRESS: Final = np.dtype(
    [
        ("search", "<i8"),
        ("traced", "<i8"),
        ("reached", "<i8"),
        ("near", "<i8"),
        ("far", "<i8"),
        ("hits", "<i8"),
        ("legs", "<i8"),
    ]
)
HIT: Final = np.dtype(
    [("row", "<i4"), ("shape", "<i4"), ("account", "<i4"), ("count", "<i4"), ("first_leg", "<i4")]
)
_GOLDEN: Final = 0x9E3779B1
_HALF: Final = np.uint64(32)
_LOW_32: Final = np.uint64(2**32 - 1)


class Hunt(NamedTuple):
    settings: Array
    kept: Adjacency
    scope: Array
    keys: Array
    """(side, slot): what is noted of accounts, by search and account; hashed, with linear probing."""
    places: Int32s
    trace: Array
    layer: Int32s
    """(side, place): traces to go on from."""
    reached: Int32s
    """Accounts of the next layer."""
    ends: Array
    """(kind, place) of an overlap."""
    sides: Array
    progress: Array
    hits: Array
    legs: Int64s
    cut: Array


def new_hunt(shapes: Shapes, kept: Adjacency, rows: int) -> Hunt:
    room = shapes.budget + 4
    slots = 1 << (2 * room - 1).bit_length()
    settings = np.zeros(1, SETTINGS)
    settings[0] = tuple(getattr(shapes, name) for name in Shapes.__slots__)
    return Hunt(
        settings,
        kept,
        np.zeros(1, SCOPE),
        np.zeros((2, slots), np.uint64),
        np.zeros((2, slots), np.int32),
        np.zeros(room, TRACE),
        np.zeros((2, room), np.int32),
        np.zeros(room, np.int32),
        np.zeros((2, room), END),
        np.zeros(2, SIDE),
        np.zeros(1, PROGRESS),
        np.zeros(rows * len(Shape), HIT),
        np.zeros(rows * MOST_LEGS, np.int64),
        np.zeros(rows, np.int8),
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
        visited=int(hunt.scope[0]["visited_in_all"]),
    )


@kernel
def begin_search(hunt: Hunt) -> None:
    """A search of its own number, with nothing traced or marked."""
    progress = hunt.progress[0]
    progress.search += 1
    progress.traced = 0


@kernel
def key_of(hunt: Hunt, account: int) -> np.uint64:
    return (np.uint64(hunt.progress[0].search) << _HALF) | np.uint64(account)


@kernel
def slot_of_key(hunt: Hunt, key: np.uint64, side: int) -> int:
    """Where the key is, or belongs: entries of earlier searches are as if they were not there."""
    last = signed(hunt.keys.shape[1] - 1)
    slot = signed(key & _LOW_32) * _GOLDEN >> 16 & last
    while hunt.keys[side, slot] != key and hunt.keys[side, slot] >> _HALF == key >> _HALF:
        slot = (slot + 1) & last
    return slot


@kernel
def mark(hunt: Hunt, account: int, place: int, side: int) -> None:
    """Note a place at this side of the account."""
    key = key_of(hunt, account)
    slot = slot_of_key(hunt, key, side)
    hunt.keys[side, slot] = key
    hunt.places[side, slot] = place


@kernel
def mark_at(hunt: Hunt, account: int, side: int) -> int:
    """The place this search noted at this side of the account, or -1."""
    key = key_of(hunt, account)
    slot = slot_of_key(hunt, key, side)
    return signed(hunt.places[side, slot]) if hunt.keys[side, slot] == key else -1


@kernel
def add_trace(hunt: Hunt, account: int, tick: int, seq: int, earlier: int, side: int) -> None:
    """A way to `account`, noted as the best there is on this side."""
    progress = hunt.progress[0]
    trace = hunt.trace[progress.traced]
    trace.seq = seq
    trace.tick = tick
    trace.account = account
    trace.before = earlier
    mark(hunt, account, signed(progress.traced), side)
    progress.traced += 1


@kernel
def is_hub(hunt: Hunt, number: int) -> bool:
    """Too many legs on a list to be read."""
    return bool(hunt.kept.lists[number].live > hunt.settings[0].hub_degree)


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
    if hunt.scope[0].is_cut:
        hunt.cut[row] |= BUDGET_SPENT
    if has_met_hub:
        hunt.cut[row] |= HUB_MET
