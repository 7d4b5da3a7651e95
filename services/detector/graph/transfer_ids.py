"""The banks' own ids of live transfers, as Arrow columns: one a batch, copied out of its message."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import pyarrow as pa

from schemas.errors import Unknown
from services.detector.graph.kernel import Bools


class TransferIds:
    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._feeds: list[str] = []
        self._columns: list[pa.StringArray] = []

    def append(self, first_seq: int, feed_id: str, tx_ids: pa.StringArray, inserted: Bools) -> None:
        """The ids of the rows that were `inserted`, from sequence number `first_seq` on."""
        if inserted.any():
            self._firsts.append(first_seq)
            self._feeds.append(feed_id)
            self._columns.append(tx_ids.take(pa.array(np.flatnonzero(inserted))))

    def drop_below(self, oldest_seq: int) -> None:
        """Forget the batches that lie wholly below; once they are half of all, so that it costs little."""
        dead = bisect_right(self._firsts, oldest_seq) - 1
        if dead * 2 > len(self._firsts):
            del self._firsts[:dead], self._feeds[:dead], self._columns[:dead]

    def of(self, seq: int) -> tuple[str, str]:
        """(feed id, transaction id). Raises Unknown for a sequence number that is not held."""
        place = bisect_right(self._firsts, seq) - 1
        if place < 0 or seq - self._firsts[place] >= len(self._columns[place]):
            raise Unknown(f"transfer {seq} is not in the window")
        return self._feeds[place], self._columns[place][seq - self._firsts[place]].as_py()
