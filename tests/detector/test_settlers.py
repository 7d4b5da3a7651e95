"""Settlers against the same told one row at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.books.settlers import Settlers

MANY = 3
account = st.one_of(st.integers(-1, 4), st.sampled_from([1_500, 4_000]))
rows = st.lists(st.tuples(account, account, st.integers(0, MANY)), max_size=60)


@given(rows, st.integers(1, 20))
def test_who_pays_many_and_who_has_paid_one_that_did(rows: list[tuple[int, int, int]], size: int) -> None:
    settlers, pays_many, hands_on = Settlers(), set[int](), set[int]()
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        src, dst, payees = (np.array([row[each] for row in part], np.int32) for each in range(3))
        settling = settlers.take(4_000, src, dst, payees, MANY)
        for (payer, payee, count), told in zip(part, settling.tolist(), strict=True):
            if payer > 0:
                if count >= MANY:
                    pays_many.add(payer)
                if payee in pays_many:
                    hands_on.add(payer)
            assert told == (payee in pays_many | hands_on)
