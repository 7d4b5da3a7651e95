"""Which batches are taken in together."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from schemas.batch import TransferBatch, encode, joined
from schemas.errors import MalformedBatch
from schemas.topics import BALANCES, REGISTRY, TRANSFERS
from services.detector.intake import (
    ROWS_TOGETHER,
    Changes,
    Content,
    Statements,
    Transfers,
    content_of,
    together,
)


@pytest.fixture
def sent(world: Any, batches: Any) -> Any:
    """A batch of so many transfers of one feed."""

    def made(count: int, feed_id: str = "feed") -> TransferBatch:
        rows = world(flows=[[0, "a", "b", 1 + place] for place in range(count)]).rows()
        batch: TransferBatch = batches(rows, str(count), feed_id)
        return batch

    return made


def taken(batches: list[TransferBatch]) -> list[list[int]]:
    contents = [content_of(TRANSFERS, encode(batch)) for batch in batches]
    return [[one.rows for one in each.batches] for each in together(contents) if isinstance(each, Transfers)]


def test_batches_that_wait_are_taken_together(sent: Any) -> None:
    assert taken([sent(1), sent(2), sent(3, "other")]) == [[1, 2, 3]]
    assert taken([]) == []


def test_what_is_taken_together_is_bounded(sent: Any) -> None:
    half = ROWS_TOGETHER // 2
    assert taken([sent(half), sent(half), sent(1)]) == [[half, half], [1]]
    assert taken([sent(ROWS_TOGETHER + 1), sent(1)]) == [[ROWS_TOGETHER + 1], [1]]


def test_texts_that_one_column_cannot_tell_are_not_joined(sent: Any) -> None:
    """Dictionaries may hold more than their rows use, and an int16 must tell what all of them hold."""

    def with_channels(first: int) -> TransferBatch:
        channels = pa.DictionaryArray.from_arrays(
            pa.array([0, 1], pa.int16()), pa.array([f"channel {first + place}" for place in range(30_000)])
        )
        batch = sent(2)
        place = batch.columns.schema.get_field_index("channel")
        field = batch.columns.schema.field(place)
        return TransferBatch(batch.id, batch.columns.set_column(place, field, channels))

    many = [with_channels(0), with_channels(30_000)]
    with pytest.raises(pa.ArrowInvalid):
        joined(many)
    assert taken([*many, sent(2)]) == [[2], [2], [2]]


def test_joined_batches_have_the_rows_of_all(sent: Any) -> None:
    one, other = sent(2), sent(3, "other")
    both = joined([one, other])
    assert both.id == one.id
    assert both.sent == (("feed", 0, 2), ("other", 2, 5))
    assert joined([both, one]).sent == (*both.sent, ("feed", 5, 7))
    assert both.columns.to_pylist() == [*one.columns.to_pylist(), *other.columns.to_pylist()]
    assert joined([one]) is one


def test_records_between_batches_stay_between_them(sent: Any) -> None:
    contents: list[Content] = [
        content_of(TRANSFERS, encode(sent(1))),
        content_of(REGISTRY, b"[]"),
        content_of(BALANCES, b"[]"),
        content_of(TRANSFERS, encode(sent(2))),
    ]
    assert [type(each) for each in together(contents)] == [Transfers, Changes, Statements, Transfers]


def test_what_is_neither_is_refused() -> None:
    for kind, value in ((None, b"[]"), (b"gossip", b"[]"), (TRANSFERS, b""), (REGISTRY, b"{}")):
        with pytest.raises(MalformedBatch):
            content_of(kind, value)
