"""借款限额: somebody owes platforms more than anybody may borrow there.

same_platform   clumsy: a person has three loans of 80 000–120 000 yuan on one platform
many_platforms  a person borrows just below the cap of one platform on seven of them
parts           careful: five loans of 45 000–60 000 yuan on one platform, days apart
"""

from __future__ import annotations

import numpy as np

from simulator import parameters as p
from simulator.flows import NONE
from simulator.misconduct.case import (
    CAREFUL,
    CLUMSY,
    ORDINARY,
    Plan,
    Play,
    Variant,
    until_all_disbursed,
)
from simulator.today import Script


def _borrowing(plan: Plan, platforms: list[int], sums: list[int], every: int) -> Play:
    borrower = plan.person()
    label = plan.label((borrower,))
    listings = [
        plan.listing(
            number, borrower, thousands * 1_000 * p.YUAN, label, NONE, firm=False, delay=turn * every
        )
        for turn, (number, thousands) in enumerate(zip(platforms, sums, strict=True))
    ]

    def script(_: np.random.Generator) -> Script:
        today, _loans = yield from until_all_disbursed((yield), listings)
        today.finished.add(label)

    return script


def same_platform(plan: Plan) -> Play:
    number, _ = plan.platform()
    return _borrowing(plan, [number] * 3, plan.rng.integers(80, 121, 3).tolist(), 1)


def many_platforms(plan: Plan) -> Play:
    every = len(plan.cast.platforms)
    chosen: list[int] = plan.rng.permutation(every)[:7].tolist()
    return _borrowing(plan, chosen, plan.rng.integers(160, 191, len(chosen)).tolist(), 1)


def parts(plan: Plan) -> Play:
    number, _ = plan.platform()
    return _borrowing(plan, [number] * 5, plan.rng.integers(45, 61, 5).tolist(), 3)


VARIANTS = (
    Variant(same_platform, CLUMSY, days=10),
    Variant(many_platforms, ORDINARY, days=18),
    Variant(parts, CAREFUL, days=22),
)
