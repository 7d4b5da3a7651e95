"""First rows against the same found one row at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.books.first_rows import FirstRows


@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 2_000)), max_size=60),
    st.integers(1, 20),
)
def test_an_account_had_one_from_its_first_row_on(rows: list[tuple[int, bool, int]], size: int) -> None:
    first_rows, seen = FirstRows(), set[int]()
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        accounts, is_one, asked = (np.array([row[each] for row in part]) for each in range(3))
        first_rows.note(accounts.astype(np.int32), is_one.astype(np.bool_))
        had = first_rows.had(asked.astype(np.int32))
        for account, one, other, told in zip(
            accounts.tolist(), is_one.tolist(), asked.tolist(), had, strict=True
        ):
            if one:
                seen.add(account)
            assert told == (other in seen)
        first_rows.close(len(part))
