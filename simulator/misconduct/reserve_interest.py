"""备付金计息: a commercial bank pays interest on clients' reserves. (Banks may not; what the central bank has
paid on them since 2019-08-01 is another matter and does not occur here.)

credited    clumsy: interest by name, on the reserve itself
special     on the special account left at a commercial bank, three times
rebate      careful: a "service rebate" of odd amounts in parts, handed on to the own account as fees
"""

from __future__ import annotations

import numpy as np

from schemas.registry import AccountRole
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.flows import Channel
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import firm as company
from simulator.misconduct.means import held, send
from simulator.register import FINANCE
from simulator.today import Script


def _payer(plan: Plan) -> int:
    """The account from which a commercial bank pays interest."""
    return company(plan, "商业银行应付利息", FINANCE, 3_000_000)


def credited(plan: Plan) -> Play:
    firm, bank = plan.payment_institution(), _payer(plan)
    label = plan.label((firm.reserve, bank))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        interest = held(today, firm.reserve) * 150 // 120_000
        send(today, rng, bank, firm.reserve, interest, label, Purpose.interest, channel=Channel.clearing)
        today.finished.add(label)

    return script


def special(plan: Plan) -> Play:
    firm, bank, register = plan.payment_institution(), _payer(plan), plan.cast.register
    account = register.account(
        firm.party,
        plan.bank(),
        "special",
        900_000 * p.YUAN,
        AccountRole.special_business,
        firm.institution_id,
    )
    label = plan.label((account, bank))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(3):
            interest = held(today, account) * int(rng.integers(20, 40)) // 365 // 100
            send(today, rng, bank, account, interest, label, Purpose.interest)
            today.proven.add(label)
            today = yield from wait(today, rng, 3, 4)
        today.finished.add(label)

    return script


def rebate(plan: Plan) -> Play:
    firm, bank = plan.payment_institution(), _payer(plan)
    label = plan.label((firm.reserve, bank, firm.filed_own))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(3):
            part = int(held(today, firm.reserve) * rng.uniform(0.0003, 0.0006))
            send(today, rng, bank, firm.reserve, part, label, Purpose.refund)
            today = yield from wait(today, rng, 1, 2)
            send(today, rng, firm.reserve, firm.filed_own, part, label, Purpose.fee, channel=Channel.clearing)
            today = yield from wait(today, rng, 0, 1)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(credited, CLUMSY, days=2),
    Variant(special, ORDINARY, days=18),
    Variant(rebate, CAREFUL, days=22, also=("reserve_misuse",)),
)
