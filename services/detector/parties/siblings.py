"""Which accounts may be of one party with an account, whatever the day."""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Array, Int32s, Int64s
from registry import Registry
from schemas.account import TOKEN_BYTES
from services.detector.growing import with_room
from services.detector.parties.lookups import Lookup
from services.detector.typology import Step

_FIRST_TOKENS: Final = 1_024


class Siblings(Lookup):
    """The accounts that any party ever held which ever held an account, as a group. Memory besides: 16 bytes
    an account of each group."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: dict[bytes, int] = {}
        self._tokens: Array = np.zeros((_FIRST_TOKENS, 2), np.uint64)
        self._ends: Int64s = np.zeros(_FIRST_TOKENS, np.int64)
        """Where the groups begin in `_tokens`, and where the last ends: group 0 is empty."""

    def groups(self, step: Step, accounts: Int32s) -> tuple[Int32s, Array, Int64s]:
        """The number of each account's group; the tokens of all groups, as halves; and where those of each
        group begin, and of the last end. Group 0 has none: whose account is the only one, or nobody's."""
        if self._revision != step.registry.revision:
            self._groups.clear()
        numbers, groups = self.of(step, accounts), len(self._groups)
        return numbers, self._tokens[: self._ends[groups + 1]], self._ends[: groups + 2]

    def _ask(self, registry: Registry, token_hex: str) -> int:
        held = {token for party in registry.holders(token_hex) for token in registry.accounts_of(party)}
        if len(held) < 2:
            return 0
        group = bytes.fromhex("".join(sorted(held)))
        if group not in self._groups:
            self._groups[group] = len(self._groups) + 1
            self._put(self._groups[group], group)
        return self._groups[group]

    def _put(self, number: int, group: bytes) -> None:
        first = int(self._ends[number])
        end = first + len(group) // TOKEN_BYTES
        self._tokens = with_room(self._tokens, end)
        self._ends = with_room(self._ends, number + 2)
        self._tokens[first:end] = np.frombuffer(group, "<u8").reshape(-1, 2)
        self._ends[number + 1] = end
