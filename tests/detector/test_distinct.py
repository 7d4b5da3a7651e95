"""Numbers of distinct values, in room that is used again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.detector.distinct import emptied, number_of, numbered, numbers_for

values = st.lists(st.integers(0, 60), max_size=60)


@given(values, values)
def test_room_that_is_emptied_is_as_new(before: list[int], after: list[int]) -> None:
    room, new = numbers_for(60), numbers_for(len(after))
    for value in before:
        number_of(room, value)
    used = room[: emptied(room, len(after))]
    assert used.tolist() == new.tolist()
    assert [number_of(used, value) for value in after] == [number_of(new, value) for value in after]
    assert numbered(used) == len({*after})
