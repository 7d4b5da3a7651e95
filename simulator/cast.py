"""The cast of the world: who lives and trades in it. The same seed and size give the same cast."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.habits import Habits
from simulator.markets import Markets
from simulator.register import Register
from simulator.streams import Ints


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Arrays by person number. Amounts are minor units; `landlord` is NONE for owners of their home."""

    party: tuple[str, ...]
    card: Ints
    employer: Ints
    salary: Ints
    active_from: Ints
    landlord: Ints
    rent: Ints
    rent_day: Ints


@dataclass(frozen=True, slots=True)
class Company:
    """An ordinary company. `pattern`: the label of its payroll; NONE where it has no staff here."""

    party: str
    account: int
    payday: int
    pattern: int


@dataclass(frozen=True, slots=True)
class Shop:
    account: int
    party: str
    weight: float
    pattern: int


@dataclass(frozen=True, slots=True)
class Payee:
    """A landlord, utility, tax office, developer, broker, …: somebody many people pay."""

    party: str
    account: int
    pattern: int


@dataclass(frozen=True, slots=True)
class Group:
    """Who stands behind an institution.

    holding      company that holds most of the institution
    controller   person who controls the holding
    director     person on the institution's board, with a salary elsewhere
    supplier     affiliate that honestly sells to the institution's customers
    affiliate    account of a sister company, two links from the institution
    family       account of the controller's own company, three links from the institution
    Each is (party, account).
    """

    holding: tuple[str, int]
    controller: tuple[str, int]
    director: tuple[str, int]
    supplier: tuple[str, int]
    affiliate: tuple[str, int]
    family: tuple[str, int]


@dataclass(frozen=True, slots=True)
class PlatformPatterns:
    custody_main: int
    fee_account: int
    platform_fee: int
    listing_refund: int
    related_supplier: int
    salary_related: int
    fee_sweep: int
    licensed_compensation: int
    risk_reserve: int
    signup_gift: int
    claim_transfer: int
    custody_correction: int
    withdrawal_to_broker: int
    later_loan: int
    repaid_and_borrowed_again: int


@dataclass(frozen=True, slots=True, eq=False)
class Platform:
    """A lending platform. `sub[i]` is the custody sub-account of person `clients[i]`. `risk_reserve` is
    the account of its filed scheme for borrowers who do not pay; NONE where it has none."""

    institution_id: str
    party: str
    bank: str
    custody: int
    own: int
    fee: int
    marketing: int
    guarantor: int
    risk_reserve: int
    fee_bp: int
    rogue: bool
    clients: Ints
    sub: Ints
    group: Group
    patterns: PlatformPatterns


@dataclass(frozen=True, slots=True)
class PaymentPatterns:
    reserve_inflow: int
    merchant_settlement: int
    refund_to_payer: int
    filed_fee_transfer: int


@dataclass(frozen=True, slots=True, eq=False)
class PaymentInstitution:
    """`wallets[i]` is a client's person number, `opening[i]` what the wallet holds at the start;
    `merchants[i]` is the settlement account of the shop whose custom share is `weights[i]`."""

    institution_id: str
    party: str
    reserve: int
    filed_own: int
    clearing: int
    fee_bp: int
    rogue: bool
    wallets: Ints
    opening: Ints
    merchants: Ints
    weights: tuple[float, ...]
    group: Group
    patterns: PaymentPatterns


@dataclass(frozen=True, slots=True)
class Lender:
    """A licensed consumer-finance company: it lends from `account`, and is repaid there."""

    institution_id: str
    account: int
    pattern: int


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """`missing_purpose`, `correction`: labels of transfers sent without their purpose, and of what banks
    undo or book again."""

    register: Register
    people: People
    companies: tuple[Company, ...]
    firms: tuple[Company, ...]
    shops: tuple[Shop, ...]
    landlords: tuple[Payee, ...]
    utilities: tuple[Payee, ...]
    tax_office: Payee
    developers: tuple[Payee, ...]
    brokers: tuple[Payee, ...]
    platforms: tuple[Platform, ...]
    payment_institutions: tuple[PaymentInstitution, ...]
    lenders: tuple[Lender, ...]
    materials: Payee
    missing_purpose: int
    correction: int
    habits: Habits
    markets: Markets
