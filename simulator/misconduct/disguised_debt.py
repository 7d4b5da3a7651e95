"""明股实债: what is sold as shares of a project pays a fixed return at fixed times.

monthly     clumsy: exactly one in a hundred every thirty days, three times
twenty_days every twenty days, the sum rounded to hundreds of yuan
dressed     careful: every twenty-two days give or take one, the ratio off by a hundredth, called dividends
"""

from __future__ import annotations

import numpy as np

from schemas.registry import PartyKind
from simulator import parameters as p
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until
from simulator.misconduct.means import crowdfunding
from simulator.misconduct.projects import backers, project
from simulator.streams import shares
from simulator.today import Script

_PAYMENTS = 3


def _fixed(
    plan: Plan, every: int, ratio_bp: int, *, jitter_days: int = 0, jitter_bp: int = 0, step: int = 1
) -> Play:
    """`ratio_bp` of what was raised, every so many days, give or take; in multiples of `step`."""
    platform = crowdfunding(plan)
    register = plan.cast.register
    target = int(plan.rng.integers(20, 50)) * 10_000 * p.YUAN
    parties = [register.party(PartyKind.person) for _ in range(int(plan.rng.integers(18, 30)))]
    subs = backers(plan, platform, parties, target // len(parties) // p.YUAN * 4)
    venture = project(plan, platform, target, target // p.YUAN // 5)
    stakes = shares(plan.rng, target, len(subs), 100 * p.YUAN)
    label = plan.label((venture.company, platform.custody))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        venture.take(today, rng, subs, stakes, label)
        today = yield
        venture.pay_out(today, rng, label)
        for number in range(1, _PAYMENTS + 1):
            due = plan.day + 1 + number * every + int(rng.integers(-jitter_days, jitter_days + 1))
            today = yield from until((yield), due)
            ratio = 100 * ratio_bp + int(rng.integers(-jitter_bp, jitter_bp + 1))
            venture.pay_backers(today, rng, subs, stakes, target * ratio // 1_000_000 // step * step, label)
        today.finished.add(label)

    return script


def monthly(plan: Plan) -> Play:
    return _fixed(plan, 30, 100)


def twenty_days(plan: Plan) -> Play:
    return _fixed(plan, 20, 80, step=100 * p.YUAN)


def dressed(plan: Plan) -> Play:
    return _fixed(plan, 22, 90, jitter_days=1, jitter_bp=90)


VARIANTS = (
    Variant(monthly, CLUMSY, days=92),
    Variant(twenty_days, ORDINARY, days=63),
    Variant(dressed, CAREFUL, days=70),
)
