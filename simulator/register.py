"""Who is who in the world: rows for every party and account, and the registry records made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from schemas.registry import (
    Account,
    AccountRole,
    Feed,
    FeedFormat,
    Filing,
    FilingKind,
    Institution,
    InstitutionKind,
    Licence,
    Party,
    PartyKind,
    Product,
    RegistryRecord,
    Relation,
    RelationKind,
)

OUTSIDE: Final = 0
"""Index of the world outside the feeds: money comes from it and goes to it without end."""
OUTSIDE_SOURCE: Final = "EXT_SOURCE"
OUTSIDE_SINK: Final = "EXT_SINK"

# GB/T 4754 sections.
TRADE, CATERING, UTILITY, PROPERTY, FINANCE, LEASING, SOFTWARE, GOVERNMENT, BUILDING, MAKING = "FHDKJLISEC"

_SCATTER: Final = 6_364_136_223_846_793_005 % 10**10 | 1  # odd and no multiple of 5: a bijection mod 10^10


class PartyRow(NamedTuple):
    party_id: str
    kind: PartyKind
    name: str
    industry: str
    qualified: bool = False


class AccountRow(NamedTuple):
    """`role` None: the supervisor's registry does not know this account."""

    number: str
    bank: str
    kind: str
    opening_minor: int
    party_id: str
    role: AccountRole | None
    institution_id: str | None
    product_id: str | None = None


class Pattern(NamedTuple):
    """A labelled set of transfers: planted misconduct, or an honest business that looks like it.

    `care` (of misconduct): clumsy, ordinary or careful. `also`: the other typologies that the same
    conduct truthfully breaks. `by_evening`: its transfers prove nothing before their day ends.
    """

    pattern_id: str
    type: str
    variant: str
    illicit: bool
    main_account: int
    accounts: tuple[int, ...]
    care: str = ""
    also: tuple[str, ...] = ()
    by_evening: bool = False


def feed_id(bank: str) -> str:
    """Each custody bank sends one feed."""
    return f"feed-{bank}"


@dataclass(slots=True)
class Register:
    """Filled while the world is cast; then only read. Accounts and patterns are known by index."""

    banks: tuple[str, ...]
    accounts: list[AccountRow] = field(default_factory=list)
    parties: list[PartyRow] = field(default_factory=list)
    patterns: list[Pattern] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    institutions: list[Institution] = field(default_factory=list)
    licences: list[Licence] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    filings: list[Filing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.accounts.append(AccountRow("", "", "outside", 0, "", None, None))

    def party(self, kind: PartyKind, name: str = "", industry: str = "", *, qualified: bool = False) -> str:
        prefix = "person" if kind is PartyKind.person else "company"
        party_id = f"{prefix}-{len(self.parties) + 1:07d}"
        self.parties.append(PartyRow(party_id, kind, name, industry, qualified))
        return party_id

    def company(self, name: str, industry: str) -> str:
        return self.party(PartyKind.company, name, industry)

    def account(
        self,
        party_id: str,
        bank: str,
        kind: str,
        opening_minor: int = 0,
        role: AccountRole | None = AccountRole.external,
        institution_id: str | None = None,
        product_id: str | None = None,
    ) -> int:
        """Index of a new account; its number says nothing about what it is for."""
        index = len(self.accounts)
        number = f"6{self.banks.index(bank):02d}{(index * _SCATTER + 8_191) % 10**10:010d}"
        self.accounts.append(
            AccountRow(number, bank, kind, opening_minor, party_id, role, institution_id, product_id)
        )
        return index

    def product(self, product: Product) -> int:
        """Index of a new product."""
        self.products.append(product)
        return len(self.products) - 1

    def institution(
        self,
        kind: InstitutionKind,
        name: str,
        region: str,
        business: str,
        fee_bp: int | None = None,
        group: str | None = None,
    ) -> Institution:
        """A licensed institution with its own party."""
        number = 1 + sum(i.institution_kind is kind for i in self.institutions)
        institution = Institution(
            institution_id=f"{kind.value.replace('_', '-')}-{number:02d}",
            name=name,
            institution_kind=kind,
            sector=_SECTOR[kind],
            party_id=self.company(name, FINANCE),
            registered_region=region,
            operating_regions=(region,),
            fee_rate_bp=fee_bp,
            group_id=group,
        )
        self.institutions.append(institution)
        self.licences.append(
            Licence(
                licence_id=f"licence-{len(self.licences) + 1:04d}",
                institution_id=institution.institution_id,
                business=business,
            )
        )
        return institution

    def holds(self, owner: str, owned: str, share_bp: int) -> None:
        self.relations.append(
            Relation(from_id=owner, to_id=owned, relation=RelationKind.shareholder, share_bp=share_bp)
        )

    def ties(self, from_id: str, to_id: str, relation: RelationKind) -> None:
        self.relations.append(Relation(from_id=from_id, to_id=to_id, relation=relation))

    def pattern(
        self,
        type: str,
        accounts: tuple[int, ...],
        *,
        variant: str = "",
        illicit: bool = False,
        care: str = "",
        also: tuple[str, ...] = (),
        by_evening: bool = False,
    ) -> int:
        """Index of a new pattern; the first of `accounts` is its main one. Without any, it has none."""
        pattern_id = f"K{len(self.patterns) + 1:06d}"
        main = accounts[0] if accounts else OUTSIDE
        self.patterns.append(
            Pattern(pattern_id, type, variant, illicit, main, accounts, care, also, by_evening)
        )
        return len(self.patterns) - 1

    def file(
        self,
        institution_id: str,
        kind: FilingKind,
        *,
        party_id: str | None = None,
        product_id: str | None = None,
        cap_minor: int | None = None,
        period_days: int | None = None,
    ) -> None:
        """What the institution files with its supervisor."""
        self.filings.append(
            Filing(
                filing_id=f"filing-{len(self.filings) + 1:04d}",
                institution_id=institution_id,
                filing_kind=kind,
                party_id=party_id,
                product_id=product_id,
                cap_minor=cap_minor,
                period_days=period_days,
            )
        )

    def records(self) -> Iterator[RegistryRecord]:
        """What the supervisor knows, kind by kind."""
        yield from self.institutions
        yield from self.licences
        for row in self.parties:
            yield Party(
                party_id=row.party_id,
                name=row.name,
                party_kind=row.kind,
                identity=f"ID-{row.party_id}",
                industry=row.industry,
                qualified_investor=row.qualified,
            )
        yield from self.relations
        for account in self.accounts:
            if account.role is not None:
                yield Account(
                    account_id=account.number,
                    party_id=account.party_id,
                    bank=account.bank,
                    role=account.role,
                    institution_id=account.institution_id,
                    product_id=account.product_id,
                )
        yield from self.products
        yield from self.filings
        for bank in self.banks:
            yield Feed(feed_id=feed_id(bank), bank=bank, format=FeedFormat.json)


_SECTOR: Final = {
    InstitutionKind.p2p: "banking",
    InstitutionKind.payment: "payments",
    InstitutionKind.consumer_finance: "banking",
    InstitutionKind.equity_crowdfunding: "securities",
    InstitutionKind.asset_management: "securities",
    InstitutionKind.trust: "banking",
    InstitutionKind.other: "banking",
}
