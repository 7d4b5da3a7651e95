"""What the registry says of accounts whatever the day, as numbers: asked once, until it changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
import numpy.typing as npt

from compiled import Bools, Int32s
from registry import Registry
from schemas.instant import FOREVER
from schemas.registry import InstitutionKind
from services.detector.parties.entities import PLATFORMS
from services.detector.typology import Step

_NOT_ASKED: Final = -1
_NONE: Final = 0


class Lookup(ABC):
    """A number for each account, by index. Memory: 4 bytes an account."""

    def __init__(self) -> None:
        self._of = np.empty(0, np.int32)
        self._revision = -1

    @abstractmethod
    def _ask(self, registry: Registry, token_hex: str) -> int:
        """0 or more; of what has no marks, which the registry knows nothing of, it is not asked, and 0."""

    def of(self, step: Step, accounts: Int32s) -> Int32s:
        if self._revision != step.registry.revision:
            self._revision = step.registry.revision
            self._of[:] = _NOT_ASKED
        more = step.marks.size - self._of.size
        if more > 0:
            self._of = np.concatenate((self._of, np.full(more, _NOT_ASKED, np.int32)))
        numbers: Int32s = self._of[accounts]
        new = accounts[numbers == _NOT_ASKED]
        if not new.size:
            return numbers
        self._of[new] = _NONE
        for account in dict.fromkeys(new[step.marks[new] != 0].tolist()):
            self._of[account] = self._ask(step.registry, step.graph.token(account).hex())
        return self._of[accounts]


class Holders(Lookup):
    """The party that alone ever held the account; 0: nobody known, or several did."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, int] = {}

    def same(self, step: Step, rows: npt.NDArray[np.intp]) -> Bools:
        """Which of `rows` are between two accounts of one party. What has no marks is nobody's."""
        same: Bools = (step.src_marks[rows] != 0) & (step.dst_marks[rows] != 0)
        asked = rows[same]
        payers = self.of(step, step.applied.src[asked])
        same[same] = (payers != _NONE) & (payers == self.of(step, step.applied.dst[asked]))
        return same

    def _ask(self, registry: Registry, token_hex: str) -> int:
        holders = registry.holders(token_hex)
        if len(holders) != 1:
            return _NONE
        return self._numbers.setdefault(holders[0], len(self._numbers) + 1)


class InIndustry(Lookup):
    """1: held by a party of a GB/T 4754 section, as its record without an end says."""

    def __init__(self, section: str) -> None:
        super().__init__()
        self._section = section

    def _ask(self, registry: Registry, token_hex: str) -> int:
        parties = (registry.party(party_id, FOREVER - 1) for party_id in registry.holders(token_hex))
        return int(any(party is not None and party.industry[:1] == self._section for party in parties))


class NearPlatforms(Lookup):
    """1: the account was ever in the business of a platform, or held by a party ever tied to one."""

    def _ask(self, registry: Registry, token_hex: str) -> int:
        near = registry.institutions_touching(token_hex)
        return int(any(registry.ever_was(one, kind) for one in near for kind in PLATFORMS))


class Serves(Lookup):
    """1: the account was ever in the business of an institution that was ever of a kind."""

    def __init__(self, kind: InstitutionKind) -> None:
        super().__init__()
        self._kind = kind

    def _ask(self, registry: Registry, token_hex: str) -> int:
        return int(any(registry.ever_was(one, self._kind) for one in registry.institutions_served(token_hex)))
