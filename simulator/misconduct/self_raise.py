"""自筹: a project's backers are the platform's or the project's own people.

shareholders  clumsy: six shareholders of the company put in nearly all of it, undeclared to the public
staff         the platform's people put in what the company had sent them just before
round_about   careful: friends unknown to the registry, paid by the controller through a middleman, with some
              honest backers among them
"""

from __future__ import annotations

import numpy as np

from schemas.registry import PartyKind, RelationKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.flows import Channel
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until
from simulator.misconduct.means import crowdfunding, firm, held, people, send
from simulator.misconduct.projects import backers, project
from simulator.register import LEASING
from simulator.streams import shares
from simulator.today import Script

_TARGET = 400_000 * p.YUAN


def shareholders(plan: Plan) -> Play:
    platform, register = crowdfunding(plan), plan.cast.register
    venture = project(plan, platform, _TARGET)
    parties = [register.party(PartyKind.person) for _ in range(6)]
    for party in parties:
        register.holds(party, plan.party_of(venture.company), 1_500)
    subs = backers(plan, platform, parties, 150_000)
    label = plan.label((venture.company, *(int(sub) for sub in subs), platform.custody))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        venture.take(today, rng, subs, shares(rng, _TARGET, len(subs), 100 * p.YUAN), label)
        today = yield
        venture.pay_out(today, rng, label)
        today.finished.add(label)

    return script


def staff(plan: Plan) -> Play:
    platform, register = crowdfunding(plan), plan.cast.register
    venture = project(plan, platform, _TARGET, capital=450_000)
    cards = people(plan, 9, 500, 3_000)
    parties = [plan.party_of(int(card)) for card in cards]
    for number, party in enumerate(parties):
        register.ties(party, platform.party, (RelationKind.director, RelationKind.affiliate)[number % 2])
    subs = backers(plan, platform, parties, 10)
    label = plan.label((venture.company, *(int(a) for a in (*cards, *subs)), platform.custody))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        stakes = shares(rng, _TARGET, len(subs), 100 * p.YUAN)
        send(today, rng, venture.company, cards, stakes, label, Purpose.salary)
        today = yield
        send(today, rng, cards, subs, stakes, label, Purpose.recharge, channel=Channel.online)
        today = yield
        venture.take(today, rng, subs, stakes, label)
        today.proven.add(label)
        today = yield
        venture.pay_out(today, rng, label)
        today.finished.add(label)

    return script


def round_about(plan: Plan) -> Play:
    platform, register = crowdfunding(plan), plan.cast.register
    venture = project(plan, platform, _TARGET)
    controller = int(people(plan, 1, 600_000, 800_000)[0])
    register.ties(plan.party_of(controller), plan.party_of(venture.company), RelationKind.controller)
    middleman = firm(plan, "咨询", LEASING, 3_000)
    cards = people(plan, 12, 500, 3_000, known=False)
    subs = backers(plan, platform, [plan.party_of(int(card)) for card in cards], 10)
    honest = plan.rng.choice(platform.sub, 6, replace=False)
    label = plan.label((venture.company, controller, middleman, *(int(a) for a in (*cards, *subs))))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        send(today, rng, controller, middleman, _TARGET, label, Purpose.purchase)
        today = yield from until((yield), today.day + 2)
        stakes = shares(rng, _TARGET * 9 // 10, len(subs), 100 * p.YUAN)
        send(today, rng, middleman, cards, stakes, label)
        for part in np.array_split(np.arange(len(subs)), 3):
            today = yield
            send(today, rng, cards[part], subs[part], stakes[part], label, Purpose.recharge)
            today = yield
            venture.take(today, rng, subs[part], stakes[part], label)
        able = np.array([held(today, int(sub)) for sub in honest]) > _TARGET // 60
        venture.take(today, rng, honest[able], np.full(int(able.sum()), _TARGET // 60), label)
        today = yield
        raised = int(stakes.sum()) + int(able.sum()) * (_TARGET // 60)
        send(
            today,
            rng,
            platform.custody,
            venture.company,
            raised,
            label,
            Purpose.disburse,
            channel=Channel.custody,
            product=venture.product,
        )
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(shareholders, CLUMSY),
    Variant(staff, ORDINARY, also=("round_tripping",)),
    Variant(round_about, CAREFUL, also=("fan_out",)),
)
