"""Lists of transfers: of an account, around several, by number."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

import numpy as np

from compiled import Array, Int32s, Int64s, direct
from schemas.errors import Unknown
from services.detector.ascending import distinct
from services.detector.graph.answers import Edges
from services.detector.graph.columns import copied, in_order
from services.detector.graph.crowded import Crowded, list_payments, new_crowded
from services.detector.graph.lists import (
    EDGE,
    INWARD,
    OUTWARD,
    Reading,
    View,
    list_around,
    list_transfers,
    read_transfers,
)
from services.detector.graph.window import Window

_list_payments: Final = direct(list_payments)
_list_transfers: Final = direct(list_transfers)
_read_transfers: Final = direct(read_transfers)
_EDGES_AT_HAND: Final = 10_240
"""Twice as many transfers as the typologies ask for of one account."""


class Listing(Window):
    """A question sees what existed just after one row of the batch applied last: it passes that row's
    `as_of`. Times are inclusive; a list that is over its limit is of those logged last."""

    def edges_in(self, account: int, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers into `account` with since_us <= time <= until_us, to oneself and from OUTSIDE too.

        Over `limit`: those logged last. Raises Unknown for an account or an `as_of` that is not known.
        """
        ring, accounts, _, view = self.reading(account, since_us, until_us, as_of)
        room = self._room(limit)
        return _listed(room, *_list_payments(ring, accounts, self._crowded, account, view, room))

    def edges_out(self, account: int, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers out of `account`, as edges_in()."""
        ring, accounts, _, view = self.reading(account, since_us, until_us, as_of)
        room = self._room(limit)
        return _listed(room, *_list_transfers(ring, accounts, account, OUTWARD, view, room))

    def is_paid(self, account: int, since_us: int, until_us: int, as_of: int) -> bool:
        """edges_in() lists any transfer: reads on to the first."""
        ring, accounts, _, view = self.reading(account, since_us, until_us, as_of)
        count, _ = _list_transfers(ring, accounts, account, INWARD, view, self._room(0))
        return count > 0

    def reading(self, account: int, since_us: int, until_us: int, as_of: int) -> Reading:
        """How kernels elsewhere read what edges_in() and edges_out() answer: read_both(*reading, …)."""
        self._known(account)
        view = self._view(since_us, until_us, as_of)
        return Reading(self._state.ring, self._state.accounts.records, account, view)

    def edges_around(self, accounts: Int32s, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers into and out of any of `accounts`, each once; over `limit` into one of them, or out of
        one, those logged last. As edges_in()."""
        view = self._view(since_us, until_us, as_of)
        return self._list_around(accounts, (INWARD, OUTWARD), view, limit)

    def edges_out_of(self, accounts: Int32s, since_us: int, until_us: int, as_of: int, limit: int) -> Edges:
        """Transfers out of any of `accounts`; over `limit` out of one of them, those logged last. As
        edges_in()."""
        return self._list_around(accounts, (OUTWARD,), self._view(since_us, until_us, as_of), limit)

    def edges(self, seqs: Iterable[int]) -> Edges:
        """These transfers. Raises Unknown when one is not held any more."""
        records = self._read(np.unique(np.fromiter(seqs, np.int64)))
        return Edges(records.take(in_order(records)))

    def read(self, seqs: Int64s) -> Edges:
        """These transfers, in the order asked. Raises Unknown when one is not held any more."""
        return Edges(self._read(seqs))

    def oldest(self, as_of: int) -> int:
        """Sequence number of the oldest transfer that was live just after the row of `as_of`."""
        return self._view(0, 0, as_of).oldest

    # -- how -------------------------------------------------------------------------------------

    @cached_property
    def _edges(self) -> Array:
        """Room for an answer, used again."""
        return np.empty(_EDGES_AT_HAND, EDGE)

    @cached_property
    def _numbers(self) -> Int64s:
        """Of transfers: room for an answer, used again."""
        return np.empty(_EDGES_AT_HAND, np.int64)

    @cached_property
    def _crowded(self) -> Crowded:
        return new_crowded()

    def _view(self, since_us: int, until_us: int, as_of: int) -> View:
        place = as_of - self._first
        if not -1 <= place < self._heads.size:
            raise Unknown(f"{as_of} is not a row of the batch applied last")
        oldest = self._oldest if place < 0 else int(self._heads[place])
        return View(oldest, as_of, since_us, until_us)

    def _room(self, edges: int) -> Array:
        """For an answer; what was there before is lost."""
        return self._edges[:edges] if edges <= self._edges.size else np.empty(edges, EDGE)

    def _list_around(self, accounts: Int32s, directions: tuple[int, ...], view: View, limit: int) -> Edges:
        self._all_known(accounts)
        asked = (self._state.ring, self._state.accounts.records, accounts, directions, view, limit)
        room = self._numbers
        count, truncated = list_around(*asked, room)
        if count > room.size:
            room = np.empty(count, np.int64)
            list_around(*asked, room)
        records = self._read(distinct(room[:count]))
        return Edges(records.take(in_order(records)), truncated)

    def _read(self, seqs: Int64s) -> Array:
        """EDGE records. Raises Unknown when one is not held any more."""
        records = np.empty(seqs.size, EDGE)
        read = _read_transfers(self._state.ring, seqs, self._oldest, records)
        if read < seqs.size:
            self._held(int(seqs[read]))
        return records


def _listed(room: Array, count: int, ordered: bool) -> Edges:
    """An answer of list_transfers()."""
    found = room[room.size - min(count, room.size) :]
    return Edges(copied(found) if ordered else found.take(in_order(found)), count > room.size)
