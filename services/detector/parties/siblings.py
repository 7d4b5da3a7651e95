"""Which other accounts may be of one party with an account, whatever the day: asked once, until the registry
changes."""

from __future__ import annotations

from typing import Final

import numpy as np

from compiled import Array, Int32s, Int64s
from schemas.account import TOKEN_BYTES
from services.detector.typology import Step

_MAX_KEPT: Final = 100_000
"""Accounts whose siblings are kept; past it all are forgotten and asked for again."""


class Siblings:
    """The accounts that any party ever held which ever held an account."""

    def __init__(self) -> None:
        self._tokens: dict[int, bytes] = {}
        self._revision = -1

    def of(self, step: Step, accounts: Int32s) -> tuple[Array, Int64s]:
        """The tokens of all siblings, as halves, and where those of each account begin; where the last's
        end. An account is not among its own."""
        if self._revision != step.registry.revision or len(self._tokens) > _MAX_KEPT:
            self._tokens.clear()
            self._revision = step.registry.revision
        tokens = [self._tokens_of(step, account) for account in accounts.tolist()]
        ends = np.cumsum([0, *(len(each) // TOKEN_BYTES for each in tokens)])
        return np.frombuffer(b"".join(tokens), "<u8").reshape(-1, 2), ends

    def _tokens_of(self, step: Step, account: int) -> bytes:
        known = self._tokens.get(account)
        if known is None:
            own, registry = step.graph.token(account).hex(), step.registry
            held = {token for party in registry.holders(own) for token in registry.accounts_of(party)}
            known = self._tokens[account] = bytes.fromhex("".join(sorted(held - {own})))
        return known
