"""Making the supervised institutions: platforms, payment institutions, lenders, and their groups."""

from __future__ import annotations

from typing import Final

import numpy as np

from schemas.registry import AccountRole, FilingKind, Institution, InstitutionKind, PartyKind, RelationKind
from simulator import parameters as p
from simulator.cast import (
    Group,
    Lender,
    PaymentInstitution,
    PaymentPatterns,
    People,
    Platform,
    PlatformPatterns,
    Shop,
)
from simulator.flows import NONE
from simulator.register import FINANCE, LEASING, SOFTWARE, Register
from simulator.streams import Ints, money, stream

_REGIONS: Final = ("110000", "310000", "330100", "370200", "440300", "510100")
_P2P: Final = ("合众贷", "星火金服", "易安贷", "蓝海财富", "万家贷", "信通宝", "金桥贷", "九州金融")
_PAY: Final = ("通汇支付", "畅付", "联信宝支付", "云达支付", "捷银支付", "汇联支付")


def _group(register: Register, rng: np.random.Generator, institution: Institution, bank: str) -> Group:
    """Holding, controller, director and their companies. Shares are those of a closely held group."""

    def company(name: str, industry: str, opening: int) -> tuple[str, int]:
        party = register.company(f"{institution.name}{name}有限公司", industry)
        return party, register.account(party, bank, "company", opening * p.YUAN)

    def person() -> tuple[str, int]:
        party = register.party(PartyKind.person)
        return party, register.account(party, bank, "person", int(rng.integers(20_000, 300_000)) * p.YUAN)

    group = Group(
        holding=company("控股", LEASING, 900_000),
        controller=person(),
        director=person(),
        supplier=company("信息服务", SOFTWARE, 200_000),
        affiliate=company("实业", LEASING, 300_000),
        family=company("咨询", LEASING, 100_000),
    )
    firm = institution.party_id
    register.holds(group.holding[0], firm, int(rng.integers(5_500, 9_001)))
    register.holds(group.holding[0], group.affiliate[0], int(rng.integers(5_000, 8_001)))
    register.holds(group.controller[0], group.holding[0], int(rng.integers(6_000, 9_501)))
    register.holds(group.controller[0], group.family[0], int(rng.integers(4_500, 9_001)))
    register.ties(group.controller[0], firm, RelationKind.controller)
    register.ties(group.director[0], firm, RelationKind.director)
    register.ties(group.supplier[0], firm, RelationKind.affiliate)
    return group


def _rogue(number: int) -> bool:
    """Every other institution misbehaves, so that each has an honest twin."""
    return number % 2 == 0


def _conglomerate(number: int) -> str | None:
    """The first platforms and payment institutions belong, by pairs, to one group each."""
    return f"group-{number + 1:02d}" if number < p.CONGLOMERATES else None


def platforms(register: Register, seed: int, size: p.Size, people: People) -> tuple[Platform, ...]:
    rng = stream(seed, "platforms")
    members = _members(rng, len(people.card), size.platforms)
    return tuple(
        found_platform(register, rng, number, members[number], people) for number in range(size.platforms)
    )


def _members(rng: np.random.Generator, people: int, platforms: int) -> list[Ints]:
    """Person numbers of each platform's clients, ascending."""
    count = rng.choice(3, size=people, p=p.PLATFORM_MEMBERSHIP)
    first = rng.integers(0, platforms, people)
    second = (first + rng.integers(1, platforms, people)) % platforms if platforms > 1 else first
    return [
        np.flatnonzero(((first == n) & (count > 0)) | ((second == n) & (count > 1))) for n in range(platforms)
    ]


def found_platform(
    register: Register, rng: np.random.Generator, number: int, clients: Ints, people: People
) -> Platform:
    """Platform `number` of the world, with its accounts, group and guarantor."""
    bank = register.banks[number % (len(register.banks) - 1)]
    fee_bp = int(rng.integers(*p.FEE_BP)) // 10 * 10
    name = _P2P[number % len(_P2P)] + (f"{number // len(_P2P) + 1}" if number >= len(_P2P) else "")
    region = _REGIONS[number % len(_REGIONS)]
    conglomerate = _conglomerate(number)
    institution = register.institution(
        InstitutionKind.p2p, name, region, "online_lending", fee_bp, conglomerate
    )

    def account(kind: str, opening: int, role: AccountRole) -> int:
        opened = opening * p.YUAN
        return register.account(institution.party_id, bank, kind, opened, role, institution.institution_id)

    custody = account("custody_main", 200_000, AccountRole.custody)
    own = account("platform_own", 3_000_000, AccountRole.own)
    fee = account("platform_fee", 20_000, AccountRole.fee)
    marketing = account("platform_marketing", 200_000, AccountRole.marketing)
    openings = money(rng, p.SUB_OPENING_MEDIAN, 0.8, len(clients))
    sub = [
        register.account(
            people.party[person], bank, "client", int(opening), AccountRole.client, institution.institution_id
        )
        for person, opening in zip(clients, openings, strict=True)
    ]
    group = _group(register, rng, institution, bank)
    guarantor = _guarantor(register, name, region, bank)
    risk_reserve = NONE
    if number % 3 == 0:
        risk_reserve = account("risk_reserve", p.RISK_RESERVE // p.YUAN, AccountRole.guarantee)
        register.file(
            institution.institution_id,
            FilingKind.risk_reserve,
            party_id=institution.party_id,
            cap_minor=p.RISK_RESERVE,
        )
    register.file(institution.institution_id, FilingKind.subsidy, cap_minor=p.SUBSIDY_CAP, period_days=30)
    return Platform(
        institution_id=institution.institution_id,
        party=institution.party_id,
        bank=bank,
        custody=custody,
        own=own,
        fee=fee,
        marketing=marketing,
        guarantor=guarantor,
        risk_reserve=risk_reserve,
        fee_bp=fee_bp,
        rogue=_rogue(number),
        clients=clients,
        sub=np.array(sub, dtype=np.int64),
        group=group,
        patterns=PlatformPatterns(
            custody_main=register.pattern("custody_main" if number else "growing_platform", (custody,)),
            fee_account=register.pattern("fee_account", (fee,)),
            platform_fee=register.pattern("platform_fee", (fee,)),
            listing_refund=register.pattern("listing_refund", (custody,)),
            related_supplier=register.pattern("related_supplier", (group.supplier[1],)),
            salary_related=register.pattern("salary_related", (group.director[1],)),
            fee_sweep=register.pattern("fee_sweep", (fee, own)),
            licensed_compensation=register.pattern("licensed_compensation", (guarantor, custody)),
            risk_reserve=register.pattern("risk_reserve", (risk_reserve,) if risk_reserve != NONE else ()),
            signup_gift=register.pattern("signup_gift", (marketing,)),
            claim_transfer=register.pattern("claim_transfer", ()),
            custody_correction=register.pattern("custody_correction", (custody,)),
            withdrawal_to_broker=register.pattern("withdrawal_to_broker", ()),
            later_loan=register.pattern("later_loan", (custody,)),
            repaid_and_borrowed_again=register.pattern("repaid_and_borrowed_again", (custody,)),
        ),
    )


def _guarantor(register: Register, name: str, region: str, bank: str) -> int:
    """Account of a licensed guarantor that is no relation of the platform it serves."""
    firm = register.institution(
        InstitutionKind.other, f"{name}合作融资担保有限公司", region, "financing_guarantee"
    )
    return register.account(
        firm.party_id, bank, "guarantor", 2_000_000 * p.YUAN, AccountRole.guarantee, firm.institution_id
    )


def payment_institutions(
    register: Register,
    seed: int,
    size: p.Size,
    people: People,
    shops: tuple[Shop, ...],
    platforms: tuple[Platform, ...],
) -> tuple[PaymentInstitution, ...]:
    rng = stream(seed, "payment institutions")
    choice = rng.integers(0, size.payment_institutions, len(people.card))
    choice[rng.random(len(choice)) >= p.WALLET_MEMBERSHIP] = -1
    clearing_party = register.company("网联清算有限公司", FINANCE)
    clearing = register.account(
        clearing_party, register.banks[-1], "clearing_house", 10**9 * p.YUAN, AccountRole.clearing_house
    )
    firms = tuple(
        _payment_institution(register, rng, number, np.flatnonzero(choice == number), shops, clearing)
        for number in range(size.payment_institutions)
    )
    for platform, firm in list(zip(platforms, firms, strict=False))[: p.CONGLOMERATES]:
        register.holds(platform.group.holding[0], firm.group.holding[0], 6_000)
    return firms


def _payment_institution(
    register: Register,
    rng: np.random.Generator,
    number: int,
    wallets: Ints,
    shops: tuple[Shop, ...],
    clearing: int,
) -> PaymentInstitution:
    bank = register.banks[number % (len(register.banks) - 1)]
    name = _PAY[number % len(_PAY)] + (f"{number // len(_PAY) + 1}" if number >= len(_PAY) else "")
    fee_bp = int(rng.integers(*p.SETTLEMENT_FEE_BP))
    region = _REGIONS[(number + 1) % len(_REGIONS)]
    conglomerate = _conglomerate(number)
    firm = register.institution(
        InstitutionKind.payment, name, region, "internet_payment", fee_bp, conglomerate
    )
    opening = money(rng, p.WALLET_OPENING_MEDIAN, 0.9, len(wallets))
    held = int(opening.sum())
    reserve = register.account(
        firm.party_id, register.banks[-1], "reserve", held, AccountRole.reserve, firm.institution_id
    )
    filed_own = register.account(
        firm.party_id, bank, "payment_own", 500_000 * p.YUAN, AccountRole.filed_own, firm.institution_id
    )
    chosen = [shop for shop in shops if rng.random() < 0.4] or list(shops[:1])
    weights = np.array([shop.weight for shop in chosen])
    merchants = [
        register.account(
            shop.party, bank, "merchant", 0, AccountRole.merchant_settlement, firm.institution_id
        )
        for shop in chosen
    ]
    return PaymentInstitution(
        institution_id=firm.institution_id,
        party=firm.party_id,
        reserve=reserve,
        filed_own=filed_own,
        clearing=clearing,
        fee_bp=fee_bp,
        rogue=_rogue(number),
        wallets=wallets,
        opening=opening,
        merchants=np.array(merchants, dtype=np.int64),
        weights=tuple((weights / weights.sum()).tolist()),
        group=_group(register, rng, firm, bank),
        patterns=PaymentPatterns(
            reserve_inflow=register.pattern("reserve_inflow", (reserve,)),
            merchant_settlement=register.pattern("merchant_settlement", (reserve,)),
            refund_to_payer=register.pattern("refund_to_payer", (reserve,)),
            filed_fee_transfer=register.pattern("filed_fee_transfer", (reserve, filed_own)),
        ),
    )


def lenders(register: Register, size: p.Size) -> tuple[Lender, ...]:
    made = []
    for number in range(size.lenders):
        name = f"{'安兴诚丰'[number % 4]}达消费金融有限公司"
        region = _REGIONS[number % len(_REGIONS)]
        firm = register.institution(InstitutionKind.consumer_finance, name, region, "consumer_lending")
        account = register.account(
            firm.party_id,
            register.banks[0],
            "lender",
            20_000_000 * p.YUAN,
            AccountRole.own,
            firm.institution_id,
        )
        made.append(Lender(firm.institution_id, account, register.pattern("licensed_lender", (account,))))
    return tuple(made)
