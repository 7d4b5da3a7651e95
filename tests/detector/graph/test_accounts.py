from __future__ import annotations

import numpy as np

from services.detector.graph.accounts import NO_ROOM, intern, look_up, new_accounts


def test_tokens_that_share_a_half_are_told_apart() -> None:
    accounts = new_accounts(100)
    zero_key = 0x9E3779B97F4A7C15  # what a low half of zero is hashed as
    tokens = [(low, high) for low in (0, 1, zero_key) for high in (0, 1, 2)]
    indexes = [intern(accounts, np.uint64(low), np.uint64(high)) for low, high in tokens]
    assert indexes == list(range(9))
    assert [look_up(accounts, np.uint64(low), np.uint64(high)) for low, high in tokens] == indexes
    assert look_up(accounts, np.uint64(1), np.uint64(3)) == -1


def test_no_room() -> None:
    accounts = new_accounts(2)
    indexes = [intern(accounts, np.uint64(number), np.uint64(9)) for number in range(1, 5)]
    assert indexes == [1, 2, NO_ROOM, NO_ROOM]
    assert intern(accounts, np.uint64(2), np.uint64(9)) == 2
