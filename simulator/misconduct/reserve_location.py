"""备付金分散存放: clients' money lies outside the central bank after 2019-01-14.

second_reserve  clumsy: an account called reserve at a commercial bank, and the money stays
overnight       a collection account is emptied to the reserve only every few days
pocket          careful: top-ups land on an own account; most is sent on late, in uneven parts
"""

from __future__ import annotations

import numpy as np

from schemas.registry import AccountRole
from schemas.transaction import Purpose
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until
from simulator.misconduct.means import held, send
from simulator.misconduct.reserve_shortfall import owe, top_up
from simulator.streams import shares
from simulator.today import Script


def _keep(plan: Plan, role: AccountRole, days: int, empty_every: int, part: float, parts: int) -> Play:
    """Top-ups come in for some days; every few days so large a part goes on to the reserve."""
    firm, register = plan.payment_institution(), plan.cast.register
    account = register.account(firm.party, plan.bank(), "collection", 0, role, firm.institution_id)
    label = plan.label((account, firm.reserve) if part else (account,))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        total = 0
        for day in range(days):
            if part and day % empty_every == empty_every - 1:
                sums = shares(rng, int(held(today, account) * part), parts, 10)
                send(today, rng, account, firm.reserve, sums, label, Purpose.reserve_transfer)
                today.proven.add(label)
            total += top_up(today, rng, firm, account, 15, label)
            today.owed[firm.reserve] += total
            today = yield
        today.owed[firm.reserve] += total
        today.finished.add(label)
        yield from owe(firm, total)

    return script


def second_reserve(plan: Plan) -> Play:
    return _keep(plan, AccountRole.reserve, 4, 1, 0.0, 1)


def overnight(plan: Plan) -> Play:
    return _keep(plan, AccountRole.partner_reserve, 10, 4, 1.0, 1)


def pocket(plan: Plan) -> Play:
    return _keep(plan, AccountRole.own, 14, 3, 0.85, 3)


VARIANTS = (
    Variant(second_reserve, CLUMSY, also=("reserve_shortfall",)),
    Variant(overnight, ORDINARY, also=("reserve_shortfall",)),
    Variant(pocket, CAREFUL, also=("reserve_shortfall",)),
)
