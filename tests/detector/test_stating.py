from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.batch import TransferBatch, joined
from services.detector.books.stating import Stating


@pytest.fixture
def batch(world: Any, batches: Any) -> TransferBatch:
    """Three rows of one feed, then three of another."""
    rows = world(flows=[[0, "a", "b", 1 + place] for place in range(6)]).rows()
    return joined([batches(rows[:3], "1", "one"), batches(rows[3:], "1", "other")])


def test_a_feed_states_from_the_first_row_on_that_does(batch: TransferBatch) -> None:
    stating = Stating()
    stating.open(batch, np.array([0, 1, 0, 0, 0, 1], np.bool_))
    assert [stating.has("one", row) for row in range(3)] == [False, True, True]
    assert [stating.has("other", row) for row in range(3, 6)] == [False, False, True]
    stating.close()
    stating.open(batch, np.zeros(6, np.bool_))
    assert stating.has("one", 0)
    assert stating.has("other", 3)
    assert not stating.has("third", 0)
