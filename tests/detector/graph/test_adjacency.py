from __future__ import annotations

import pickle
from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compiled import reserved
from services.detector.graph import RollingGraph, Shapes
from services.detector.graph.adjacency import IN, OUT
from services.detector.graph.arcs import ARC, OTHER_CURRENCY, code_in, code_of, tick_in, tick_of
from services.detector.graph.ring import slot_of
from tests.detector.graph.logs import LATENESS, WINDOW, Event, Mark, batches, cuts, events
from tests.detector.graph.stream import Transfer, batch, large_batch

Lists = dict[int, list[tuple[int, int, int, int]]]


def expected(graph: RollingGraph) -> Lists:
    """Legs of each list, in the order of the log: far end, tick, code of the amount, sequence number."""
    ring, lists = graph._state.ring, defaultdict(list)
    for seq in range(int(ring.cursor[0]["head"]), int(ring.cursor[0]["next"])):
        slot = slot_of(ring, seq)
        leg = ring.legs[slot]
        src, dst, amount = int(leg["src"]), int(leg["dst"]), int(leg["amount_minor"])
        if src != dst and 0 not in (src, dst):
            is_other = graph.currency(int(ring.currencies[slot])) != "CNY"
            code = code_of(amount) + OTHER_CURRENCY * is_other
            lists[2 * src + OUT].append((dst, tick_of(int(leg["ts_us"])), code, seq))
            lists[2 * dst + IN].append((src, tick_of(int(leg["ts_us"])), code, seq))
    return dict(lists)


def held(graph: RollingGraph) -> Lists:
    kept, lists = graph._adjacency, {}
    eldest = int(kept.cursor[0]["eldest_tick"])
    taken: set[int] = set()
    for number in np.flatnonzero(kept.lists["live"]).tolist():
        block, room, count, live = (int(field) for field in kept.lists[number])
        assert live <= count <= room < 3 / 2 * live + 3
        places = set(range(2 * block, 2 * block + room))
        assert not places & taken
        taken |= places
        arcs = kept.arcs[2 * block + count - live : 2 * block + count]
        lists[number] = [
            (int(arc["far"]), tick_in(arc, eldest), code_in(arc), int(arc["seq"])) for arc in arcs
        ]
    return lists


def new_graph(max_transfers: int = 1000) -> RollingGraph:
    return RollingGraph(window_us=WINDOW, lateness_us=LATENESS, max_transfers=max_transfers, max_accounts=100)


@settings(max_examples=80, deadline=None)
@given(events(), cuts(), st.sampled_from([1, 2, 5, 1000]), st.integers(2, 9))
def test_lists_hold_what_is_live(log: list[Event], ends: set[int], max_transfers: int, every: int) -> None:
    """Also where some batches are not searched, and where the graph is pickled in between."""
    graph = new_graph(max_transfers)
    for number, step in enumerate(batches(log, ends)):
        if isinstance(step, Mark):
            continue
        if number % every == 1:
            graph.apply(batch(step, number=number))
            graph = pickle.loads(pickle.dumps(graph))
            continue
        graph.apply_and_search(batch(step, number=number), Shapes())
        assert held(graph) == expected(graph)


def test_built_anew_where_blocks_run_out() -> None:
    """Blocks of a size that nobody wants any more are of no use to larger lists."""
    graph = new_graph()
    graph._adjacency = graph._adjacency._replace(arcs=reserved(128, ARC))
    many = [Transfer(f"m{n}", 1 + n % 20, 21 + n % 20, 1000) for n in range(20)]
    few = [Transfer(f"f{n}", 1 + 2 * (n % 2), 2 + 2 * (n % 2), 1030) for n in range(16)]
    begun = []
    for number, rows in enumerate((many, few)):
        graph.apply_and_search(batch(rows, number=number), Shapes())
        assert held(graph) == expected(graph)
        begun.append([int(block) for block in graph._adjacency.lists["block"][[2, 5, 6, 9]]])
    assert begun[0] != begun[1]


def test_memory_follows_what_is_live() -> None:
    """100,000 transfers through a window of 10,000: blocks are used again."""
    graph = RollingGraph(window_us=10_000_000, lateness_us=20_000, max_transfers=20_000, max_accounts=500)
    rng = np.random.default_rng(5)
    for first in range(0, 100_000, 10_000):
        graph.apply_and_search(large_batch(first, 10_000, 500, rng), Shapes())
    assert held(graph) == expected(graph)
    lists = graph._adjacency.lists
    assert (2 * lists["block"].astype(np.int64) + lists["room"]).max() < 3 * graph.live
