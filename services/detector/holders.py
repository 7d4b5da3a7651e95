"""Which accounts one and the same party has always held: asked of many transfers at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.detector.graph.kernel import Bools, Int32s
from services.detector.typology import Step

_NOT_ASKED = -1
_SEVERAL = 0
"""Nobody known ever held it, or several did."""


class Holders:
    """A number for the one party that ever held an account, kept until the registry changes."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._of = np.empty(0, np.int32)
        self._revision = -1

    def same(self, step: Step, rows: npt.NDArray[np.intp]) -> Bools:
        """Which of `rows` are between two accounts of one party, whatever the day."""
        if self._revision != step.registry.revision:
            self._revision = step.registry.revision
            self._of[:] = _NOT_ASKED
        payers = self._numbers_of(step, step.applied.src[rows])
        same: Bools = (payers != _SEVERAL) & (payers == self._numbers_of(step, step.applied.dst[rows]))
        return same

    def _numbers_of(self, step: Step, accounts: Int32s) -> Int32s:
        more = int(accounts.max(initial=0)) + 1 - self._of.size
        if more > 0:
            grown = np.full(max(more, self._of.size, 1024), _NOT_ASKED, np.int32)
            self._of = np.concatenate((self._of, grown))
        for account in np.unique(accounts[self._of[accounts] == _NOT_ASKED]).tolist():
            holders = step.registry.holders(step.graph.token(account).hex())
            single = len(holders) == 1
            self._of[account] = self._number(holders[0]) if single else _SEVERAL
        numbers: Int32s = self._of[accounts]
        return numbers

    def _number(self, party_id: str) -> int:
        return self._numbers.setdefault(party_id, len(self._numbers) + 1)
