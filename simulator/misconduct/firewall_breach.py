"""关联交易、防火墙: money between licensed firms of one group beyond what was filed.

lump         clumsy: one transfer many times the filed cap
creeping     service fees every few days, each below the cap, together above it
by_affiliate careful: a company of the group carries it from one to the other, in parts, as purchases
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from schemas.registry import AccountRole, FilingKind, InstitutionKind, RelationKind
from schemas.transaction import Purpose
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.misconduct.case import CAREFUL, CLUMSY, ORDINARY, Plan, Play, Variant, until, wait
from simulator.misconduct.means import firm, held, send
from simulator.register import LEASING
from simulator.streams import shares
from simulator.today import Script


class _Pair(NamedTuple):
    """Own accounts of two licensed firms of one group; a monthly service of `payer` is filed."""

    payer: int
    provider: int


def _pair(plan: Plan) -> _Pair:
    register = plan.cast.register
    holding = register.company(f"控股{len(register.parties)}有限公司", LEASING)
    group = f"group-{holding}"
    firms, accounts = [], []
    for kind in (InstitutionKind.trust, InstitutionKind.asset_management):
        name = f"{'信托' if kind is InstitutionKind.trust else '资产管理'}{len(register.parties)}有限公司"
        licensed = register.institution(kind, name, "310000", kind.value, group=group)
        register.holds(holding, licensed.party_id, 8_000)
        firms.append(licensed)
        accounts.append(
            register.account(
                licensed.party_id,
                plan.bank(),
                "manager_own",
                6_000_000 * p.YUAN,
                AccountRole.own,
                licensed.institution_id,
            )
        )
    register.file(
        firms[0].institution_id,
        FilingKind.service,
        party_id=firms[1].party_id,
        cap_minor=m.SERVICE_CAP,
        period_days=30,
    )
    return _Pair(*accounts)


def lump(plan: Plan) -> Play:
    pair = _pair(plan)
    label = plan.label((pair.payer, pair.provider))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        amount = int(rng.integers(5, 9)) * m.SERVICE_CAP
        send(today, rng, pair.payer, pair.provider, amount, label)
        today.finished.add(label)

    return script


def creeping(plan: Plan) -> Play:
    pair = _pair(plan)
    label = plan.label((pair.payer, pair.provider))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        paid = 0
        for _ in range(5):
            fee = int(rng.integers(90, 130)) * 1_000 * p.YUAN
            send(today, rng, pair.payer, pair.provider, fee, label, Purpose.purchase)
            paid += fee
            if paid > m.SERVICE_CAP:
                today.proven.add(label)
            today = yield from wait(today, rng, 1, 3)
        today.finished.add(label)

    return script


def by_affiliate(plan: Plan) -> Play:
    pair = _pair(plan)
    carrier = firm(plan, "集团商务", LEASING, 5_000)
    for account in (pair.payer, pair.provider):
        plan.cast.register.ties(plan.party_of(carrier), plan.party_of(account), RelationKind.affiliate)
    label = plan.label((pair.payer, carrier, pair.provider))

    def script(rng: np.random.Generator) -> Script:
        today = yield from until((yield), plan.day)
        for _ in range(3):
            total = int(rng.integers(20, 30)) * 10_000 * p.YUAN
            send(
                today, rng, pair.payer, carrier, shares(rng, total, 2, 100 * p.YUAN), label, Purpose.purchase
            )
            today = yield from wait(today, rng, 1, 2)
            passed = shares(rng, held(today, carrier) * 97 // 100, 2, 100 * p.YUAN)
            send(today, rng, carrier, pair.provider, passed, label, Purpose.purchase)
            today = yield from wait(today, rng, 1, 1)
        today.finished.add(label)

    return script


VARIANTS = (
    Variant(lump, CLUMSY, days=2),
    Variant(creeping, ORDINARY, days=22),
    Variant(by_affiliate, CAREFUL, days=24),
)
