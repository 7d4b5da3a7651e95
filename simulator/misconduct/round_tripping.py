"""资金回流: a platform's group sends money round and has it back, to look busier or richer than it is.

ring         clumsy: own account → two trading firms → own account within a day
turnover     two rounds a week apart through three firms, a little lost in each
fan_ring     the holding pays three firms, each by a firm of its own pays a sister company, which pays back
slow_ring    careful: four firms, days apart, in parts, a tenth kept, honest trade of theirs in between
"""

from __future__ import annotations

import numpy as np

from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.misconduct.case import (
    CAREFUL,
    CLUMSY,
    ORDINARY,
    Plan,
    Play,
    Variant,
    office_moment,
    pass_on,
    until,
    wait,
)
from simulator.register import LEASING, TRADE
from simulator.streams import shares
from simulator.today import Script


def _amount(rng: np.random.Generator) -> int:
    return int(rng.integers(80, 260)) * 1_000 * p.YUAN


def ring(plan: Plan) -> Play:
    _, platform = plan.platform()
    first, second = plan.company("贸易", TRADE), plan.company("商贸", TRADE)
    label = plan.label((platform.own, first, second))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        amount = _amount(rng)
        at = today.date.at(9)
        if not today.pay(platform.own, first, amount, at, Purpose.transfer, pattern=label)[0]:
            return
        at = pass_on(today, rng, first, second, amount, at, label)
        pass_on(today, rng, second, platform.own, amount, at, label)
        today.finished.add(label)

    return script


def turnover(plan: Plan) -> Play:
    _, platform = plan.platform()
    firms = [plan.company("供应链", TRADE) for _ in range(3)]
    source = platform.group.affiliate[1]
    label = plan.label((source, *firms))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for turn in range(2):
            amount = _amount(rng)
            for src, dst in zip((source, *firms), (*firms, source), strict=True):
                today.pay(src, dst, amount, office_moment(today, rng), Purpose.purchase, pattern=label)
                amount = int(amount * rng.uniform(0.985, 0.998))
                if dst != source:
                    today = yield
            today.proven.add(label)
            if turn == 0:
                today = yield from wait(today, rng, 3, 6)
        today.finished.add(label)

    return script


def fan_ring(plan: Plan) -> Play:
    _, platform = plan.platform()
    source, last = platform.group.holding[1], platform.group.affiliate[1]
    outer = [plan.company("建材", TRADE) for _ in range(3)]
    inner = [plan.company("物资", TRADE) for _ in range(3)]
    label = plan.label((source, *outer, *inner, last))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        parts = shares(rng, _amount(rng), len(outer), p.YUAN)
        for payers, payees in (([source] * 3, outer), (outer, inner), (inner, [last] * 3)):
            for src, dst, part in zip(payers, payees, parts.tolist(), strict=True):
                today.pay(src, dst, part, office_moment(today, rng), Purpose.purchase, pattern=label)
            today = yield from wait(today, rng, 1, 2)
            if payees is not outer:
                parts = (parts * rng.uniform(0.96, 0.99, len(parts))).astype(np.int64)
        home = int(parts.sum())
        today.pay(last, source, home, office_moment(today, rng), Purpose.transfer, pattern=label)
        today.finished.add(label)

    return script


def slow_ring(plan: Plan) -> Play:
    _, platform = plan.platform()
    source = platform.group.family[1]
    firms = [plan.company(name, LEASING) for name in ("设计", "会展", "物流", "咨询服务")]
    partners = plan.firms(4)
    label = plan.label((source, *firms))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        amount = int(rng.integers(50, 95)) * 1_000 * p.YUAN
        for number, (src, dst) in enumerate(zip((source, *firms), (*firms, source), strict=True)):
            part = int(amount * rng.uniform(0.4, 0.6))
            today.pay(src, dst, part, office_moment(today, rng), Purpose.purchase, pattern=label)
            today = yield
            today.pay(src, dst, amount - part, office_moment(today, rng), Purpose.purchase, pattern=label)
            if number < len(firms):
                trade = int(rng.integers(3, 12)) * 1_000 * p.YUAN
                today.pay(int(partners[number]), dst, trade, office_moment(today, rng), Purpose.purchase)
                today = yield from wait(today, rng, 1, 2)
                cost = int(rng.integers(1, 3)) * 1_000 * p.YUAN
                today.pay(dst, int(partners[-number]), cost, office_moment(today, rng), Purpose.purchase)
                amount = int(amount * rng.uniform(0.965, 0.985))
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(ring, CLUMSY, days=1),
    Variant(turnover, ORDINARY, days=17),
    Variant(fan_ring, ORDINARY, days=12),
    Variant(slow_ring, CAREFUL, days=26),
)
