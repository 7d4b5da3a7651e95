"""Which feeds carry something that a feed may leave out."""

from __future__ import annotations

from compiled import Bools
from schemas.batch import TransferBatch


class Stating:
    """A feed is known to state it from the first row on that did."""

    def __init__(self) -> None:
        self._feeds: set[str] = set()
        self._firsts: dict[str, int] = {}
        """Rows of the batch, of feeds that were not known to before it."""

    def open(self, batch: TransferBatch, stated: Bools) -> None:
        """Before the rows of a batch are looked at; `stated`: which of them state it."""
        self._firsts = {}
        for feed_id, first, end in batch.sent:
            if feed_id not in self._feeds and stated[first:end].any():
                self._firsts.setdefault(feed_id, first + int(stated[first:end].argmax()))

    def has(self, feed_id: str, row: int) -> bool:
        """As of a row of the batch."""
        return feed_id in self._feeds or row >= self._firsts.get(feed_id, row + 1)

    def close(self) -> None:
        """After the last row of the batch."""
        self._feeds.update(self._firsts)
