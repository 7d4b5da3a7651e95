"""跑路: most of what an institution controls leaves within days, to few, new or personal receivers.

overnight   clumsy: own and client money in one day to two persons, one of them the controller
in_parts    own, fee and marketing money over three days, in uneven parts to four new persons
shells      careful: purchases from three new firms for a week, which send it on to persons and abroad
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from schemas.registry import RelationKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import Platform
from simulator.flows import Channel
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import firm, held, people, send
from simulator.misconduct.offering import recharge
from simulator.register import OUTSIDE, TRADE
from simulator.streams import shares
from simulator.today import Script, Today

_CLIENTS = 60
_USUAL_DAYS = 4


def _as_usual(today: Today, rng: np.random.Generator, platform: Platform) -> Generator[None, Today, Today]:
    """Some days of honest traffic before it happens: clients recharge, the platform pays its costs."""
    for _ in range(_USUAL_DAYS):
        recharge(today, rng, platform, rng.choice(_CLIENTS, 8, replace=False), 5_000 * p.YUAN)
        today.pay(platform.own, OUTSIDE, 12_000 * p.YUAN, today.date.at(15), Purpose.purchase)
        today = yield
    return today


def overnight(plan: Plan) -> Play:
    platform = plan.venture(_CLIENTS)
    friend = int(people(plan, 1, 500, 3_000)[0])
    controller = platform.group.controller[1]
    sources = (platform.own, platform.marketing, platform.custody)
    label = plan.label((*sources, controller, friend))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        today = yield from _as_usual(today, rng, platform)
        for source in sources:
            parts = shares(rng, held(today, source) * 97 // 100, 2, 100 * p.YUAN)
            send(today, rng, source, np.array([controller, friend]), parts, label)
        today.finished.add(label)

    return script


def in_parts(plan: Plan) -> Play:
    platform = plan.venture(_CLIENTS)
    receivers = people(plan, 4, 500, 3_000)
    sources = (platform.own, platform.fee, platform.marketing)
    label = plan.label((*sources, *(int(receiver) for receiver in receivers)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        today = yield from _as_usual(today, rng, platform)
        for part in (0.4, 0.6, 0.95):
            for source in sources:
                parts = shares(rng, int(held(today, source) * part), len(receivers), 10 * p.YUAN)
                send(today, rng, source, receivers, parts, label)
            today = yield
        today.finished.add(label)

    return script


def shells(plan: Plan) -> Play:
    platform = plan.venture(_CLIENTS)
    fronts = np.array([firm(plan, "商务服务", TRADE, 2_000) for _ in range(3)], dtype=np.int64)
    persons = people(plan, 3, 500, 3_000, known=False)
    plan.cast.register.ties(plan.party_of(int(persons[0])), platform.party, RelationKind.affiliate)
    label = plan.label((platform.own, *(int(account) for account in (*fronts, *persons))))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        today = yield from _as_usual(today, rng, platform)
        for _ in range(5):
            parts = shares(rng, int(held(today, platform.own) * rng.uniform(0.4, 0.5)), len(fronts), 100)
            send(today, rng, platform.own, fronts, parts, label, Purpose.purchase)
            today = yield from wait(today, rng, 1, 1)
            for front, person in zip(fronts.tolist(), persons.tolist(), strict=True):
                send(today, rng, front, person, held(today, front) * 9 // 10, label)
        today = yield
        abroad = today.ledger.spendable[persons] // 2
        send(today, rng, persons, OUTSIDE, abroad, label, channel=Channel.cross_border)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(overnight, CLUMSY, also=("misappropriation",)),
    Variant(in_parts, ORDINARY),
    Variant(shells, CAREFUL, days=22),
)
