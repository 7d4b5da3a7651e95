"""How often a busy account is looked at."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.instant import DAY
from services.detector.gate import Gate


def test_growth_by_a_quarter_or_a_day() -> None:
    gate = Gate(1)
    looks = [count for count in range(20, 60) if gate.passes(5, count, 0)]
    assert looks == [20, 25, 32, 40, 50]
    assert not gate.passes(5, 50, DAY - 1)
    assert gate.passes(5, 50, DAY)


def test_a_busy_account_is_looked_at_rarely() -> None:
    gate = Gate(1)
    assert sum(gate.passes(1, count, 0) for count in range(20, 10_000)) < 35


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 60), st.integers(0, DAY // 4)), max_size=60))
def test_whatever_passes_later_in_a_batch_passed_at_its_start(rows: list[tuple[int, int, int]]) -> None:
    gate = Gate(1)
    for start in range(0, len(rows), 7):
        part = rows[start : start + 7]
        clocks = np.cumsum([step for _, _, step in rows])[start : start + 7]
        accounts = np.array([account for account, _, _ in part], np.int32)
        counts = np.array([count for _, count, _ in part], np.int32)
        open_rows = gate.passing(np.arange(accounts.size), accounts, counts, clocks).tolist()
        for row, (account, count, _) in enumerate(part):
            if gate.passes(account, count, int(clocks[row])):
                assert row in open_rows


def test_who_passed_before_or_may_pass_in_the_batch_is_seen() -> None:
    gate = Gate(1)
    gate.passes(5, 20, 0)
    rows, accounts, coming = np.arange(3), np.array([3, 4, 5], np.int32), np.array([4, 4], np.int32)
    assert gate.any_seen(rows, accounts, coming).tolist() == [1, 2]
    assert gate.any_seen(rows, accounts, coming[:0]).tolist() == [2]
