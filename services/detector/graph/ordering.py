"""Bringing listed transfers into the order of time: natural merge sort (Knuth, TAOCP vol. 3, 5.2.4).

An account's transfers are listed as they were logged, which is nearly always the order of their time, so a
listing of a few accounts is a few runs, and sorting it is merging those. One account's own need hardly more
than a look.
"""

from __future__ import annotations

from compiled import Array, Int32s, Record, kernel


@kernel
def distinct_in_order(edges: Array, places: Int32s, spare: Int32s, ordered: Array) -> int:
    """Write each of the first `ordered.size` of `edges` once, by (ts_us, seq); how many these are."""
    count = ordered.size
    runs = find_runs(edges, count, places)
    source, target = places, spare
    while runs > 1:
        runs = merge_runs(edges, count, source, target)
        source, target = target, source
    kept = 0
    for at in range(count):
        edge = edges[source[at]]
        if kept == 0 or ordered[kept - 1].seq != edge.seq:
            ordered[kept] = edge
            kept += 1
    return kept


@kernel
def find_runs(edges: Array, count: int, places: Int32s) -> int:
    """All places, descending runs turned round; how many runs there are, or a few more."""
    runs = 0
    start = 0
    while start < count:
        end = start + 1
        while end < count and comes_first(edges[end], edges[end - 1]):
            end += 1
        for at in range(start, end):
            places[at] = start + end - 1 - at
        start = end
        runs += 1
    return runs


@kernel
def merge_runs(edges: Array, count: int, source: Int32s, target: Int32s) -> int:
    """Each two runs that follow one another into one; how many there are then."""
    runs = 0
    start = 0
    while start < count:
        middle = end_of_run(edges, source, start, count)
        end = end_of_run(edges, source, middle, count)
        left, right = start, middle
        for at in range(start, end):
            if right == end or (left < middle and not comes_first(edges[source[right]], edges[source[left]])):
                target[at] = source[left]
                left += 1
            else:
                target[at] = source[right]
                right += 1
        start = end
        runs += 1
    return runs


@kernel
def end_of_run(edges: Array, places: Int32s, start: int, count: int) -> int:
    end = start
    while end < count and (end == start or not comes_first(edges[places[end]], edges[places[end - 1]])):
        end += 1
    return end


@kernel
def put_in_order(edges: Array, spare: Array) -> None:
    """Where they lie, by straight insertion (Knuth, TAOCP vol. 3, 5.2.1): few come late, and not by much.
    `spare`: room for one."""
    for place in range(1, edges.size):
        if comes_first(edges[place], edges[place - 1]):
            spare[0] = edges[place]
            at = place
            while at > 0 and comes_first(spare[0], edges[at - 1]):
                edges[at] = edges[at - 1]
                at -= 1
            edges[at] = spare[0]


@kernel
def comes_first(one: Record, other: Record) -> bool:
    """Of two records of transfers."""
    return before(one.ts_us, one.seq, other.ts_us, other.seq)


@kernel
def before(ts_us: int, seq: int, other_ts_us: int, other_seq: int) -> bool:
    """The order of transfers, everywhere: by time, and of the same time as they were logged."""
    return bool(ts_us < other_ts_us or (ts_us == other_ts_us and seq < other_seq))
