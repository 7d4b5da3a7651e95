"""Which accounts may be of one party with an account, whatever the day."""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Array, Int32s, Int64s
from registry import Registry
from schemas.account import TOKEN_BYTES
from services.detector.parties.lookups import Lookup
from services.detector.typology import Step

_NO_TOKENS: Final = np.empty((0, 2), np.uint64)
_NO_ENDS: Final = np.zeros(2, np.int64)


class Siblings(Lookup):
    """The accounts that any party ever held which ever held an account, as a group. Memory besides: 16 bytes
    an account of each group."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: dict[bytes, int] = {}
        self._new: list[bytes] = []
        self._tokens: Array = _NO_TOKENS
        self._ends: Int64s = _NO_ENDS

    def groups(self, step: Step, accounts: Int32s) -> tuple[Int32s, Array, Int64s]:
        """The number of each account's group; the tokens of all groups, as halves; and where those of each
        group begin, and of the last end. Group 0 has none: whose account is the only one, or nobody's."""
        if self._revision != step.registry.revision:
            self._groups.clear()
            self._tokens, self._ends = _NO_TOKENS, _NO_ENDS
        numbers = self.of(step, accounts)
        if self._new:
            lengths = [len(group) // TOKEN_BYTES for group in self._new]
            tokens = np.frombuffer(b"".join(self._new), "<u8").reshape(-1, 2)
            self._tokens = np.concatenate((self._tokens, tokens))
            self._ends = np.concatenate((self._ends, self._ends[-1] + np.cumsum(lengths)))
            self._new.clear()
        return numbers, self._tokens, self._ends

    def _ask(self, registry: Registry, token_hex: str) -> int:
        held = {token for party in registry.holders(token_hex) for token in registry.accounts_of(party)}
        if len(held) < 2:
            return 0
        group = bytes.fromhex("".join(sorted(held)))
        if group not in self._groups:
            self._groups[group] = len(self._groups) + 1
            self._new.append(group)
        return self._groups[group]
