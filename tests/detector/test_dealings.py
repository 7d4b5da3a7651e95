"""Since when two accounts deal: held to a plain dictionary, however the log is cut."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.books.dealings import NEVER_US, Dealings
from services.detector.graph import Status

accounts = st.integers(-1, 6)
logs = st.lists(st.tuples(accounts, accounts, st.integers(0, 50), st.sampled_from(Status)), max_size=40)


def columns(rows: list[tuple[int, int, int, Status]]) -> Any:
    src, dst, ts_us, status = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    return SimpleNamespace(
        accounts=max([0, *src, *dst]),
        src=np.array(src, np.int32),
        dst=np.array(dst, np.int32),
        ts_us=np.array(ts_us, np.int64),
        status=np.array([int(one) for one in status], np.int8),
    )


@given(logs, st.integers(1, 40))
def test_it_is_what_a_dictionary_says(log: list[tuple[int, int, int, Status]], size: int) -> None:
    dealings, since, fed = Dealings(), dict[frozenset[int], int](), dict[int, int]()
    for start in range(0, len(log), size):
        rows = log[start : start + size]
        dealt = dealings.note(columns(rows))
        for row, (src, dst, ts_us, status) in enumerate(rows):
            if status != Status.inserted or min(src, dst) <= 0 or src == dst:
                assert dealt.since_us[row] == dealt.fed_us[row] == NEVER_US
                continue
            began = since.setdefault(frozenset({src, dst}), ts_us)
            assert (dealt.since_us[row], dealt.fed_us[row]) == (began, fed.get(src, NEVER_US))
            fed[dst] = max(fed.get(dst, NEVER_US), began)
    for other in range(1, 7):
        asked = np.arange(1, 7, dtype=np.int32)
        expected = [since.get(frozenset({one, other}), NEVER_US) for one in range(1, 7)]
        assert dealings.since_us(asked, other).tolist() == expected


def test_what_deals_again_outlives_a_generation() -> None:
    dealings = Dealings(max_pairs=1 << 11)
    steady = (1, 2, 0, Status.inserted)
    for first in range(0, 12_000, 1_000):
        rows = [(3, 4 + first + each, 1, Status.inserted) for each in range(1_000)]
        assert dealings.note(columns([steady, *rows])).since_us[0] == 0
    once = dealings.since_us(np.array([4, 11_003], np.int32), 3)
    assert once.tolist() == [NEVER_US, 1], "the older generation is forgotten"
