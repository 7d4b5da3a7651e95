from __future__ import annotations

import numpy as np

from services.detector.graph import RollingGraph
from services.detector.graph.invariants import check
from services.detector.graph.pairs import digest_of, find_newest, find_pair
from services.detector.graph.ring import slot_of
from services.detector.graph.table import home, shard_of
from tests.detector.graph.stream import large_batch


def filled() -> RollingGraph:
    """20,000 live transfers after 60,000, of nearly as many pairs: tables have grown, and digests' kept bits,
    127 at most, are those of others too."""
    graph = RollingGraph(window_us=20_000_000, lateness_us=20_000, max_transfers=30_000, max_accounts=500)
    rng = np.random.default_rng(3)
    for first in range(0, 60_000, 5_000):
        graph.apply(large_batch(first, 5_000, 500, rng))
        check(graph._state)
    return graph


def test_pairs_are_told_apart() -> None:
    """Also in the same bucket, with the same bits kept; and those without a live transfer are not found."""
    state = filled()._state
    cursor = state.ring.cursor[0]
    seqs = range(int(cursor["head"]), int(cursor["next"]))
    legs = state.ring.legs[[slot_of(state.ring, seq) for seq in seqs]]
    newest = {(int(leg["src"]), int(leg["dst"])): seq for seq, leg in zip(seqs, legs, strict=True)}
    places = set()
    for src in range(1, 501):
        for dst in range(1, 501):
            if src == dst:
                continue
            slot = find_pair(state, src, dst)
            assert (slot >= 0) == ((src, dst) in newest)
            if slot >= 0:
                assert find_newest(state, src, dst, newest[src, dst]) == slot
                digest = np.uint64(digest_of(src, dst))
                shard = shard_of(state.pairs, digest)
                places.add((shard, home(digest, state.pairs.buckets[shard]), int(digest) & 0xFF))
    pairs = sum(src != dst for src, dst in newest)
    assert len(places) < pairs - 100


def test_an_older_transfer_is_not_the_newest() -> None:
    state = filled()._state
    cursor = state.ring.cursor[0]
    seen: set[tuple[int, int]] = set()
    older = 0
    for seq in range(int(cursor["next"]) - 1, int(cursor["head"]) - 1, -1):
        leg = state.ring.legs[slot_of(state.ring, seq)]
        src, dst = int(leg["src"]), int(leg["dst"])
        if src != dst:
            assert (find_newest(state, src, dst, seq) >= 0) == ((src, dst) not in seen)
            older += (src, dst) in seen
            seen.add((src, dst))
    assert older > 100
