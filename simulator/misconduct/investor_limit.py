"""拆分突破人数: a private product has more final investors than its form allows: 50 for a partnership or
company, 200 for a contract, seen through what it is split into.

too_many     clumsy: one partnership with more than sixty investors
twins        two contract products of the same asset, each below the limit, together above it
nominees     careful: six partners each pay in for ten others, who paid them the days before
feeders      careful: four partnerships of twenty buy into one, which the filing does not know
"""

from __future__ import annotations

import numpy as np

from schemas.registry import LegalForm
from schemas.transaction import Purpose
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import firm, held, managers, people, send, vehicle
from simulator.register import BUILDING
from simulator.streams import Ints
from simulator.today import Script

_RAISE_DAYS = 6


def _asset(plan: Plan) -> int:
    return firm(plan, "城市更新建设", BUILDING, 200_000)


def _stake(rng: np.random.Generator, count: int) -> Ints:
    return m.LEAST_SUBSCRIPTION + rng.integers(0, 3, count) * 100_000 * p.YUAN


def _offered(
    plan: Plan,
    groups: tuple[Ints, ...],
    vehicles: tuple[tuple[int, int], ...],
    asset: int,
    master: tuple[int, int] | None = None,
) -> Play:
    """Each group pays its vehicle over some days; all of it goes to the asset, or first to the master."""
    stops = (*vehicles, *((master,) if master else ()))
    label = plan.label((*(account for _, account in stops), asset))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for turn in range(_RAISE_DAYS):
            for group, (product, account) in zip(groups, vehicles, strict=True):
                payers = group[turn::_RAISE_DAYS]
                stakes = _stake(rng, len(payers))
                send(today, rng, payers, account, stakes, label, Purpose.invest, product=product)
            today = yield
        today.proven.add(label)
        for product, account in vehicles:
            goal, to, purpose = (product, asset, Purpose.disburse)
            if master:
                goal, to, purpose = (master[0], master[1], Purpose.invest)
            send(today, rng, account, to, held(today, account), label, purpose, product=goal)
        if master:
            today = yield from wait(today, rng, 1, 2)
            whole = held(today, master[1])
            send(today, rng, master[1], asset, whole, label, Purpose.disburse, product=master[0])
        today.finished.add(label)

    return script


def _rich(plan: Plan, count: int) -> Ints:
    return people(plan, count, 1_500_000, 4_000_000, qualified=True)


def too_many(plan: Plan) -> Play:
    house, asset = managers(plan)[0], _asset(plan)
    only = vehicle(plan, house.institution_id, asset, form=LegalForm.partnership)
    return _offered(plan, (_rich(plan, 64),), (only,), asset)


def twins(plan: Plan) -> Play:
    house, asset = managers(plan)[0], _asset(plan)
    pair = tuple(vehicle(plan, house.institution_id, asset) for _ in range(2))
    return _offered(plan, (_rich(plan, 122), _rich(plan, 108)), pair, asset)


def feeders(plan: Plan) -> Play:
    house, asset = managers(plan)[0], _asset(plan)
    form = LegalForm.partnership
    master = vehicle(plan, house.institution_id, asset, form=form)
    parts = tuple(vehicle(plan, house.institution_id, asset, form=form, parent=master[0]) for _ in range(4))
    return _offered(plan, tuple(_rich(plan, 20) for _ in parts), parts, asset, master)


def nominees(plan: Plan) -> Play:
    house, asset = managers(plan)[0], _asset(plan)
    product, account = vehicle(plan, house.institution_id, asset, form=LegalForm.partnership)
    partners = people(plan, 6, 50_000, 90_000, qualified=True)
    behind = people(plan, 60, 200_000, 400_000)
    label = plan.label((account, *(int(partner) for partner in partners), asset))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for part in np.array_split(np.arange(len(behind)), 4):
            amounts = rng.integers(120, 180, len(part)) * 1_000 * p.YUAN
            send(today, rng, behind[part], partners[part % len(partners)], amounts, label)
            today = yield
        today = yield from wait(today, rng, 1, 2)
        sums = today.ledger.spendable[partners] // m.LEAST_SUBSCRIPTION * m.LEAST_SUBSCRIPTION
        send(today, rng, partners, account, sums, label, Purpose.invest, product=product)
        today = yield from wait(today, rng, 1, 2)
        send(today, rng, account, asset, held(today, account), label, Purpose.disburse, product=product)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(too_many, CLUMSY),
    Variant(twins, ORDINARY),
    Variant(nominees, CAREFUL, also=("fan_in",)),
    Variant(feeders, CAREFUL, also=("nested_products",)),
)
