"""资金池: a platform takes its clients' money into an account that is not custody, mixes it, pays it on.

own_account   clumsy: straight from the sub-accounts into the platform's own account, and on to firms: such as
              borrow on the platform are lent to
consulting    a consulting firm of the group takes transfers from clients' cards, pays "returns" and lumps
executive     a director's personal account, amounts below 50 000 yuan, over a week
shopfronts    careful: three sham shops take "purchases" amid real ones for two weeks and forward to a hub
"""

from __future__ import annotations

import numpy as np

from schemas.registry import RelationKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.flows import Channel
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, gather, pay_on, until
from simulator.register import LEASING, TRADE
from simulator.today import Script


def own_account(plan: Plan) -> Play:
    _, platform = plan.platform()
    victims = plan.clients(platform, int(plan.rng.integers(45, 80)))
    receivers = plan.firms(int(plan.rng.integers(4, 9)))
    label = plan.label((platform.own,))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        taken = 0
        for part in np.array_split(platform.sub[victims], 2):
            taken += gather(
                today, rng, part, platform.own, (500_00, 20_000_00), Purpose.invest, Channel.custody, label
            )
            today = yield
        for _ in range(2):
            out = int(taken * rng.uniform(0.2, 0.35)) // p.YUAN * p.YUAN
            pay_on(today, rng, platform.own, receivers, out, Purpose.transfer, label)
            today = yield
        today.finished.add(label)

    return script


def consulting(plan: Plan) -> Play:
    _, platform = plan.platform()
    collector = plan.company("财富咨询", LEASING)
    plan.cast.register.ties(plan.party_of(collector), platform.party, RelationKind.affiliate)
    victims = plan.cast.people.card[platform.clients[plan.clients(platform, int(plan.rng.integers(40, 70)))]]
    receivers = plan.firms(int(plan.rng.integers(3, 6)))
    label = plan.label((collector,))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for number, part in enumerate(np.array_split(victims, 5)):
            gather(
                today, rng, part, collector, (1_000_00, 15_000_00), Purpose.transfer, Channel.transfer, label
            )
            if number >= 2:
                returns = int(today.ledger.spendable[collector]) // 12
                pay_on(today, rng, collector, victims[:8], returns, Purpose.interest, label)
            today = yield
        for _ in range(2):
            out = int(today.ledger.spendable[collector] * rng.uniform(0.3, 0.5))
            pay_on(today, rng, collector, receivers, out, Purpose.transfer, label)
            today = yield
        today.finished.add(label)

    return script


def executive(plan: Plan) -> Play:
    _, platform = plan.platform()
    collector = plan.person()
    plan.cast.register.ties(plan.party_of(collector), platform.party, RelationKind.director)
    victims = plan.cast.people.card[platform.clients[plan.clients(platform, int(plan.rng.integers(30, 50)))]]
    receivers = np.append(plan.firms(3), [plan.person(), plan.person()])
    label = plan.label((collector,))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for part in np.array_split(victims, 7):
            gather(
                today, rng, part, collector, (2_000_00, 30_000_00), Purpose.transfer, Channel.transfer, label
            )
            today = yield
        for _ in range(3):
            out = int(today.ledger.spendable[collector] * rng.uniform(0.2, 0.4))
            pay_on(today, rng, collector, receivers, out, Purpose.transfer, label)
            today = yield from until(today, today.day + 2)
        today.finished.add(label)

    return script


def shopfronts(plan: Plan) -> Play:
    _, platform = plan.platform()
    fronts = [plan.company("优品商贸", TRADE) for _ in range(3)]
    hub = plan.company("供应链管理", LEASING)
    plan.cast.register.ties(plan.party_of(hub), platform.party, RelationKind.affiliate)
    victims = plan.cast.people.card[platform.clients[plan.clients(platform, int(plan.rng.integers(60, 85)))]]
    passers_by = plan.rng.choice(plan.cast.people.card, (14, 3, 4))
    receivers = plan.firms(int(plan.rng.integers(4, 8)))
    label = plan.label((hub, *fronts))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for number, part in enumerate(np.array_split(victims, 14)):
            for turn, front in enumerate(fronts):
                gather(
                    today,
                    rng,
                    part[turn::3],
                    front,
                    (3_000_00, 9_800_00),
                    Purpose.purchase,
                    Channel.card,
                    label,
                )
                honest = rng.integers(20_00, 600_00, 4)
                at = today.date.at(12) + rng.integers(0, 8 * 3600, 4) * 1_000_000
                today.pay(passers_by[number, turn], front, honest, at, Purpose.purchase, channel=Channel.card)
                if number % 4 == 3:
                    stock = int(today.ledger.spendable[front] * rng.uniform(0.7, 0.95))
                    pay_on(today, rng, front, np.array([hub]), stock, Purpose.purchase, label)
            if number in (9, 13):
                out = int(today.ledger.spendable[hub] * rng.uniform(0.4, 0.7))
                pay_on(today, rng, hub, receivers, out, Purpose.purchase, label)
            today = yield
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(own_account, CLUMSY, days=5, also=("commingling", "custody_bypass", "platform_lending")),
    Variant(consulting, ORDINARY, days=9, also=("custody_bypass", "fan_in", "gather_scatter")),
    Variant(executive, ORDINARY, days=16, also=("custody_bypass", "fan_in", "gather_scatter")),
    Variant(shopfronts, CAREFUL, days=16, also=("custody_bypass",)),
)
