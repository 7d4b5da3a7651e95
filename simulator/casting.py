"""Making the cast: people, companies, shops and those whom everybody pays."""

from __future__ import annotations

from typing import Final

import numpy as np

from schemas.registry import AccountRole, PartyKind
from simulator import parameters as p
from simulator.cast import Cast, Company, Payee, People, Shop
from simulator.casting_habits import cast_habits
from simulator.casting_markets import cast_markets
from simulator.flows import NONE
from simulator.institutions import lenders, payment_institutions, platforms
from simulator.register import (
    BUILDING,
    CATERING,
    FINANCE,
    GOVERNMENT,
    LEASING,
    MAKING,
    PROPERTY,
    SOFTWARE,
    TRADE,
    UTILITY,
    Register,
)
from simulator.streams import money, stream

CENTRAL_BANK: Final = "pbc"
_BRAND: Final = "恒瑞信达嘉和隆盛鼎鑫宏泰远景博雅天合正源明德安康卓越凯丰"
_TRADES: Final = ((TRADE, "商贸"), (CATERING, "餐饮"), (TRADE, "超市"), (TRADE, "百货"))
_INDUSTRIES: Final = ((MAKING, "制造"), (SOFTWARE, "科技"), (BUILDING, "建设"), (LEASING, "商务服务"))


def brand(rng: np.random.Generator) -> str:
    return "".join(_BRAND[i] for i in rng.integers(0, len(_BRAND), 3))


def cast_world(seed: int, size: p.Size, start_us: int, days: int) -> Cast:
    """Accounts and parties do not depend on how long the world lasts; products may."""
    register = Register((*(f"bank-{n:02d}" for n in range(1, size.banks + 1)), CENTRAL_BANK))
    companies = _companies(register, stream(seed, "companies"), size)
    landlords = _landlords(register, stream(seed, "landlords"), size)
    people = _people(register, stream(seed, "people"), size, companies)
    shops = _shops(register, stream(seed, "shops"), size)
    firms = _firms(register, stream(seed, "firms"), size)
    tax_office = _payee(register, "税务局", GOVERNMENT, "tax_office", "utilities_tax")
    lending = platforms(register, seed, size, people)
    paying = payment_institutions(register, seed, size, people, shops, lending)
    return Cast(
        register=register,
        people=people,
        companies=companies,
        firms=firms,
        shops=shops,
        landlords=landlords,
        utilities=tuple(
            _payee(register, f"{name}有限公司", UTILITY, "utility", "utilities_tax")
            for name in ("城市供电", "城市供水", "城市燃气")
        ),
        tax_office=tax_office,
        developers=_developers(register, stream(seed, "developers"), size),
        brokers=_brokers(register, stream(seed, "brokers"), size),
        platforms=lending,
        payment_institutions=paying,
        lenders=lenders(register, size),
        materials=_payee(register, "建材市场有限公司", TRADE, "shop", "building_material_loan"),
        missing_purpose=register.pattern("missing_purpose", ()),
        correction=register.pattern("correction", ()),
        habits=cast_habits(register, seed, people, firms, lending),
        markets=cast_markets(
            register,
            seed,
            size,
            start_us,
            days,
            people=people,
            firms=firms,
            tax_office=tax_office,
            platforms=lending,
            payment_institutions=paying,
        ),
    )


def _bank(register: Register, rng: np.random.Generator) -> str:
    return register.banks[int(rng.integers(0, len(register.banks) - 1))]


def _payee(
    register: Register,
    name: str,
    industry: str,
    kind: str,
    pattern: str,
    role: AccountRole = AccountRole.external,
    bank: str | None = None,
) -> Payee:
    party = register.company(name, industry)
    account = register.account(party, bank or register.banks[0], kind, 50_000 * p.YUAN, role)
    return Payee(party, account, register.pattern(pattern, (account,)))


def _companies(register: Register, rng: np.random.Generator, size: p.Size) -> tuple[Company, ...]:
    staff = size.persons // size.employers
    made = []
    for _ in range(size.employers):
        opening = int(staff * p.SALARY_MEDIAN * rng.uniform(2.0, 3.0))
        party, account = _company(register, rng, opening)
        payday = int(rng.choice([5, 10, 15, 25, 28]))
        made.append(Company(party, account, payday, register.pattern("payroll", (account,))))
    return tuple(made)


def _firms(register: Register, rng: np.random.Generator, size: p.Size) -> tuple[Company, ...]:
    return tuple(
        Company(
            *_company(register, rng, int(rng.integers(100_000, 900_000)) * p.YUAN), payday=0, pattern=NONE
        )
        for _ in range(size.firms)
    )


def _company(register: Register, rng: np.random.Generator, opening: int) -> tuple[str, int]:
    industry, suffix = _INDUSTRIES[int(rng.integers(0, len(_INDUSTRIES)))]
    party = register.company(f"{brand(rng)}{suffix}有限公司", industry)
    return party, register.account(party, _bank(register, rng), "company", opening)


def _landlords(register: Register, rng: np.random.Generator, size: p.Size) -> tuple[Payee, ...]:
    return tuple(
        _payee(
            register, f"{brand(rng)}公寓管理有限公司", PROPERTY, "landlord", "rent", bank=_bank(register, rng)
        )
        for _ in range(size.landlords)
    )


def _developers(register: Register, rng: np.random.Generator, size: p.Size) -> tuple[Payee, ...]:
    role = AccountRole.property_developer
    return tuple(
        _payee(
            register,
            f"{brand(rng)}房地产开发有限公司",
            PROPERTY,
            "developer",
            "home_purchase",
            role,
            _bank(register, rng),
        )
        for _ in range(size.developers)
    )


def _brokers(register: Register, rng: np.random.Generator, size: p.Size) -> tuple[Payee, ...]:
    role = AccountRole.securities_margin
    return tuple(
        _payee(
            register,
            f"{brand(rng)}证券有限公司",
            FINANCE,
            "broker",
            "broker_deposit",
            role,
            _bank(register, rng),
        )
        for _ in range(size.brokers)
    )


def _people(
    register: Register, rng: np.random.Generator, size: p.Size, companies: tuple[Company, ...]
) -> People:
    n = size.persons
    weights = rng.pareto(1.5, len(companies)) + 0.5
    joined = rng.integers(1, 365, n)
    joined[rng.random(n) < p.ACTIVE_AT_START] = 0
    cards = money(rng, p.CARD_OPENING_MEDIAN, 0.8, n)
    banks = rng.integers(0, size.banks, n)
    party = tuple(register.party(PartyKind.person) for _ in range(n))
    unregistered = rng.spawn(1)[0].random(n) < p.UNREGISTERED
    card = [
        register.account(
            party[i],
            register.banks[banks[i]],
            "person",
            int(cards[i]),
            None if unregistered[i] else AccountRole.external,
        )
        for i in range(n)
    ]
    tenant = rng.random(n) < p.RENTING
    return People(
        party=party,
        card=np.array(card, dtype=np.int64),
        employer=rng.choice(len(companies), size=n, p=weights / weights.sum()),
        salary=money(rng, p.SALARY_MEDIAN, p.SALARY_SIGMA, n, 100 * p.YUAN),
        active_from=joined,
        landlord=np.where(tenant, rng.integers(0, size.landlords, n), NONE),
        rent=money(rng, p.RENT_MEDIAN, 0.35, n, 50 * p.YUAN),
        rent_day=rng.integers(1, 29, n),
    )


def _shops(register: Register, rng: np.random.Generator, size: p.Size) -> tuple[Shop, ...]:
    made = []
    for rank in range(1, size.shops + 1):
        industry, suffix = _TRADES[int(rng.integers(0, len(_TRADES)))]
        party = register.company(f"{brand(rng)}{suffix}有限公司", industry)
        account = register.account(
            party, _bank(register, rng), "shop", int(rng.integers(5_000, 90_000)) * p.YUAN
        )
        made.append(Shop(account, party, rank**-0.8, register.pattern("shop", (account,))))
    return tuple(made)
