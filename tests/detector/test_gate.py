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


ROWS = st.tuples(st.integers(1, 5), st.integers(1, 60), st.integers(0, DAY // 4), st.booleans())
"""An account, its count, the time since the row before, and whether another look at it comes first."""


@given(st.lists(ROWS, max_size=60), st.sampled_from([3, 7, 20]), st.booleans())
def test_whatever_passes_in_its_turn_could_pass(
    rows: list[tuple[int, int, int, bool]], size: int, all_asked: bool
) -> None:
    gate = Gate(1)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        clocks = np.cumsum([step for _, _, step, _ in rows])[start : start + size]
        accounts = np.array([account for account, _, _, _ in part], np.int32)
        counts = np.array([count for _, count, _, _ in part], np.int32)
        open_rows = gate.passing(
            np.arange(accounts.size), accounts, counts, clocks, all_asked=all_asked
        ).tolist()
        for row, (account, count, step, looks) in enumerate(part):
            if looks and step > 0:
                gate.pause(account, int(clocks[row]))
            is_asked = all_asked or count % 2 == 0
            if is_asked and gate.passes(account, count, int(clocks[row])):
                assert row in open_rows


def test_of_rows_that_are_all_asked_few_could_pass() -> None:
    gate, rows, accounts = Gate(1), np.arange(4), np.full(4, 3, np.int32)
    counts, clocks = np.array([20, 20, 19, 21], np.int32), np.array([1, 2, 3, 4], np.int64)
    first = gate.passing(rows, accounts, counts, clocks, all_asked=True)
    assert first.tolist() == [0, 1, 2, 3]  # what came before the first batch is not known
    assert gate.passing(rows, accounts, counts, 4 + clocks, all_asked=True).tolist() == [0, 3]
    assert gate.passing(rows, accounts, counts, 8 + clocks, all_asked=False).tolist() == [0, 1, 2, 3]


def test_who_passed_before_or_may_pass_in_the_batch_is_seen() -> None:
    gate = Gate(1)
    gate.passes(5, 20, 0)
    rows, accounts, coming = np.arange(3), np.array([3, 4, 5], np.int32), np.array([4, 4], np.int32)
    assert gate.any_seen(rows, accounts, coming).tolist() == [1, 2]
    assert gate.any_seen(rows, accounts, coming[:0]).tolist() == [2]
