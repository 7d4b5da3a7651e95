"""Planted misconduct: for each typology its variants, from clumsy to careful, and when they happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from simulator import parameters as p
from simulator.cast import Cast
from simulator.loans import ListingPlan
from simulator.misconduct import pooling, reserve_misuse, self_lending
from simulator.misconduct.case import Plan, Play
from simulator.streams import stream

Variant = Callable[[Plan], Play]
TYPOLOGIES: Final = (
    ("pooling", pooling.VARIANTS),
    ("self_lending", self_lending.VARIANTS),
    ("reserve_misuse", reserve_misuse.VARIANTS),
)
_LATEST_START: Final = 14  # leaves a round's cases room to finish within it


def plan_cases(
    cast: Cast, listings: ListingPlan, seed: int, size: p.Size, start_us: int, days: int
) -> tuple[tuple[str, Play], ...]:
    """The cases of every round that begins within `days`, by name. The first variant of each typology
    starts on the first day of each round; the others on days of their own."""
    cases = []
    for first_day in range(0, days, p.ROUND_DAYS):
        for typology, variants in TYPOLOGIES:
            for rank, variant in enumerate(variants):
                for copy in range(size.cases):
                    name = f"{typology} {variant.__name__} {first_day} {copy}"
                    rng = stream(seed, "case", name)
                    day = first_day + _offset(rng, first=rank == 0 and copy == 0)
                    cases.append((name, variant(Plan(cast, listings, start_us, day, rng))))
    return tuple(cases)


def _offset(rng: np.random.Generator, *, first: bool) -> int:
    return 0 if first else int(rng.integers(1, _LATEST_START + 1))
