"""What the registry says of accounts, as numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from schemas.registry import InstitutionKind
from services.detector.parties.lookups import NearPlatforms


@pytest.mark.parametrize(
    ("touching", "expected"), [((), 0), (("bank",), 0), (("bank", "p2p"), 1), (("crowdfunding",), 1)]
)
def test_near_a_platform_is_whom_one_ever_touched(touching: tuple[str, ...], expected: int) -> None:
    kinds = {"p2p": InstitutionKind.p2p, "crowdfunding": InstitutionKind.equity_crowdfunding}
    registry: Any = SimpleNamespace(
        institutions_touching=lambda _: touching, ever_was=lambda one, kind: kinds.get(one) is kind
    )
    assert NearPlatforms()._ask(registry, "00") == expected
