"""快进快出: an account that money only passes through, again and again.

same_hour   clumsy: lumps from one payer leave to one payee within the hour, twice a day for five days
same_day    three payers, two payees, within the day, a small cut
two_hands   careful: two accounts in turn, the next morning, amid ordinary purchases
"""

from __future__ import annotations

import numpy as np

from simulator import parameters as p
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import firm, held, live, onward, people, send
from simulator.register import TRADE
from simulator.streams import shares
from simulator.today import Script


def same_hour(plan: Plan) -> Play:
    payer, payee = firm(plan, "贸易", TRADE, 3_000_000), firm(plan, "商贸", TRADE, 10_000)
    through = int(people(plan, 1, 50, 500)[0])
    label = plan.label((through, payer, payee))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(5):
            amounts = rng.integers(60, 200, 2) * 1_000 * p.YUAN
            at = send(today, rng, payer, through, amounts, label)
            onward(today, rng, through, payee, amounts - 50 * p.YUAN, at, label, minutes=(3, 55))
            today = yield from wait(today, rng, 1, 1)
        today.finished.add(label)

    return script


def same_day(plan: Plan) -> Play:
    payers, payees = people(plan, 3, 400_000, 700_000), people(plan, 2, 500, 5_000)
    through = int(people(plan, 1, 500, 3_000)[0])
    label = plan.label((through, *(int(a) for a in (*payers, *payees))))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(5):
            amounts = rng.integers(200, 450, len(payers)) * 100 * p.YUAN
            at = send(today, rng, payers, through, amounts, label)
            out = shares(rng, int(amounts.sum() * rng.uniform(0.97, 0.99)), len(payees), 10 * p.YUAN)
            onward(today, rng, through, payees, out, np.full(len(payees), at.max()), label, minutes=(20, 240))
            today = yield from wait(today, rng, 1, 2)
        today.finished.add(label)

    return script


def two_hands(plan: Plan) -> Play:
    payers, payees = people(plan, 4, 400_000, 700_000), people(plan, 3, 500, 5_000)
    hands = people(plan, 2, 1_000, 4_000)
    label = plan.label(tuple(int(a) for a in (*hands, *payers, *payees)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for turn in range(8):
            hand = int(hands[turn % 2])
            amount = rng.integers(150, 480, 2) * 99 * p.YUAN
            send(today, rng, rng.choice(payers, 2, replace=False), hand, amount, label)
            today = yield
            live(today, rng, hands)
            out = int(held(today, hand) * rng.uniform(0.93, 0.97)) // p.YUAN * p.YUAN
            chosen = rng.choice(payees, 2, replace=False)
            send(today, rng, hand, chosen, shares(rng, out, 2, 10 * p.YUAN), label)
            today = yield
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(same_hour, CLUMSY),
    Variant(same_day, ORDINARY, days=26),
    Variant(two_hands, CAREFUL, days=18, also=("bipartite", "stack")),
)
