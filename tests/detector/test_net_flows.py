"""Net flows of watched accounts against the same said plainly, whatever the batches."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.books.net_flows import NetFlows

WATCHED = {1, 2, 2_000}
row = st.tuples(st.sampled_from([1, 2, 3, 2_000]), st.sampled_from([1, 2, 3, 2_000]), st.integers(0, 2))


def step(rows: list[Any]) -> Any:
    src, dst, currency = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    ordinal = np.arange(len(rows), dtype=np.int64)
    applied = SimpleNamespace(
        src=src, dst=dst, currency=currency.astype(np.int16), clock_us=10 * ordinal, amount_minor=ordinal + 1
    )
    return SimpleNamespace(applied=applied)


@given(st.lists(st.tuples(st.lists(row, min_size=1, max_size=9), st.integers(0, 9)), min_size=1, max_size=4))
def test_what_is_held_is_what_came_since_the_lowest(batches: Any) -> None:
    flows = NetFlows()
    net: defaultdict[tuple[int, int], int] = defaultdict(int)
    lowest: defaultdict[tuple[int, int], int] = defaultdict(int)
    seen: set[int] = set()
    for rows, until in batches:
        into, out_of = (
            np.array([place for place, one in enumerate(rows) if one[end] in WATCHED], np.int64)
            for end in (1, 0)
        )
        flows.open(step(rows), into, out_of)
        flows.advance(until)
        for place, (src, dst, currency) in enumerate(rows):
            if place == min(until, len(rows) - 1) + 1:
                look(flows, net, lowest, seen)
            for account, minor in ((dst, place + 1), (src, -place - 1)):
                if account in WATCHED:
                    net[account, currency] += minor
                    seen.add(account)
        flows.close(len(rows))
        look(flows, net, lowest, seen)


def look(flows: NetFlows, net: Any, lowest: Any, seen: set[int]) -> None:
    for account in seen:
        for currency, minor in enumerate(flows.held_minor(account)):
            assert minor == net[account, currency] - lowest[account, currency]
            lowest[account, currency] = min(lowest[account, currency], net[account, currency])
        flows.note_lowest(account)
