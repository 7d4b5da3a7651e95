"""Who may settle others' payments: accounts that pay many, and those that hand on to one that does."""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Array, Bools, Int32s, direct, kernel
from services.detector.graph.accounts import OUTSIDE_INDEX
from services.detector.growing import with_room

_PAYS_MANY: Final = 1
_HANDS_ON: Final = 2


class Settlers:
    """Over the whole log. Accounts are the graph's indexes. Memory: a byte an account."""

    def __init__(self) -> None:
        self._kinds: Array = np.zeros(1024, np.uint8)

    def take(self, accounts: int, src: Int32s, dst: Int32s, payees: Int32s, many: int) -> Bools:
        """Take in the rows of a batch, of the first so many accounts, with the payees that each row's payer
        has; the rows whose payee by then, that row included, has had so many, or has paid one that had."""
        self._kinds = with_room(self._kinds, accounts + 1)
        settling = np.zeros(src.size, np.bool_)
        follow(self._kinds, src, dst, payees, many, settling)
        return settling


@direct
@kernel
def follow(kinds: Array, src: Int32s, dst: Int32s, payees: Int32s, many: int, settling: Bools) -> None:
    for row in range(src.size):
        payer, payee = src[row], max(dst[row], OUTSIDE_INDEX)
        if payer > OUTSIDE_INDEX:
            pays_many, hands_on = payees[row] >= many, kinds[payee] & _PAYS_MANY != 0
            kinds[payer] |= _PAYS_MANY * pays_many | _HANDS_ON * hands_on
        settling[row] = kinds[payee] != 0
