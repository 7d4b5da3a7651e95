"""Making crowdfunding platforms, the companies that raise money on them, and those companies' founders."""

from __future__ import annotations

from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from schemas.instant import DAY, HOUR
from schemas.registry import AccountRole, InstitutionKind, PartyKind, Product, ProductKind
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.cast import People
from simulator.dates import Date
from simulator.markets import Crowdfunding, Project
from simulator.register import CATERING, MAKING, SOFTWARE, Register
from simulator.streams import money, stream

_NAMES: Final = ("众投邦", "梦想汇", "创客营", "星河众筹", "聚股网", "乐投会", "新芽众筹", "远行众筹")
_COMPANIES: Final = ((CATERING, "餐饮管理"), (SOFTWARE, "智能科技"), (MAKING, "文创"), (CATERING, "民宿"))
_POOL: Final = 12  # companies of one platform; each may raise again


class _Company(NamedTuple):
    account: int
    party: str
    founder: int
    dividend: int
    founders_share: int


def crowdfunding_platforms(
    register: Register, seed: int, size: p.Size, people: People, start_us: int, days: int
) -> tuple[Crowdfunding, ...]:
    rng = stream(seed, "crowdfunding")
    count = m.crowdfunding_platforms(size)
    member = rng.integers(0, count, len(people.card))
    member[rng.random(len(member)) >= m.BACKERS] = -1
    return tuple(
        _platform(
            register, seed, rng, number, np.flatnonzero(member == number).tolist(), people, start_us, days
        )
        for number in range(count)
    )


def _platform(
    register: Register,
    seed: int,
    rng: np.random.Generator,
    number: int,
    clients: list[int],
    people: People,
    start_us: int,
    days: int,
) -> Crowdfunding:
    bank = register.banks[(number + 1) % (len(register.banks) - 1)]
    firm = register.institution(
        InstitutionKind.equity_crowdfunding,
        _NAMES[number % len(_NAMES)],
        "110000",
        "equity_crowdfunding",
        m.CROWDFUNDING_FEE_BP,
    )

    def account(kind: str, opening: int, role: AccountRole, party: str = firm.party_id) -> int:
        return register.account(party, bank, kind, opening, role, firm.institution_id)

    custody = account("custody_main", 0, AccountRole.custody)
    own = account("platform_own", 2_000_000 * p.YUAN, AccountRole.own)
    fee = account("platform_fee", 10_000 * p.YUAN, AccountRole.fee)
    openings = money(rng, m.BACKER_OPENING, 0.7, len(clients))
    sub = [
        account("client", int(opening), AccountRole.client, people.party[person])
        for person, opening in zip(clients, openings, strict=True)
    ]
    companies = []
    for _ in range(_POOL):
        industry, suffix = _COMPANIES[int(rng.integers(0, len(_COMPANIES)))]
        party = register.company(f"{firm.name}{suffix}{len(register.parties)}有限公司", industry)
        founder = register.party(PartyKind.person)
        register.holds(founder, party, int(rng.integers(4_000, 9_001)))
        purse = account("client", 400_000 * p.YUAN, AccountRole.client, founder)
        business = register.account(party, bank, "company", int(rng.integers(60_000, 300_000)) * p.YUAN)
        companies.append(
            _Company(
                business,
                party,
                purse,
                register.pattern("varying_dividend", (business,)),
                register.pattern("founders_share", (purse,)),
            )
        )
    return Crowdfunding(
        institution_id=firm.institution_id,
        party=firm.party_id,
        bank=bank,
        custody=custody,
        own=own,
        fee=fee,
        rogue=number % 2 == 0,
        clients=np.array(clients, dtype=np.int64),
        sub=np.array(sub, dtype=np.int64),
        companies=np.array([company.account for company in companies], dtype=np.int64),
        projects=_projects(register, seed, firm.institution_id, companies, start_us, days),
        custody_pattern=register.pattern("custody_main", (custody,)),
        fee_pattern=register.pattern("fee_account", (fee,)),
    )


def _projects(
    register: Register,
    seed: int,
    institution_id: str,
    companies: list[_Company],
    start_us: int,
    days: int,
) -> tuple[Project, ...]:
    """Those already running, then one every some days, its company in turn."""
    rng = stream(seed, "projects", institution_id)
    running = range(-m.RAISE_EVERY_DAYS * m.RUNNING_PROJECTS, 0, m.RAISE_EVERY_DAYS)
    made = []
    for turn, opens in enumerate(chain(running, range(2, days, m.RAISE_EVERY_DAYS))):
        company = companies[turn % len(companies)]
        target = int(rng.integers(*m.PROJECT_TARGET)) // (1_000 * p.YUAN) * 1_000 * p.YUAN
        issued_us = Date(opens, start_us).at(10)
        product = register.product(
            Product(
                product_id=f"{institution_id}-{Date(opens, start_us).civil:%Y%m%d}-{turn + 1:03d}",
                institution_id=institution_id,
                borrower_party_id=company.party,
                principal_minor=target,
                issued_at=issued_us,
                due_at=issued_us + 3 * 365 * DAY,
                product_kind=ProductKind.project,
                valid_from=issued_us - HOUR,
            )
        )
        made.append(
            Project(
                product,
                company.account,
                company.founder,
                target,
                opens,
                company.dividend,
                company.founders_share,
            )
        )
    return tuple(made)
