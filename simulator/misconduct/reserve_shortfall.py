"""备付金缺口: what a payment institution owes its clients is more than its reserve holds.

taken_out     clumsy: a lump leaves the reserve for the institution's own account; the clients' balances stay
cards_unpaid  prepaid cards are sold, clients pay into an ordinary account, and only their balances rise
skimmed       careful: an agent takes top-ups in and hands on four fifths, days later
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from schemas.registry import AccountRole
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.cast import PaymentInstitution
from simulator.dates import ONLINE
from simulator.flows import Channel
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until
from simulator.misconduct.means import firm as company
from simulator.misconduct.means import held, send
from simulator.register import TRADE
from simulator.today import Script, Today


def owe(firm: PaymentInstitution, total: int) -> Generator[None, Today, None]:
    """From tomorrow on the clients' balances are higher by `total`, for as long as the world lasts."""
    while True:
        today = yield
        today.owed[firm.reserve] += total


def top_up(
    today: Today, rng: np.random.Generator, firm: PaymentInstitution, account: int, count: int, label: int
) -> int:
    """Clients top up into `account`. Returns what they were credited."""
    cards = rng.choice(today.cast.people.card[firm.wallets], count, replace=False)
    amount = rng.integers(5, 60, count) * 100 * p.YUAN
    paid = today.pay(
        cards,
        account,
        amount,
        today.date.moments(rng, ONLINE, count),
        Purpose.top_up,
        channel=Channel.online,
        instruction=today.flows.instructions(count),
        pattern=label,
    )
    return int(amount[paid].sum())


def taken_out(plan: Plan) -> Play:
    firm, register = plan.payment_institution(), plan.cast.register
    own = register.account(firm.party, plan.bank(), "payment_own", 0, AccountRole.own, firm.institution_id)
    label = plan.label((firm.reserve, own))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        lump = held(today, firm.reserve) // 12 // (1_000 * p.YUAN) * 1_000 * p.YUAN
        send(today, rng, firm.reserve, own, lump, label)
        today.finished.add(label)

    return script


def cards_unpaid(plan: Plan) -> Play:
    firm = plan.payment_institution()
    shop = company(plan, "卡务", TRADE, 1_000)
    label = plan.label((shop, firm.reserve))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        total = 0
        for _ in range(5):
            total += top_up(today, rng, firm, shop, 25, label)
            today.owed[firm.reserve] += total
            today.proven.add(label)
            today = yield
        send(today, rng, shop, firm.reserve, held(today, shop) // 20, label, Purpose.reserve_transfer)
        today.owed[firm.reserve] += total
        today.finished.add(label)
        yield from owe(firm, total)

    return script


def skimmed(plan: Plan) -> Play:
    firm = plan.payment_institution()
    agent = company(plan, "代理充值", TRADE, 1_000)
    label = plan.label((agent, firm.reserve))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        total = 0
        for _ in range(3):
            total += top_up(today, rng, firm, agent, 20, label)
            today.owed[firm.reserve] += total
            then = today.day + 2
            while today.day < then:
                today = yield
                today.owed[firm.reserve] += total
            handed = held(today, agent) * 4 // 5
            send(today, rng, agent, firm.reserve, handed, label, Purpose.reserve_transfer)
            today.proven.add(label)
            today = yield
        today.owed[firm.reserve] += total
        today.finished.add(label)
        yield from owe(firm, total)

    return script


VARIANTS = (
    Variant(taken_out, CLUMSY, days=2, also=("reserve_misuse",)),
    Variant(cards_unpaid, ORDINARY, also=("reserve_location",)),
    Variant(skimmed, CAREFUL, also=("reserve_location",)),
)
