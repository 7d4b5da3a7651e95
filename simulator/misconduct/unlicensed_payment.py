"""无证支付、二清: a firm without a licence takes many buyers' money and settles it to sellers, less a fee.

app          clumsy: one account, sellers settled the next day, the same fee for all
big_merchant two accounts: one takes the money as if it sold, the other settles two days later
qr_codes     careful: three employees' codes take it, a company settles, the fee varies a little
"""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.dates import SHOPPING
from simulator.flows import Channel
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until
from simulator.misconduct.means import firm, held, people, send
from simulator.register import SOFTWARE, TRADE
from simulator.streams import Ints
from simulator.today import Script, Today

_DAYS = 6


def _take(
    today: Today, rng: np.random.Generator, collectors: Ints, sellers: int, label: int, orders: int = 40
) -> Ints:
    """A day's orders, paid by anybody. Returns what each seller sold."""
    cards = today.cast.people.card
    amount = rng.integers(3, 90, orders) * 10 * p.YUAN + rng.integers(0, 100, orders)
    seller = rng.integers(0, sellers, orders)
    paid = today.pay(
        rng.choice(cards, orders),
        rng.choice(collectors, orders),
        amount,
        today.date.moments(rng, SHOPPING, orders),
        Purpose.purchase,
        channel=Channel.online,
        pattern=label,
    )
    return np.bincount(seller[paid], weights=amount[paid], minlength=sellers).astype(np.int64)


def _sellers(plan: Plan, count: int) -> Ints:
    return np.array([firm(plan, "商户", TRADE, 2_000) for _ in range(count)], dtype=np.int64)


def app(plan: Plan) -> Play:
    collector = firm(plan, "聚合科技", SOFTWARE, 2_000)
    sellers = _sellers(plan, 9)
    label = plan.label((collector, *(int(a) for a in sellers)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for day in range(_DAYS):
            sold = _take(today, rng, np.array([collector]), len(sellers), label)
            today = yield
            send(today, rng, collector, sellers, sold * 9_940 // 10_000, label)
            if day == 2:
                today.proven.add(label)
        today.finished.add(label)

    return script


def big_merchant(plan: Plan) -> Play:
    front, settler = firm(plan, "百货", TRADE, 2_000), firm(plan, "信息技术", SOFTWARE, 2_000)
    sellers = _sellers(plan, 12)
    label = plan.label((front, settler, *(int(a) for a in sellers)))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        waiting: list[Ints] = []
        for day in range(_DAYS + 2):
            if day >= 2:
                send(today, rng, settler, sellers, waiting.pop(0) * 9_920 // 10_000, label, Purpose.purchase)
            send(today, rng, front, settler, held(today, front) * 99 // 100, label)
            if day < _DAYS:
                waiting.append(_take(today, rng, np.array([front]), len(sellers), label))
            today = yield
        today.finished.add(label)

    return script


def qr_codes(plan: Plan) -> Play:
    hands = people(plan, 3, 500, 3_000)
    settler = firm(plan, "企业服务", SOFTWARE, 8_000)
    sellers = _sellers(plan, 14)
    label = plan.label((settler, *(int(a) for a in (*hands, *sellers))))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        waiting: list[Ints] = []
        for day in range(2 * _DAYS + 3):
            send(today, rng, hands, settler, today.ledger.spendable[hands] * 97 // 100, label)
            if day >= 5 and day % 3 == 2:
                due, waiting = sum(waiting[:3], np.zeros(len(sellers))), waiting[3:]
                net = (due * rng.uniform(0.988, 0.993, len(sellers))).astype(np.int64)
                send(today, rng, settler, sellers, net, label, Purpose.purchase)
            if day < 2 * _DAYS:
                waiting.append(_take(today, rng, hands, len(sellers), label, orders=25))
            today = yield
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(app, CLUMSY, also=("gather_scatter",)),
    Variant(big_merchant, ORDINARY),
    Variant(qr_codes, CAREFUL),
)
