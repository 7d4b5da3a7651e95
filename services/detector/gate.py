"""How often a busy account is looked at: on growth by a quarter, or after a day of event time."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from compiled import Int32s, Int64s, direct, kernel
from schemas.instant import DAY

_NEVER: Final = 2**62


class Gate:
    """For each account, the count and the time from which it may be looked at again.

    The time only ever rises, and the count falls only at a row whose clock has passed the time, as
    have all rows after it; so the rows that pass by what is known at the start of a batch are a
    superset of those that pass in their turn. Once one of them was asked the gate is shut, by it or by a
    look in the batch before it: it opens for a larger count, or a pause after the batch began or later.
    """

    def __init__(self, first_count: int, growth_bp: int = 2_500, pause_us: int = DAY) -> None:
        self._first = first_count
        self._growth_bp = growth_bp
        self._pause_us = pause_us
        self._counts: npt.NDArray[np.int32] = np.empty(0, np.int32)
        self._times: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._since_us = -_NEVER
        """The clock before the batch: what is known is known by then."""

    def passing(
        self, rows: Int64s, accounts: Int32s, counts: Int32s, clock_us: Int64s, *, all_asked: bool
    ) -> Int64s:
        """Those of `rows` of a batch that could pass; `all_asked`: each of them is, in its turn."""
        self._cover(int(accounts[rows].max(initial=0)))
        found, (least, times_us) = np.empty(rows.size, np.int64), np.empty((2, rows.size), np.int64)
        again_us = self._since_us + self._pause_us if all_asked else -_NEVER
        gate = (self._counts, self._times)
        count = let_pass(rows, accounts, counts, clock_us, gate, again_us, least, times_us, found)
        self._since_us = int(clock_us[-1])
        return found[:count]

    def seen(self, account: int) -> bool:
        """It passed before."""
        return account < self._times.size and bool(self._times[account] != _NEVER)

    def any_seen(self, rows: Int64s, accounts: Int32s, coming: Int32s) -> Int64s:
        """Those of `rows` whose account passed before, or may pass in this batch: those `coming`."""
        self._cover(int(coming.max(initial=0)))
        found, before = np.empty(rows.size, np.int64), self._times[coming]
        self._times[coming] = 0
        count = let_seen(rows, accounts, self._times, found)
        self._times[coming] = before
        return found[:count]

    def passes(self, account: int, count: int, now_us: int) -> bool:
        """Whether it may be looked at now; if so, it is shut until the next growth or pause."""
        self._cover(account)
        if count < self._counts[account] and now_us < self._times[account]:
            return False
        self._counts[account] = count + max(1, -(-count * self._growth_bp // 10_000))
        self.pause(account, now_us)
        return True

    def pause(self, account: int, now_us: int) -> int:
        """It was looked at now. From when it may be again, whatever the growth."""
        self._cover(account)
        time_us = int(self._times[account])
        until_us = max(0 if time_us == _NEVER else time_us, now_us + self._pause_us)
        self._times[account] = until_us
        return until_us

    def _cover(self, account: int) -> None:
        size = self._counts.size
        if account >= size:
            more = max(account + 1 - size, size, 1024)
            self._counts = np.concatenate((self._counts, np.full(more, self._first, np.int32)))
            self._times = np.concatenate((self._times, np.full(more, _NEVER, np.int64)))


@direct
@kernel
def let_pass(
    rows: Int64s,
    accounts: Int32s,
    counts: Int32s,
    clock_us: Int64s,
    gate: tuple[Int32s, Int64s],
    again_us: int,
    least_before: Int64s,
    times_before: Int64s,
    found: Int64s,
) -> int:
    """How many could pass; they are the first of `found`. Up to `again_us` time does not open again what was
    shut in the batch. The gate is left as it was: `least_before` and `times_before` are room."""
    least, times = gate
    count = 0
    for row in rows:
        account = accounts[row]
        if counts[row] >= least[account] or clock_us[row] >= times[account]:
            found[count] = row
            least_before[count] = least[account]
            times_before[count] = times[account]
            count += 1
            if clock_us[row] < again_us:
                least[account] = counts[row] + 1
                times[account] = again_us
    for place in range(count - 1, -1, -1):
        account = accounts[found[place]]
        least[account] = least_before[place]
        times[account] = times_before[place]
    return count


@direct
@kernel
def let_seen(rows: Int64s, accounts: Int32s, times: Int64s, found: Int64s) -> int:
    count = 0
    for row in rows:
        account = accounts[row]
        if account < times.size and times[account] != _NEVER:
            found[count] = row
            count += 1
    return count
