"""Which accounts may be of one party with an account, whatever the day."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from compiled import Array, Int32s, Int64s
from registry import Registry
from schemas.account import TOKEN_BYTES
from services.detector.parties.lookups import Lookup
from services.detector.typology import Step


class Siblings(Lookup):
    """The accounts that any party ever held which ever held an account, as a group. Memory besides: 16 bytes
    an account of each group."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: dict[bytes, int] = {}
        self._written = 0
        self._tokens, self._ends = np.empty((0, 2), "<u8"), np.zeros(2, np.int64)

    def groups(self, step: Step, accounts: Int32s) -> tuple[Int32s, Array, Int64s]:
        """The number of each account's group; the tokens of all groups, as halves; and where those of each
        group begin, and of the last end. Group 0 has none: whose account is the only one, or nobody's."""
        if self._revision != step.registry.revision:
            self._groups.clear()
            self._written = 0
        numbers = self.of(step, accounts)
        if self._written != len(self._groups):
            self._written = len(self._groups)
            self._tokens = np.frombuffer(b"".join(self._groups), "<u8").reshape(-1, 2)
            lengths = (len(group) // TOKEN_BYTES for group in self._groups)
            self._ends = np.array([0, *accumulate(lengths, initial=0)])
        return numbers, self._tokens, self._ends

    def _ask(self, registry: Registry, token_hex: str) -> int:
        held = {token for party in registry.holders(token_hex) for token in registry.accounts_of(party)}
        if len(held) < 2:
            return 0
        group = bytes.fromhex("".join(sorted(held)))
        return self._groups.setdefault(group, len(self._groups) + 1)
