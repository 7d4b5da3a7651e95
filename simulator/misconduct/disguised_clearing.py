"""变相跨行清算: a payment institution takes in at one bank and pays out at another for third parties, so that
the money crosses between banks without a clearing house.

mirrored     clumsy: the very amount, minutes later
less_a_fee   within hours, less a fee, some in two parts
prefunded    careful: paid out of what lies ready at the other bank, in parts, the next day
"""

from __future__ import annotations

import numpy as np

from schemas.registry import AccountRole
from simulator import parameters as p
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import onward, people, send
from simulator.streams import Ints, shares
from simulator.today import Script


def _two_banks(plan: Plan) -> tuple[int, int]:
    """Two own accounts of one payment institution; money lies ready at the second."""
    firm, register = plan.payment_institution(), plan.cast.register
    first, second = (
        register.account(
            firm.party,
            register.banks[bank],
            "payment_own",
            yuan * p.YUAN,
            AccountRole.own,
            firm.institution_id,
        )
        for bank, yuan in ((0, 5_000), (1, 4_000_000))
    )
    return first, second


def _third_parties(plan: Plan, count: int) -> tuple[Ints, Ints]:
    return people(plan, count, 200_000, 400_000), people(plan, count, 500, 3_000)


def mirrored(plan: Plan) -> Play:
    first, second = _two_banks(plan)
    payers, payees = _third_parties(plan, 6)
    label = plan.label((first, second, *(int(a) for a in (*payers, *payees))))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for turn in range(2):
            chosen = slice(turn * 3, turn * 3 + 3)
            amounts = rng.integers(30, 150, 3) * 1_000 * p.YUAN
            at = send(today, rng, payers[chosen], first, amounts, label)
            onward(today, rng, second, payees[chosen], amounts, at, label, minutes=(2, 20))
            today = yield from wait(today, rng, 1, 1)
        today.finished.add(label)

    return script


def less_a_fee(plan: Plan) -> Play:
    first, second = _two_banks(plan)
    payers, payees = _third_parties(plan, 8)
    label = plan.label((first, second, *(int(a) for a in (*payers, *payees))))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for payer, payee in zip(payers.tolist(), payees.tolist(), strict=True):
            amount = int(rng.integers(20, 140)) * 1_000 * p.YUAN
            at = send(today, rng, payer, first, amount, label)
            parts = shares(rng, amount * 997 // 1_000, int(rng.integers(1, 3)), 10 * p.YUAN)
            onward(today, rng, second, payee, parts, np.full(len(parts), at[0]), label, minutes=(30, 240))
            today = yield from wait(today, rng, 0, 1)
        today.finished.add(label)

    return script


def prefunded(plan: Plan) -> Play:
    first, second = _two_banks(plan)
    payers, payees = _third_parties(plan, 8)
    label = plan.label((first, second, *(int(a) for a in (*payers, *payees))))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for payer, payee in zip(payers.tolist(), payees.tolist(), strict=True):
            amount = int(rng.integers(2_000, 14_000)) * 10 * p.YUAN
            send(today, rng, payer, first, amount, label)
            today = yield
            parts = shares(rng, int(amount * rng.uniform(0.992, 0.997)), int(rng.integers(2, 4)), 10)
            send(today, rng, second, payee, parts, label)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(mirrored, CLUMSY),
    Variant(less_a_fee, ORDINARY, days=22),
    Variant(prefunded, CAREFUL),
)
