"""Counted payers against a plain count over the window and over a period more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.instant import DAY
from schemas.transaction import Purpose
from services.detector.books.payers import PERIOD_US, SPAN_US, Payers, Telling
from services.detector.purposes import bits_of

SILENT, TELLS, STATED = range(3)
MANY = 20
rows = st.lists(
    st.tuples(
        st.integers(-1, 12),
        st.integers(-1, 3),
        st.sampled_from([SILENT, TELLS, STATED]),
        st.integers(0, 9 * DAY),
    ),
    max_size=120,
)


Row = tuple[int, int, int, int]


SMALL_FEE = 100
TELLING = Telling(
    bits_of((Purpose.transfer, Purpose.invest, Purpose.fee)),
    bits_of((Purpose.invest,)),
    bits_of((Purpose.fee,)),
    SMALL_FEE,
)
SAYS = {
    SILENT: [(Purpose.salary, 0, 500), (Purpose.fee, 0, SMALL_FEE), (Purpose.salary, 7, 500)],
    TELLS: [(Purpose.transfer, 0, 500), (Purpose.fee, 0, SMALL_FEE + 1), (Purpose.transfer, 0, SMALL_FEE)],
    STATED: [(Purpose.invest, 0, 500), (Purpose.transfer, 7, 500), (Purpose.fee, 7, SMALL_FEE + 1)],
}
"""In which words: purpose, product and amount."""


def count(
    payers: Payers,
    part: list[Row],
    clock_us: Any,
    *,
    known: int = MANY,
    least: int = MANY,
    counts: list[bool] | None = None,
) -> Any:
    """Of payees of which the graph knows so many payers."""
    src, dst = (np.array([row[each] for row in part], np.int32) for each in range(2))
    words = [SAYS[row[2]][place % 3] for place, row in enumerate(part)]
    applied: Any = SimpleNamespace(
        accounts=int(max(src.max(initial=0), dst.max(initial=0))),
        src=src,
        dst=dst,
        purpose=np.array([purpose for purpose, _, _ in words], np.int8),
        product=np.array([product for _, product, _ in words], np.int32),
        amount_minor=np.array([minor for _, _, minor in words], np.int64),
        clock_us=clock_us,
        payers=np.full(src.size, known, np.int32),
    )
    return payers.count(applied, np.array(counts or [True] * src.size), TELLING, least)


def plain(seen: list[tuple[int, int, int]], payee: int, since_us: int) -> int:
    return len({src for src, dst, ts_us in seen if dst == payee and ts_us >= since_us})


@given(rows, st.integers(1, 50))
def test_never_fewer_than_in_the_window_nor_more_than_in_a_period_more(rows: list[Row], size: int) -> None:
    payers, seen, clock_us = Payers(), [], 1_600_000_000_000_000
    clocks = clock_us + np.cumsum([row[3] for row in rows], dtype=np.int64)
    for start in range(0, len(rows), size):
        part, at = rows[start : start + size], clocks[start : start + size]
        counts = count(payers, part, at)
        for (src, dst, says, _), now_us, found in zip(part, at.tolist(), counts.tolist(), strict=True):
            if says >= TELLS and src > 0 and dst > 0 and src != dst:
                seen.append((src, dst, now_us))
            if dst > 0:
                most = plain(seen, dst, now_us - SPAN_US - PERIOD_US)
                assert plain(seen, dst, now_us - SPAN_US) <= found <= most


@given(rows, st.integers(1, 50), st.sampled_from([DAY, 20 * DAY, 30 * DAY, SPAN_US]), st.booleans())
def test_at_any_time_of_the_batch_counted_last_no_fewer_than_in_the_window(
    rows: list[Row], size: int, window_us: int, stated: bool
) -> None:
    payers, seen, clock_us = Payers(), [], 1_600_000_000_000_000
    clocks = clock_us + np.cumsum([row[3] for row in rows], dtype=np.int64)
    for start in range(0, len(rows), size):
        part, at = rows[start : start + size], clocks[start : start + size]
        count(payers, part, at)
        for (src, dst, says, _), now_us in zip(part, at.tolist(), strict=True):
            if says >= (STATED if stated else TELLS) and src > 0 and dst > 0 and src != dst:
                seen.append((src, dst, now_us))
            for payee in range(1, 4):
                least = plain(seen, payee, now_us - window_us)
                assert least <= payers.at_most(payee, now_us, window_us, stated=stated)


def test_stated_payments_are_counted_apart() -> None:
    payers, now_us = Payers(), 1_600_000_000_000_000
    clock_us = np.array([now_us, now_us, now_us + 10 * DAY])
    assert count(payers, [(7, 3, STATED, 0), (8, 3, TELLS, 0), (7, 3, TELLS, 0)], clock_us).tolist() == [
        1,
        2,
        2,
    ]
    later_us = int(clock_us[-1])
    assert [payers.at_most(3, later_us, 20 * DAY, stated=stated) for stated in (False, True)] == [2, 1]


def test_where_few_have_paid_so_it_is_said() -> None:
    payers, now_us = Payers(), 1_600_000_000_000_000
    count(payers, [(7, 3, TELLS, 0)], np.array([now_us]))
    assert [payers.at_most(payee, now_us, 30 * DAY) for payee in (2, 3, 100_000)] == [0, 1, 0]


def test_of_whom_the_graph_knows_fewer_it_is_not_told_but_known() -> None:
    payers, now_us = Payers(), 1_600_000_000_000_000
    part, clock_us = [(7, 3, TELLS, 0), (8, 3, TELLS, 0)], np.array([now_us, now_us])
    assert count(payers, part, clock_us, known=1, least=2).tolist() == [0, 0]
    assert count(payers, part[:1], clock_us[:1], known=2, least=2).tolist() == [2]


def test_what_does_not_count_is_not_taken_in() -> None:
    payers, now_us = Payers(), 1_600_000_000_000_000
    part = [(7, 3, STATED, 0), (8, 3, STATED, 0)]
    assert count(payers, part, np.array([now_us, now_us]), counts=[False, True]).tolist() == [0, 1]
    assert payers.at_most(3, now_us, 30 * DAY) == 1


def test_more_pairs_and_accounts_than_there_was_room_for() -> None:
    payers = Payers()
    part = [(src, 30_000 if src % 2 else 30_001, TELLS, 0) for src in range(1, 20_001)]
    clock_us = np.full(len(part), 1_600_000_000_000_000)
    for _ in range(2):
        counts = count(payers, part, clock_us)
    assert counts[-2:].tolist() == [10_000, 10_000]
    later = clock_us[:1] + SPAN_US + PERIOD_US
    assert count(payers, [(1, 30_000, TELLS, 0)], later).tolist() == [1]
