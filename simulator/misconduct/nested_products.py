"""多层嵌套: products buy products, so that two or more layers lie between investors and the asset, unfiled.

straight    clumsy: three products of one manager, the whole sum passed on within two days
two_houses  a trust buys a manager's product, which buys another; days between, fees kept
branches    careful: two branches that meet in the last layer, odd parts, and one layer's account unregistered
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from schemas.registry import ProductKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.flows import NONE
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import firm, held, managers, onward, people, send, vehicle
from simulator.register import BUILDING, FINANCE
from simulator.streams import shares
from simulator.today import Script


def _chain(plan: Plan, houses: tuple[str, ...], asset: int) -> tuple[tuple[int, int], ...]:
    """A product of each house, each the parent of the one before; in the order in which money passes."""
    made: list[tuple[int, int]] = []
    for depth, house in enumerate(reversed(houses)):
        kind = ProductKind.private if depth == len(houses) - 1 else ProductKind.vehicle
        parent = made[-1][0] if made else None
        made.append(vehicle(plan, house, asset, kind=kind, parent=parent))
    return tuple(reversed(made))


def straight(plan: Plan) -> Play:
    house = managers(plan)[0].institution_id
    asset = firm(plan, "置地建设", BUILDING, 200_000)
    layers = _chain(plan, (house,) * 3, asset)
    investors = people(plan, 8, 1_500_000, 3_000_000, qualified=True)
    label = plan.label((*(account for _, account in layers), asset))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        product, first = layers[0]
        amounts = rng.integers(10, 15, len(investors)) * 100_000 * p.YUAN
        send(today, rng, investors, first, amounts, label, Purpose.invest, product=product)
        today = yield
        total = held(today, first)
        at = send(today, rng, first, layers[1][1], total, label, Purpose.invest, product=layers[1][0])
        at = onward(
            today, rng, layers[1][1], layers[2][1], total, at, label, Purpose.invest, product=layers[2][0]
        )
        onward(today, rng, layers[2][1], asset, total, at, label, Purpose.disburse, product=layers[2][0])
        today.finished.add(label)

    return script


def two_houses(plan: Plan) -> Play:
    first, *others = (house.institution_id for house in managers(plan))
    asset = firm(plan, "文旅开发", BUILDING, 200_000)
    layers = _chain(plan, (first, (others or [first])[0], first), asset)
    investors = people(plan, 12, 1_500_000, 3_000_000, qualified=True)
    label = plan.label((*(account for _, account in layers), asset))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for part in np.array_split(investors, 3):
            amounts = rng.integers(10, 15, len(part)) * 100_000 * p.YUAN
            send(today, rng, part, layers[0][1], amounts, label, Purpose.invest, product=layers[0][0])
            today = yield
        for (_, source), (product, target) in pairwise(layers):
            passed = held(today, source) * int(rng.integers(975, 995)) // 1_000
            send(today, rng, source, target, passed, label, Purpose.invest, product=product)
            today = yield from wait(today, rng, 1, 3)
        product, last = layers[-1]
        passed = held(today, last) * 985 // 1_000
        send(today, rng, last, asset, passed, label, Purpose.disburse, product=product)
        today.finished.add(label)

    return script


def branches(plan: Plan) -> Play:
    house = managers(plan)[0].institution_id
    asset = firm(plan, "产业园建设", BUILDING, 200_000)
    last = vehicle(plan, house, asset, kind=ProductKind.vehicle)
    tops = tuple(vehicle(plan, house, asset, parent=last[0]) for _ in range(2))
    party = plan.cast.register.company(f"合伙企业{len(plan.cast.register.parties)}", FINANCE)
    hidden = plan.cast.register.account(party, plan.bank(), "company", 0, None)
    investors = people(plan, 16, 1_500_000, 3_000_000, qualified=True)
    label = plan.label((*(account for _, account in tops), hidden, last[1], asset))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for part in np.array_split(investors, 4):
            for half, (product, account) in zip(np.array_split(part, 2), tops, strict=True):
                amounts = rng.integers(100, 180, len(half)) * 10_000 * p.YUAN
                send(today, rng, half, account, amounts, label, Purpose.invest, product=product)
            today = yield from wait(today, rng, 1, 1)
        for number, (_, account) in enumerate(tops):
            total = held(today, account) * int(rng.integers(900, 980)) // 1_000
            parts = shares(rng, total, 3, 1_000 * p.YUAN)
            target, product = (hidden, NONE) if number else (last[1], last[0])
            send(today, rng, account, target, parts, label, Purpose.invest, product=product)
            today = yield from wait(today, rng, 1, 2)
        parts = shares(rng, held(today, hidden) * 96 // 100, 2, 1_000 * p.YUAN)
        send(today, rng, hidden, last[1], parts, label, Purpose.invest, product=last[0])
        today = yield from wait(today, rng, 1, 2)
        parts = shares(rng, held(today, last[1]) * 97 // 100, 3, 1_000 * p.YUAN)
        send(today, rng, last[1], asset, parts, label, Purpose.disburse, product=last[0])
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(straight, CLUMSY),
    Variant(two_houses, ORDINARY, days=22),
    Variant(branches, CAREFUL, days=30),
)
