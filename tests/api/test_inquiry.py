from __future__ import annotations

import threading
from typing import Any

import pytest

from schemas.errors import Unavailable
from services.api import inquiry
from services.api.access import Principal
from services.api.inquiry import Inquiry, Reader, chosen
from services.api.settings import Settings
from store.database import Database


def test_a_read_that_takes_too_long_is_ended(database: Database) -> None:
    reader = Reader(database, Settings(demo=True, read_seconds=1))
    with pytest.raises(Unavailable, match="Timeout exceeded"):
        reader.query("SELECT count() FROM system.numbers", {})  # which by itself never ends


class Held:
    """A database whose reads last until they are let go: a real one cannot be made to on demand."""

    def __init__(self) -> None:
        self.reading = threading.Semaphore(0)
        self.leave = threading.Event()

    def query(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        self.reading.release()
        self.leave.wait(30)
        return []


def test_no_more_reads_at_once_than_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiry, "WAIT_SECONDS", 0.05)
    held = Held()
    reader = Reader(held, Settings(demo=True, reads=2))  # type: ignore[arg-type]
    readers = [threading.Thread(target=reader.query, args=("SELECT 1", {})) for _ in range(2)]
    for thread in readers:
        thread.start()
    assert all(held.reading.acquire(timeout=30) for _ in readers)
    with pytest.raises(Unavailable, match="free"):
        reader.query("SELECT 1", {})
    held.leave.set()
    for thread in readers:
        thread.join()
    assert reader.query("SELECT 1", {}) == []


def test_an_inquiry_counts_what_it_was_given(database: Database) -> None:
    reading = Inquiry(Reader(database, Settings(demo=True)), Principal(name="x", sectors=(), regions="*"), 7)
    assert reading.query("SELECT %(now_us)s, %(all_sectors)s, %(all_regions)s, %(all_feeds)s") == [
        (7, 0, 1, 0)
    ]
    assert reading.query("SELECT number FROM system.numbers LIMIT %(limit)s", limit=3) == [(0,), (1,), (2,)]
    assert reading.rows == 4


def test_nothing_chosen_is_anything() -> None:
    assert chosen("sector", []) == {"any_sector": 1, "sector": ("-",)}
    assert chosen("sector", ["cbrc"]) == {"any_sector": 0, "sector": ("cbrc",)}
    assert chosen("region", ["CN-11"], list) == {"any_region": 0, "region": ["CN-11"]}
