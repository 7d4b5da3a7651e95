"""The cast of the markets besides lending and payments: crowdfunding, funds, private products, agents.

Accounts are indexes of the register, amounts minor units. A `pattern` is the label of the honest business
it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.streams import Ints


@dataclass(frozen=True, slots=True)
class Project:
    """Shares of a company, sold on a crowdfunding platform. `opens` before 0: paid out before day 0.
    `founder` is the sub-account of the company's declared founder."""

    product: int
    company: int
    founder: int
    target: int
    opens: int
    dividend: int
    founders_share: int


@dataclass(frozen=True, slots=True, eq=False)
class Crowdfunding:
    """A crowdfunding platform. `sub[i]` is the custody sub-account of person `clients[i]`; `companies`
    are those that raise money there."""

    institution_id: str
    party: str
    bank: str
    custody: int
    own: int
    fee: int
    rogue: bool
    clients: Ints
    sub: Ints
    companies: Ints
    projects: tuple[Project, ...]
    custody_pattern: int
    fee_pattern: int


@dataclass(frozen=True, slots=True, eq=False)
class Fund:
    """A fund open to the public. `holders[i]` holds `units[i]` at the start. Money comes and goes through
    `sales`: its manager's fund sales account, or the reserve of a payment institution."""

    product: int
    account: int
    sales: int
    by_payment_institution: bool
    holders: Ints
    units: Ints
    sales_pattern: int
    salary_day_pattern: int
    festival_pattern: int
    pass_through_pattern: int


@dataclass(frozen=True, slots=True)
class Resale:
    """On or after `day` the investor at position `seller` sells all his units to `buyer`, as qualified."""

    day: int
    seller: int
    buyer: int
    pattern: int


@dataclass(frozen=True, slots=True)
class PrivateProduct:
    """Raised privately from day `raises` on; before 0: it was running when the world began. `units[i]` is
    what `investors[i]` pays in. The money goes, through `master` where there is one, to `asset`, a company
    that pays `rate_bp` a year."""

    product: int
    account: int
    investors: tuple[int, ...]
    units: tuple[int, ...]
    asset: int
    rate_bp: int
    raises: int
    master: tuple[int, int] | None
    """(product, account) of the master that it feeds, as filed."""
    pattern: int
    resale: Resale


@dataclass(frozen=True, slots=True)
class Manager:
    """An asset manager or trust company."""

    institution_id: str
    party: str
    bank: str
    own: int
    rogue: bool
    funds: tuple[Fund, ...]
    products: tuple[PrivateProduct, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """Whom an institution pays at the end of each quarter out of its own account: receivers it has filed."""

    payer: int
    receivers: tuple[int, ...]
    pattern: int


@dataclass(frozen=True, slots=True)
class Service:
    """A filed service that `payer` buys every month from another licensed firm of its group."""

    payer: int
    provider: int
    pattern: int


@dataclass(frozen=True, slots=True, eq=False)
class Marketplace:
    """Its orders are paid to and settled by a payment institution, from and to accounts of `sellers`."""

    reserve: int
    commission: int
    sellers: Ints
    pattern: int


@dataclass(frozen=True, slots=True, eq=False)
class Agent:
    """Collects from `payers` and pays `receivers`, less its fee, with a filing. Once a month on `day`."""

    account: int
    payers: Ints
    receivers: Ints
    amounts: Ints
    day: int
    pattern: int


@dataclass(frozen=True, slots=True, eq=False)
class Regular:
    """Pairs of accounts between which the same is paid every `period` days, from day `phase` on.
    `back`: something like it comes back half a period later."""

    src: Ints
    dst: Ints
    amount: Ints
    period: int
    phase: Ints
    back: bool
    pattern: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Savings:
    """Accounts of their own for one large payment a year: saved up at the beginning of the world, then idle.
    `month` and `day` say when it is paid; `payee` to whom."""

    account: Ints
    card: Ints
    payee: Ints
    amount: Ints
    month: Ints
    day: Ints
    pattern: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Transit:
    """A payment institution's account at a bank where cash top-ups come in; emptied the same day."""

    account: int
    reserve: int
    pattern: int


@dataclass(frozen=True, slots=True, eq=False)
class OwnAccounts:
    """Two accounts of one institution at two banks, between which it moves its own money."""

    first: int
    second: int
    pattern: int


@dataclass(frozen=True, slots=True, eq=False)
class Markets:
    """`wealthy`: accounts of qualified investors; `importers`: of firms that pay abroad. By payment
    institution: the labels of the `interest` on its filed own account, of top-ups under way at a cut-off
    (`in_flight`)."""

    crowdfunding: tuple[Crowdfunding, ...]
    managers: tuple[Manager, ...]
    wealthy: Ints
    settlements: tuple[Settlement, ...]
    services: tuple[Service, ...]
    marketplaces: tuple[Marketplace, ...]
    agents: tuple[Agent, ...]
    regular: tuple[Regular, ...]
    savings: Savings
    transits: tuple[Transit, ...]
    own_accounts: tuple[OwnAccounts, ...]
    interest: tuple[int, ...]
    in_flight: tuple[int, ...]
    importers: Ints
