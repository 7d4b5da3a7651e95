"""未存管: clients pay the platform, or people of its, past the bank that keeps their money.

second_bank  clumsy: the platform opens an own account at another bank and takes "investments" there
salesman     an employee takes a dozen clients' transfers on his card and brings them to the platform
relatives    careful: three relatives of a director take small sums from a few clients each and pass them on
"""

from __future__ import annotations

import numpy as np

from schemas.registry import AccountRole, RelationKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.flows import Channel
from simulator.misconduct.case import (
    CAREFUL,
    CLUMSY,
    ORDINARY,
    Plan,
    Play,
    Variant,
    gather,
    office_moment,
    until,
)
from simulator.today import Script


def second_bank(plan: Plan) -> Play:
    _, platform = plan.platform()
    register = plan.cast.register
    bank = next(bank for bank in register.banks if bank != platform.bank)
    collector = register.account(
        platform.party, bank, "platform_own", 0, AccountRole.own, platform.institution_id
    )
    payers = plan.cast.people.card[platform.clients[plan.clients(platform, int(plan.rng.integers(15, 30)))]]
    label = plan.label((collector,))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for part in np.array_split(payers, 3):
            gather(
                today, rng, part, collector, (1_000_00, 12_000_00), Purpose.invest, Channel.transfer, label
            )
            today = yield
        today.finished.add(label)

    return script


def salesman(plan: Plan) -> Play:
    _, platform = plan.platform()
    collector = plan.insider(platform, RelationKind.affiliate)
    payers = plan.cast.people.card[platform.clients[plan.clients(platform, int(plan.rng.integers(12, 20)))]]
    label = plan.label((collector, platform.own))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for turn, part in enumerate(np.array_split(payers, 5)):
            gather(
                today, rng, part, collector, (2_000_00, 20_000_00), Purpose.invest, Channel.transfer, label
            )
            today = yield
            if turn == 1:
                today.proven.add(label)
            brought = int(today.ledger.spendable[collector] * rng.uniform(0.8, 0.95))
            if turn % 2:
                at = office_moment(today, rng)
                today.pay(collector, platform.own, brought, at, Purpose.transfer, pattern=label)
        today.finished.add(label)

    return script


def relatives(plan: Plan) -> Play:
    _, platform = plan.platform()
    director = plan.insider(platform)
    takers = [plan.person() for _ in range(3)]
    for taker in takers:
        plan.cast.register.ties(plan.party_of(taker), plan.party_of(director), RelationKind.affiliate)
    payers = plan.cast.people.card[platform.clients[plan.clients(platform, 18)]]
    label = plan.label((director, *takers))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for day, part in enumerate(np.array_split(payers, 9)):
            taker = takers[day % 3]
            gather(today, rng, part, taker, (500_00, 4_900_00), Purpose.transfer, Channel.online, label)
            today = yield
            if day % 4 == 3:
                for src in takers:
                    amount = int(today.ledger.spendable[src] * rng.uniform(0.75, 0.95)) // p.YUAN * p.YUAN
                    at = office_moment(today, rng)
                    today.pay(src, director, amount, at, Purpose.transfer, pattern=label)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(second_bank, CLUMSY, days=4, also=("pooling", "commingling")),
    Variant(salesman, ORDINARY, days=6, also=("pooling", "commingling")),
    Variant(relatives, CAREFUL, days=10, also=("pooling",)),
)
