"""Making those who honestly look like launderers: marketplaces, filed agents, regular payers, yearly savers,
firms of a group that serve each other, institutions that move their own money."""

from __future__ import annotations

from typing import Final

import numpy as np

from schemas.registry import AccountRole, FilingKind, InstitutionKind
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.cast import Company, PaymentInstitution, People, Platform
from simulator.markets import (
    Agent,
    Crowdfunding,
    Manager,
    Marketplace,
    OwnAccounts,
    Regular,
    Savings,
    Service,
    Settlement,
    Transit,
)
from simulator.register import LEASING, SOFTWARE, TRADE, Register
from simulator.streams import Ints, money, stream

EDUCATION: Final = "P"  # GB/T 4754 section
_MARKETS: Final = ("好街坊集市", "农家优选商城", "二手优品", "匠心手作")
_RECEIVERS: Final = ("律师事务所", "征信服务", "会计师事务所")


def settlements(
    register: Register,
    seed: int,
    platforms: tuple[Platform, ...],
    crowdfunding: tuple[Crowdfunding, ...],
) -> tuple[Settlement, ...]:
    """Every platform has filed its law firm, its credit bureau and its auditor."""
    rng = stream(seed, "settlements")
    made = []
    payers = [(platform.institution_id, platform.own) for platform in platforms]
    payers += [(platform.institution_id, platform.own) for platform in crowdfunding]
    for institution_id, payer in payers:
        receivers = []
        for trade in _RECEIVERS:
            party = register.company(f"{trade}{len(register.parties)}", LEASING)
            bank = register.banks[int(rng.integers(0, len(register.banks) - 1))]
            receivers.append(register.account(party, bank, "company", 100_000 * p.YUAN))
            register.file(institution_id, FilingKind.receiver, party_id=party)
        pattern = register.pattern("quarter_end_settlement", (payer,))
        made.append(Settlement(payer, tuple(receivers), pattern))
    return tuple(made)


def services(
    register: Register,
    platforms: tuple[Platform, ...],
    payment_institutions: tuple[PaymentInstitution, ...],
    managers: tuple[Manager, ...],
) -> tuple[Service, ...]:
    """In each group of licensed firms one serves another, as filed."""
    pairs = [
        (platform.institution_id, platform.own, firm.party, firm.filed_own)
        for platform, firm in list(zip(platforms, payment_institutions, strict=False))[: p.CONGLOMERATES]
    ]
    manager, trust = (
        next(house for house in managers if house.institution_id.startswith(kind))
        for kind in ("asset-management", "trust")
    )
    pairs.append((trust.institution_id, trust.own, manager.party, manager.own))
    made = []
    for institution_id, payer, provider_party, provider in pairs:
        register.file(
            institution_id,
            FilingKind.service,
            party_id=provider_party,
            cap_minor=m.SERVICE_CAP,
            period_days=30,
        )
        pattern = register.pattern("group_service_fee", (payer, provider))
        made.append(Service(payer, provider, pattern))
    return tuple(made)


def marketplaces(
    register: Register, seed: int, size: p.Size, payment_institutions: tuple[PaymentInstitution, ...]
) -> tuple[Marketplace, ...]:
    """Each settles through one payment institution, where its sellers have settlement accounts."""
    rng = stream(seed, "marketplaces")
    made = []
    for number in range(m.marketplaces(size)):
        firm = payment_institutions[number % len(payment_institutions)]

        def settlement(
            party: str,
            institution_id: str = firm.institution_id,
            bank: int = int(rng.integers(0, size.banks)),
        ) -> int:
            role = AccountRole.merchant_settlement
            return register.account(party, register.banks[bank], "merchant", 0, role, institution_id)

        party = register.company(f"{_MARKETS[number % len(_MARKETS)]}网络科技有限公司", SOFTWARE)
        commission = settlement(party)
        sellers = [settlement(register.company(f"集市商户{n}店", TRADE)) for n in range(25)]
        pattern = register.pattern("marketplace", (commission, firm.reserve))
        made.append(Marketplace(firm.reserve, commission, np.array(sellers, dtype=np.int64), pattern))
    return tuple(made)


def agents(
    register: Register, seed: int, size: p.Size, people: People, firms: tuple[Company, ...]
) -> tuple[Agent, ...]:
    """Payroll agents pay other firms' staff; letting agents pass tenants' rent on. Each has filed."""
    rng = stream(seed, "agents")
    made = []
    for number in range(m.agents(size)):
        staff = rng.choice(people.card, 40, replace=False)
        payers = np.array([firm.account for firm in firms], dtype=np.int64)
        payroll = _agent(register, rng, "人力资源服务", "labour_dispatch")
        made.append(
            Agent(
                payroll,
                rng.choice(payers, 8, replace=False),
                staff,
                money(rng, p.SALARY_MEDIAN * 0.6, 0.3, len(staff), 100),
                (8, 12)[number % 2],
                register.pattern("payroll_agent", (payroll,)),
            )
        )
        letting = _agent(register, rng, "房屋租赁服务", "letting_agency")
        both = rng.choice(people.card, 60, replace=False)
        made.append(
            Agent(
                letting,
                both[:30],
                both[30:],
                money(rng, p.RENT_MEDIAN, 0.3, 30, 50 * p.YUAN),
                (1, 3)[number % 2],
                register.pattern("filed_agent", (letting,)),
            )
        )
    return tuple(made)


def _agent(register: Register, rng: np.random.Generator, name: str, business: str) -> int:
    firm = register.institution(
        InstitutionKind.other, f"{name}{len(register.parties)}有限公司", "310000", business
    )
    register.file(firm.institution_id, FilingKind.agency)
    bank = register.banks[int(rng.integers(0, len(register.banks) - 1))]
    return register.account(
        firm.party_id, bank, "agent", 20_000 * p.YUAN, AccountRole.own, firm.institution_id
    )


def regular(
    register: Register, seed: int, size: p.Size, people: People, firms: tuple[Company, ...]
) -> tuple[Regular, ...]:
    """Allowances every month, friends who lend and give back, firms' equal instalments on machines."""
    rng = stream(seed, "regular payers")
    count = m.households(size)

    def payments(name: str, src: Ints, dst: Ints, amount: Ints, period: int, *, back: bool) -> Regular:
        pattern = [register.pattern(name, (int(a), int(b))) for a, b in zip(src, dst, strict=True)]
        phase = rng.integers(0, period, len(src))
        return Regular(src, dst, amount, period, phase, back, np.array(pattern, dtype=np.int64))

    cards = rng.choice(people.card, 4 * count, replace=False)
    givers, takers, lenders, friends = np.split(cards, 4)
    buyers = rng.choice([firm.account for firm in firms], min(count, len(firms)), replace=False)
    sellers = np.roll(buyers, 1)
    instalment = rng.integers(20, 50, len(buyers)) * 990 * p.YUAN
    return (
        payments(
            "periodical", givers, takers, money(rng, 800 * p.YUAN, 0.4, count, 100 * p.YUAN), 30, back=False
        ),
        payments(
            "mutual", lenders, friends, money(rng, 900 * p.YUAN, 0.5, count, 100 * p.YUAN), 28, back=True
        ),
        payments("equal_instalments", buyers, sellers, instalment, 15, back=False),
    )


def savings(register: Register, seed: int, size: p.Size, people: People, tax_office: int) -> Savings:
    """Accounts kept for a child's tuition, twice a year, or for a sole trader's yearly tax."""
    rng = stream(seed, "savings")
    count = m.households(size)
    schools = []
    for number in range(3):
        party = register.company(f"第{'一二三'[number]}实验学校", EDUCATION)
        bank = register.banks[int(rng.integers(0, len(register.banks) - 1))]
        schools.append(register.account(party, bank, "school", 100_000 * p.YUAN))
    person = rng.choice(len(people.card), count, replace=False)
    taxed = np.arange(count) % 2 == 1
    tuition, tax = ((low // p.YUAN, high // p.YUAN) for low, high in (m.TUITION, m.YEARLY_TAX))
    amount = np.where(taxed, rng.integers(*tax, count), rng.integers(*tuition, count)) * p.YUAN
    accounts = [
        register.account(
            people.party[who],
            register.banks[int(rng.integers(0, size.banks))],
            "savings",
            int(total) * 2,
        )
        for who, total in zip(person, amount, strict=True)
    ]
    month, day = np.where(taxed, 2 + np.arange(count) // 2 % 2, 2), np.where(taxed, 1, 12)
    return Savings(
        np.array(accounts, dtype=np.int64),
        people.card[person],
        np.where(taxed, tax_office, rng.choice(schools, count)),
        amount,
        month,
        day + rng.integers(0, 12, count),
        np.array(
            [
                register.pattern("yearly_tax" if yearly else "tuition", (account,))
                for account, yearly in zip(accounts, taxed.tolist(), strict=True)
            ],
            dtype=np.int64,
        ),
    )


def transits(register: Register, payment_institutions: tuple[PaymentInstitution, ...]) -> tuple[Transit, ...]:
    """Half the payment institutions take cash top-ups at a bank's counters."""
    made = []
    for firm in payment_institutions[1::2]:
        account = register.account(
            firm.party,
            register.banks[0],
            "reserve_collection",
            0,
            AccountRole.partner_reserve,
            firm.institution_id,
        )
        made.append(Transit(account, firm.reserve, register.pattern("clearing_transit", (account,))))
    return tuple(made)


def own_accounts(
    register: Register,
    platforms: tuple[Platform, ...],
    payment_institutions: tuple[PaymentInstitution, ...],
) -> tuple[OwnAccounts, ...]:
    """A second account for own money, at another bank."""
    firms = [(f.institution_id, f.party, f.filed_own) for f in payment_institutions]
    firms += [(platform.institution_id, platform.party, platform.own) for platform in platforms[:2]]
    made = []
    for institution_id, party, first in firms:
        banks = register.banks[:-1]
        bank = banks[(banks.index(register.accounts[first].bank) + 1) % len(banks)]
        role = register.accounts[first].role
        second = register.account(party, bank, "own_second", 0, role, institution_id)
        made.append(OwnAccounts(first, second, register.pattern("own_funds_moved", (first, second))))
    return tuple(made)


def importers(seed: int, firms: tuple[Company, ...]) -> Ints:
    """Firms that buy abroad."""
    rng = stream(seed, "importers")
    chosen: Ints = rng.choice([firm.account for firm in firms], len(firms) // 10, replace=False)
    return chosen
