"""What a case outside lending is made with: people and firms with money of their own, and single moves."""

from __future__ import annotations

import numpy as np

from schemas.instant import DAY, MINUTE, SECOND
from schemas.registry import AccountRole, LegalForm, PartyKind, Product, ProductKind
from schemas.transaction import Purpose
from simulator import parameters as p
from simulator.dates import OFFICE
from simulator.flows import NONE, Channel
from simulator.markets import Crowdfunding, Manager
from simulator.misconduct.case import Plan
from simulator.streams import Ints
from simulator.today import Today


def people(
    plan: Plan, count: int, least: int, most: int, *, qualified: bool = False, known: bool = True
) -> Ints:
    """Accounts of new persons, each with `least` to `most` yuan; not `known`: the registry does not hold
    the accounts."""
    register = plan.cast.register
    role = AccountRole.external if known else None
    made = []
    for _ in range(count):
        opening = int(plan.rng.integers(least, most + 1)) * p.YUAN
        party = register.party(PartyKind.person, qualified=qualified)
        made.append(register.account(party, plan.bank(), "person", opening, role))
    return np.array(made, dtype=np.int64)


def firm(plan: Plan, name: str, industry: str, yuan: int) -> int:
    """Account of a new company that has so much."""
    party = plan.cast.register.company(f"{name}{len(plan.cast.register.parties)}有限公司", industry)
    return plan.cast.register.account(party, plan.bank(), "company", yuan * p.YUAN)


def vehicle(
    plan: Plan,
    institution_id: str,
    asset: int | None,
    *,
    kind: ProductKind = ProductKind.private,
    form: LegalForm = LegalForm.contract,
    parent: int | None = None,
) -> tuple[int, int]:
    """(product, account) of a new product of the institution. Its money goes to the company whose account
    is `asset`; `parent` is the product into which it goes, where that was registered."""
    register = plan.cast.register
    party = next(i.party_id for i in register.institutions if i.institution_id == institution_id)
    issued_us = plan.start_us + plan.day * DAY
    product = register.product(
        Product(
            product_id=f"{institution_id}-{kind.value}-{len(register.products) + 1:05d}",
            institution_id=institution_id,
            borrower_party_id=None if asset is None else plan.party_of(asset),
            issued_at=issued_us,
            due_at=issued_us + 3 * 365 * DAY,
            product_kind=kind,
            legal_form=form,
            parent_product_id=None if parent is None else register.products[parent].product_id,
            valid_from=issued_us - DAY,
        )
    )
    account = register.account(
        party,
        plan.bank(),
        "product",
        0,
        AccountRole.product_vehicle,
        institution_id,
        register.products[product].product_id,
    )
    return product, account


def crowdfunding(plan: Plan) -> Crowdfunding:
    rogues = [platform for platform in plan.cast.markets.crowdfunding if platform.rogue]
    return rogues[int(plan.rng.integers(0, len(rogues)))]


def managers(plan: Plan) -> tuple[Manager, ...]:
    """Those who bend the rules, in an order of chance."""
    rogues = [manager for manager in plan.cast.markets.managers if manager.rogue]
    return tuple(rogues[i] for i in plan.rng.permutation(len(rogues)))


def send(
    today: Today,
    rng: np.random.Generator,
    src: Ints | int,
    dst: Ints | int,
    amount: Ints | int,
    label: int,
    purpose: Purpose = Purpose.transfer,
    *,
    channel: Channel = Channel.transfer,
    product: int = NONE,
    instructed: bool = False,
) -> Ints:
    """In office hours, of what the payers held this morning, as far as they can. Returns when."""
    payers = np.broadcast_arrays(np.atleast_1d(src), dst, amount)[0]
    at = np.sort(today.date.moments(rng, OFFICE, len(payers)))
    today.pay(
        src,
        dst,
        amount,
        at,
        purpose,
        channel=channel,
        product=product,
        instruction=today.flows.instructions(len(payers)) if instructed else 0,
        pattern=label,
    )
    return at


def onward(
    today: Today,
    rng: np.random.Generator,
    src: Ints | int,
    dst: Ints | int,
    amount: Ints | int,
    after: Ints | int,
    label: int,
    purpose: Purpose = Purpose.transfer,
    *,
    minutes: tuple[int, int] = (5, 120),
    product: int = NONE,
) -> Ints:
    """What came in at `after` today leaves the same day, some minutes later. Returns when."""
    moments = np.atleast_1d(np.asarray(after, dtype=np.int64))
    at = moments + rng.integers(*minutes, len(moments)) * MINUTE + SECOND
    today.flows.add(src, dst, amount, at, purpose, product=product, pattern=label)
    return at


def held(today: Today, account: int) -> int:
    """What the account can still spend today."""
    return int(today.ledger.spendable[account])


def live(today: Today, rng: np.random.Generator, accounts: Ints) -> None:
    """The case's people buy like anybody else: honest payments that carry no label."""
    shops = np.array([shop.account for shop in today.cast.shops], dtype=np.int64)
    amount = rng.integers(20, 300, len(accounts)) * p.YUAN
    at = today.date.moments(rng, OFFICE, len(accounts))
    today.pay(accounts, rng.choice(shops, len(accounts)), amount, at, Purpose.purchase, channel=Channel.card)
