"""Making asset managers and trust companies, their public funds and their private products."""

from __future__ import annotations

from typing import Final

import numpy as np

from schemas.instant import DAY
from schemas.registry import (
    AccountRole,
    FilingKind,
    Institution,
    InstitutionKind,
    LegalForm,
    PartyKind,
    Product,
    ProductKind,
)
from simulator import market_parameters as m
from simulator import parameters as p
from simulator.cast import PaymentInstitution, People
from simulator.markets import Fund, Manager, PrivateProduct, Resale
from simulator.register import BUILDING, MAKING, Register
from simulator.streams import Ints, money, stream

_MANAGERS: Final = ("鼎新基金", "华岳资产", "同源基金", "海川资产")
_TRUSTS: Final = ("安泰信托", "中远信托", "汇恒信托")
_RUNNING: Final = -40
_RAISE_APART: Final = 5  # days between the starts of one manager's raises
_SEPARATE: Final = 4


def wealthy(register: Register, seed: int, size: p.Size) -> Ints:
    """Accounts of qualified investors."""
    rng = stream(seed, "wealthy")
    made = []
    for _ in range(m.wealthy(size)):
        party = register.party(PartyKind.person, qualified=True)
        bank = register.banks[int(rng.integers(0, size.banks))]
        opening = int(rng.integers(m.WEALTH[0] // p.YUAN, m.WEALTH[1] // p.YUAN)) * p.YUAN
        made.append(register.account(party, bank, "person", opening))
    return np.array(made, dtype=np.int64)


def managers(
    register: Register,
    seed: int,
    size: p.Size,
    people: People,
    payment_institutions: tuple[PaymentInstitution, ...],
    investors: Ints,
    start_us: int,
) -> tuple[Manager, ...]:
    """Asset managers, then trust companies. The first of each are of one group."""
    rng = stream(seed, "managers")
    group = f"group-{p.CONGLOMERATES + 1:02d}"
    made = []
    for number in range(m.managers(size)):
        house = _House(
            register, rng, InstitutionKind.asset_management, _MANAGERS, number, group, start_us, investors
        )
        payment = payment_institutions[(2 * number + 1) % len(payment_institutions)]
        holders = np.flatnonzero(rng.random(len(people.card)) < m.HOLDERS / m.managers(size))
        middle = len(holders) // 2
        feeders = house.feeders(investors)
        made.append(
            house.manager(
                funds=(
                    house.fund(people.card[holders[:middle]], None),
                    house.fund(people.card[holders[middle:]], payment),
                ),
                products=(
                    house.private(LegalForm.partnership, rng.choice(investors, 30, replace=False), _RUNNING),
                    house.private(LegalForm.company, rng.choice(investors, 20, replace=False), 3),
                    *feeders,
                ),
            )
        )
    for number in range(m.trusts(size)):
        house = _House(register, rng, InstitutionKind.trust, _TRUSTS, number, group, start_us, investors)
        apart = np.array_split(rng.permutation(investors), _SEPARATE)
        made.append(
            house.manager(
                funds=(),
                products=tuple(
                    house.private(LegalForm.contract, part[:58], 1 + _RAISE_APART * turn, "separate_products")
                    for turn, part in enumerate(apart)
                ),
            )
        )
    return tuple(made)


class _House:
    """One manager's accounts and products while they are made."""

    def __init__(
        self,
        register: Register,
        rng: np.random.Generator,
        kind: InstitutionKind,
        names: tuple[str, ...],
        number: int,
        group: str,
        start_us: int,
        wealthy: Ints,
    ) -> None:
        self._register, self._rng, self._start_us, self._wealthy = register, rng, start_us, wealthy
        self._bank = register.banks[(number + 2) % (len(register.banks) - 1)]
        self._firm: Institution = register.institution(
            kind, names[number % len(names)], "310000", kind.value, group=group if number == 0 else None
        )
        self._rogue = number % 2 == 0
        self._own = self._account("manager_own", 6_000_000 * p.YUAN, AccountRole.own)
        self._products = 0

    def manager(self, funds: tuple[Fund, ...], products: tuple[PrivateProduct, ...]) -> Manager:
        firm = self._firm
        return Manager(
            firm.institution_id, firm.party_id, self._bank, self._own, self._rogue, funds, products
        )

    def fund(self, holders: Ints, payment: PaymentInstitution | None) -> Fund:
        units = money(self._rng, m.HOLDING_MEDIAN, 0.9, len(holders), 10 * p.YUAN)
        product = self._product(ProductKind.fund, LegalForm.contract, None, _RUNNING)
        account = self._vehicle(product, int(units.sum() * 2 * m.FUND_CASH))
        sales = payment.reserve if payment else self._account("fund_sales", 0, AccountRole.fund_sales)
        pattern = self._register.pattern
        return Fund(
            product,
            account,
            sales,
            payment is not None,
            holders,
            units,
            sales_pattern=pattern("fund_sales", (account, sales)),
            salary_day_pattern=pattern("salary_day_peak", (account, sales)),
            festival_pattern=pattern("festival_peak", (account, sales)),
            pass_through_pattern=pattern("redemption_pass_through", (account, sales)),
        )

    def private(
        self,
        form: LegalForm,
        investors: Ints,
        raises: int,
        pattern: str = "private_product",
        master: tuple[int, int] | None = None,
    ) -> PrivateProduct:
        """With an asset of its own unless it feeds a master."""
        register = self._register
        asset = register.products[master[0]].borrower_party_id if master else self._asset_party()
        kind = ProductKind.private
        product = self._product(kind, form, asset, raises, parent=master[0] if master else None)
        account = self._vehicle(product, 0)
        units = (1 + self._rng.integers(0, 5, len(investors)) // 2) * m.LEAST_SUBSCRIPTION
        return PrivateProduct(
            product,
            account,
            tuple(int(account) for account in investors),
            tuple(int(unit) for unit in units),
            asset=next(row for row, account in enumerate(register.accounts) if account.party_id == asset),
            rate_bp=int(self._rng.integers(*m.ASSET_RATE_BP)),
            raises=raises,
            master=master,
            pattern=register.pattern(pattern, (account,)),
            resale=self._resale(investors, max(raises, 0)),
        )

    def _resale(self, investors: Ints, raises: int) -> Resale:
        seller = int(self._rng.integers(0, len(investors)))
        buyer = int(self._rng.choice(np.setdiff1d(self._wealthy, investors)))
        pattern = self._register.pattern("secondary_sale", (int(investors[seller]), buyer))
        return Resale(raises + 14 + int(self._rng.integers(0, 20)), seller, buyer, pattern)

    def feeders(self, investors: Ints) -> tuple[PrivateProduct, ...]:
        """Two feeders and their master, filed as such."""
        asset = self._asset_party()
        master = self._product(ProductKind.private, LegalForm.contract, asset, 2)
        both = (master, self._vehicle(master, 0))
        chosen = self._rng.choice(investors, 44, replace=False)
        made = []
        for turn, part in enumerate(np.array_split(chosen, 2)):
            feeder = self.private(LegalForm.contract, part, 2 + 3 * turn, "feeder_master", both)
            products = self._register.products
            self._register.file(
                self._firm.institution_id,
                FilingKind.nesting,
                product_id=products[feeder.product].product_id,
            )
            made.append(feeder)
        return tuple(made)

    def _asset_party(self) -> str:
        industry, suffix = ((BUILDING, "建设"), (MAKING, "新材料"))[int(self._rng.integers(0, 2))]
        party = self._register.company(f"{self._firm.name}项目{suffix}{self._products}有限公司", industry)
        self._register.account(party, self._bank, "company", 8_000_000 * p.YUAN)
        return party

    def _account(self, kind: str, opening: int, role: AccountRole) -> int:
        firm = self._firm
        return self._register.account(firm.party_id, self._bank, kind, opening, role, firm.institution_id)

    def _vehicle(self, product: int, opening: int) -> int:
        firm = self._firm
        return self._register.account(
            firm.party_id,
            self._bank,
            "product",
            opening,
            AccountRole.product_vehicle,
            firm.institution_id,
            self._register.products[product].product_id,
        )

    def _product(
        self, kind: ProductKind, form: LegalForm, asset: str | None, opens: int, parent: int | None = None
    ) -> int:
        self._products += 1
        register = self._register
        issued_us = self._start_us + opens * DAY
        return register.product(
            Product(
                product_id=f"{self._firm.institution_id}-{kind.value}-{self._products:02d}",
                institution_id=self._firm.institution_id,
                borrower_party_id=asset,
                issued_at=issued_us,
                due_at=issued_us + 3 * 365 * DAY,
                product_kind=kind,
                legal_form=form,
                parent_product_id=None if parent is None else register.products[parent].product_id,
                valid_from=issued_us - DAY,
            )
        )
