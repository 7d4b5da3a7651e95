"""Counted payers against a plain count over the window and over a period more."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.instant import DAY
from services.detector.books.payers import PERIOD_US, SPAN_US, Payers

SILENT, TELLS, STATED = range(3)
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


def count(payers: Payers, part: list[Row], clock_us: Any) -> Any:
    src, dst, says = (np.array([row[each] for row in part], np.int32) for each in range(3))
    return payers.count(src, dst, says >= TELLS, says == STATED, clock_us)


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


def test_more_pairs_and_accounts_than_there_was_room_for() -> None:
    payers = Payers()
    src = np.arange(1, 20_001, dtype=np.int32)
    dst = np.where(src % 2, 30_000, 30_001).astype(np.int32)
    clock_us = np.full(src.size, 1_600_000_000_000_000)
    telling = np.ones(src.size, np.bool_)
    for _ in range(2):
        counts = payers.count(src, dst, telling, ~telling, clock_us)
    assert counts[-2:].tolist() == [10_000, 10_000]
    later = clock_us[:1] + SPAN_US + PERIOD_US
    assert count(payers, [(1, 30_000, TELLS, 0)], later).tolist() == [1]
