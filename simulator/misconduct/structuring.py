"""拆分交易: parts just under what a bank has to report, which together pass it on one day.

The limits (inclusive, one day, secondary source): cash 50 000, a person's transfers 500 000, a firm's
2 000 000, a person's across the border 200 000 yuan.

cash_counter   clumsy: four deposits of nearly 50 000 at one bank on one day
person         a person pays another four times, on each of three days
sister_firm    a firm pays a sister firm in three parts
border         four payments abroad on one day
many_banks     careful: one person's accounts at three banks, uneven cash below 30 000 each, three days apart
"""

from __future__ import annotations

import numpy as np

from schemas.registry import PartyKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.flows import Channel
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import firm, people, send
from simulator.register import OUTSIDE, TRADE
from simulator.today import Script


def cash_counter(plan: Plan) -> Play:
    depositor = int(people(plan, 1, 1_000, 20_000)[0])
    label = plan.label((depositor,))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        amounts = 50_000 * p.YUAN - rng.integers(1, 12, 4) * 100 * p.YUAN
        send(today, rng, OUTSIDE, depositor, amounts, label, channel=Channel.cash)
        today.finished.add(label)

    return script


def person(plan: Plan) -> Play:
    payer, payee = (int(a) for a in people(plan, 2, 2_500_000, 3_000_000))
    label = plan.label((payer, payee))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(3):
            send(today, rng, payer, payee, rng.integers(135, 190, 4) * 1_000 * p.YUAN, label)
            today.proven.add(label)
            today = yield from wait(today, rng, 1, 3)
        today.finished.add(label)

    return script


def sister_firm(plan: Plan) -> Play:
    payer, payee = firm(plan, "贸易", TRADE, 6_000_000), firm(plan, "供应链", TRADE, 50_000)
    label = plan.label((payer, payee))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        amounts = rng.integers(720, 990, 3) * 1_000 * p.YUAN
        send(today, rng, payer, payee, amounts, label, Purpose.purchase)
        today.finished.add(label)

    return script


def border(plan: Plan) -> Play:
    payer = int(people(plan, 1, 600_000, 900_000)[0])
    label = plan.label((payer,))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        amounts = rng.integers(55, 95, 4) * 1_000 * p.YUAN
        send(today, rng, payer, OUTSIDE, amounts, label, channel=Channel.cross_border)
        today.finished.add(label)

    return script


def many_banks(plan: Plan) -> Play:
    register = plan.cast.register
    party = register.party(PartyKind.person)
    accounts = np.array([register.account(party, bank, "person", 800_000) for bank in register.banks[:3]])
    label = plan.label(tuple(int(account) for account in accounts))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(3):
            amounts = rng.integers(170, 298, len(accounts)) * 100 * p.YUAN
            send(today, rng, OUTSIDE, accounts, amounts, label, channel=Channel.cash)
            today.proven.add(label)
            today = yield from wait(today, rng, 3, 3)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(cash_counter, CLUMSY, days=2),
    Variant(person, ORDINARY),
    Variant(sister_firm, ORDINARY, days=2),
    Variant(border, ORDINARY, days=2),
    Variant(many_banks, CAREFUL),
)
