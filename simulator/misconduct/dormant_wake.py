"""闲置账户突然启用: an account idle for more than half a year moves a large amount within days.

Half a year of silence can only be seen in a world that lasts longer: shorter worlds do not have it. Each
account is seen at the beginning, by one small payment, which is part of the case.

one_lump   clumsy: one large sum comes and goes on one day
several    five sums from five payers, out in three
tested     careful: two small payments to try the account, then sums below 50 000 for four days
"""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until
from simulator.misconduct.means import held, onward, people, send
from simulator.streams import shares
from simulator.today import Script

_IDLE = 190


def one_lump(plan: Plan) -> Play:
    sleeper, payee = (int(a) for a in people(plan, 2, 300, 900))
    payer = int(people(plan, 1, 900_000, 1_500_000)[0])
    label = plan.label((sleeper, payer, payee))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        send(today, rng, sleeper, payee, 100 * p.YUAN, label)
        today = yield from until((yield), plan.day + _IDLE)
        amount = int(rng.integers(600, 850)) * 1_000 * p.YUAN
        at = send(today, rng, payer, sleeper, amount, label)
        onward(today, rng, sleeper, payee, amount, at, label)
        today.finished.add(label)

    return script


def several(plan: Plan) -> Play:
    sleeper = int(people(plan, 1, 300, 900)[0])
    payers, payees = people(plan, 5, 150_000, 250_000), people(plan, 3, 300, 900)
    label = plan.label((sleeper, *(int(a) for a in (*payers, *payees))))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        send(today, rng, sleeper, int(payees[0]), 100 * p.YUAN, label)
        today = yield from until((yield), plan.day + _IDLE)
        send(today, rng, payers, sleeper, rng.integers(70, 140, len(payers)) * 1_000 * p.YUAN, label)
        today = yield
        out = shares(rng, held(today, sleeper) * 98 // 100, len(payees), 100 * p.YUAN)
        send(today, rng, sleeper, payees, out, label)
        today.finished.add(label)

    return script


def tested(plan: Plan) -> Play:
    sleeper = int(people(plan, 1, 1_500, 2_500)[0])
    payers, payee = people(plan, 6, 150_000, 250_000), int(people(plan, 1, 300, 900)[0])
    label = plan.label((sleeper, payee, *(int(a) for a in payers)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        send(today, rng, sleeper, payee, 66 * p.YUAN, label)
        today = yield from until((yield), plan.day + _IDLE)
        send(today, rng, int(payers[0]), sleeper, 10 * p.YUAN, label)
        today = yield
        send(today, rng, sleeper, payee, 10 * p.YUAN, label)
        for _ in range(4):
            today = yield
            chosen = rng.choice(payers, 3, replace=False)
            send(today, rng, chosen, sleeper, rng.integers(310, 480, 3) * 100 * p.YUAN, label)
            if held(today, sleeper) > 50_000 * p.YUAN:
                out = held(today, sleeper) * 9 // 10 // p.YUAN * p.YUAN
                send(today, rng, sleeper, payee, out, label, Purpose.purchase)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(one_lump, CLUMSY, days=_IDLE + 1),
    Variant(several, ORDINARY, days=_IDLE + 2),
    Variant(tested, CAREFUL, days=_IDLE + 6),
)
