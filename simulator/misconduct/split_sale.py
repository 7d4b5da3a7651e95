"""拆分销售: what was raised privately is resold in small parts to people who may not buy it.

openly       clumsy: the holder sells parts of his units to thirty people within three days, product named
on_platform  on a lending platform, from client's account to client's account, for two weeks
wealth_firm  careful: a "wealth" company takes the money, product unnamed, and pays the holder by lumps
"""

from __future__ import annotations

import numpy as np

from schemas.registry import AccountRole
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.flows import Channel
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, gather, until, wait
from simulator.misconduct.means import firm, held, managers, people, send, vehicle
from simulator.register import BUILDING, LEASING
from simulator.today import Script

_STAKE = 3_000_000 * p.YUAN
_PARTS = (50, 300)  # hundreds of yuan


def _private(plan: Plan) -> tuple[int, int, int]:
    """(product, its account, the holder who will resell what he buys)."""
    asset = firm(plan, "新能源建设", BUILDING, 100_000)
    product, account = vehicle(plan, managers(plan)[0].institution_id, asset)
    holder = int(people(plan, 1, 3_200_000, 3_600_000, qualified=True)[0])
    return product, account, holder


def openly(plan: Plan) -> Play:
    product, account, holder = _private(plan)
    buyers = people(plan, 30, 35_000, 90_000)
    label = plan.label((holder, account, *(int(buyer) for buyer in buyers)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        send(today, rng, holder, account, _STAKE, label, Purpose.invest, product=product)
        for part in np.array_split(buyers, 3):
            today = yield
            amounts = rng.integers(*_PARTS, len(part)) * 100 * p.YUAN
            send(today, rng, part, holder, amounts, label, product=product)
        today.finished.add(label)

    return script


def on_platform(plan: Plan) -> Play:
    product, account, holder = _private(plan)
    _, platform = plan.platform()
    seller = plan.cast.register.account(
        plan.party_of(holder), platform.bank, "client", 0, AccountRole.client, platform.institution_id
    )
    buyers = platform.sub[plan.clients(platform, 70)]
    label = plan.label((seller, holder, account))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        send(today, rng, holder, account, _STAKE, label, Purpose.invest, product=product)
        for part in np.array_split(buyers, 10):
            today = yield
            wish = rng.integers(20, 80, len(part)) * 100 * p.YUAN
            wish = np.minimum(wish, today.ledger.spendable[part] // (100 * p.YUAN) * 100 * p.YUAN)
            send(today, rng, part, seller, wish, label, channel=Channel.custody, product=product)
        today = yield
        send(today, rng, seller, holder, held(today, seller), label, Purpose.withdraw, channel=Channel.online)
        today.finished.add(label)

    return script


def wealth_firm(plan: Plan) -> Play:
    product, account, holder = _private(plan)
    front = firm(plan, "财富信息咨询", LEASING, 2_000)
    buyers = plan.rng.choice(plan.cast.people.card, 60, replace=False)
    label = plan.label((holder, front, account))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        send(today, rng, holder, account, _STAKE, label, Purpose.invest, product=product)
        today = yield from wait(today, rng, 2, 3)
        for number, part in enumerate(np.array_split(buyers, 6)):
            amounts = (2_000 * p.YUAN, 20_000 * p.YUAN)
            gather(today, rng, part, front, amounts, Purpose.transfer, Channel.transfer, label)
            today = yield from wait(today, rng, 1, 1)
            if number % 3 == 2:
                passed = held(today, front) * 95 // 100 // (100 * p.YUAN) * 100 * p.YUAN
                send(today, rng, front, holder, passed, label, product=product)
                today.proven.add(label)
                today = yield from wait(today, rng, 1, 1)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(openly, CLUMSY, also=("fan_in",)),
    Variant(on_platform, ORDINARY),
    Variant(wealth_firm, CAREFUL, days=28, also=("fan_in",)),
)
