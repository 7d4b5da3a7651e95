"""Who is who: institutions, parties, relations, accounts, products, licences, filings and feeds.

Each record holds from `valid_from` (inclusive) to `valid_to` (exclusive), in event time. A record
with the same key and the same `valid_from` replaces the earlier one. In files and on the wire each
record is one JSON object with its `kind`; a registry directory holds any number of *.ndjson files.
Account numbers and identity numbers are clear here as a bank or supervisor sends them, and tokens
after ingest (`account_id` then matches schemas.account.AccountToken).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from schemas.instant import FOREVER, Instant
from schemas.record import Identifier, Record, Text, content_id

Share = Annotated[int, Field(ge=0, le=10_000)]
"""A share in basis points: 10 000 is the whole."""

AccountNumber = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class InstitutionKind(StrEnum):
    p2p = "p2p"
    equity_crowdfunding = "equity_crowdfunding"
    payment = "payment"
    asset_management = "asset_management"
    insurance = "insurance"
    trust = "trust"
    consumer_finance = "consumer_finance"
    other = "other"


class AccountRole(StrEnum):
    """What an account is for. design/typologies.md, "Words"."""

    client = "client"
    custody = "custody"
    own = "own"
    fee = "fee"
    marketing = "marketing"
    guarantee = "guarantee"
    reserve = "reserve"
    merchant_settlement = "merchant_settlement"
    filed_own = "filed_own"
    special_business = "special_business"
    partner_reserve = "partner_reserve"
    securities_margin = "securities_margin"
    property_developer = "property_developer"
    fund_sales = "fund_sales"
    clearing_house = "clearing_house"
    product_vehicle = "product_vehicle"
    external = "external"


class RelationKind(StrEnum):
    shareholder = "shareholder"
    controller = "controller"
    director = "director"
    guarantor = "guarantor"
    affiliate = "affiliate"


class PartyKind(StrEnum):
    person = "person"
    company = "company"


class ProductKind(StrEnum):
    """What is sold to investors under a product's name."""

    listing = "listing"  # a loan to a borrower
    claim = "claim"  # a loan's claim, sold on
    project = "project"  # shares of a crowdfunded project
    fund = "fund"  # open to the public
    private = "private"  # raised privately, from qualified investors
    vehicle = "vehicle"  # a layer between investors and the asset


class LegalForm(StrEnum):
    contract = "contract"
    company = "company"
    partnership = "partnership"


class FilingKind(StrEnum):
    """What an institution has filed with its supervisor."""

    risk_reserve = "risk_reserve"  # compensates investors for borrowers who do not pay
    subsidy = "subsidy"  # gifts to clients; the cap is for each client
    receiver = "receiver"  # a party that may be paid out of client money
    service = "service"  # services bought from a member of the same group
    agency = "agency"  # collects or pays for others
    nesting = "nesting"  # a feeder product and its master


class Validity(Record):
    valid_from: Instant = 0
    valid_to: Instant = FOREVER

    @model_validator(mode="after")
    def _ordered(self) -> Validity:
        if self.valid_from >= self.valid_to:
            raise ValueError("valid_from must be before valid_to")
        return self

    def holds_at(self, ts_us: int) -> bool:
        return self.valid_from <= ts_us < self.valid_to


class Institution(Validity):
    """A supervised firm. `party_id` is the firm itself as a party; regions are administrative codes."""

    kind: Literal["institution"] = "institution"
    institution_id: Identifier
    name: Text
    institution_kind: InstitutionKind
    sector: Identifier
    party_id: Identifier
    registered_region: Identifier
    operating_regions: tuple[Identifier, ...] = Field(default=(), max_length=64)
    group_id: Identifier | None = None
    fee_rate_bp: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Filed fee as basis points of the amount disbursed or settled; None: none was filed."""


class Party(Validity):
    """A person or company. `identity` is its identity or registration number: a token after ingest."""

    kind: Literal["party"] = "party"
    party_id: Identifier
    name: Text = ""
    party_kind: PartyKind
    identity: Annotated[str, StringConstraints(max_length=128)] = ""
    industry: Annotated[str, StringConstraints(max_length=64)] = ""
    """GB/T 4754 section letter or code, where known: what a shop, utility or developer is known by."""
    qualified_investor: bool = False
    """It may buy what is raised privately."""


class Relation(Validity):
    """`from_id` (a party) is tied to `to_id` (a party): shareholder of it, controller of it, …"""

    kind: Literal["relation"] = "relation"
    from_id: Identifier
    to_id: Identifier
    relation: RelationKind
    share_bp: Share | None = None

    @model_validator(mode="after")
    def _share_of_shareholder(self) -> Relation:
        if (self.relation is RelationKind.shareholder) != (self.share_bp is not None):
            raise ValueError("share_bp belongs to a shareholder relation, and only to it")
        return self


class Account(Validity):
    """`institution_id` is the institution in whose business the account plays `role`; `product_id` the
    product whose money it keeps, where it is a product's own."""

    kind: Literal["account"] = "account"
    account_id: AccountNumber
    party_id: Identifier
    bank: Identifier
    role: AccountRole
    institution_id: Identifier | None = None
    product_id: Identifier | None = None


class Product(Validity):
    """A listing, fund or vehicle. Amounts are minor units of `currency`; the rate is yearly.

    `borrower_party_id` is who gets the money: a listing's borrower, a project's company.
    `parent_product_id` is the product into which this one's money goes, or of which it is a part.
    """

    kind: Literal["product"] = "product"
    product_id: Identifier
    institution_id: Identifier
    borrower_party_id: Identifier | None = None
    principal_minor: Annotated[int, Field(ge=0)] = 0
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"
    rate_bp: Annotated[int, Field(ge=0)] = 0
    issued_at: Instant | None = None
    due_at: Instant | None = None
    parent_product_id: Identifier | None = None
    product_kind: ProductKind = ProductKind.listing
    legal_form: LegalForm = LegalForm.contract


class Licence(Validity):
    kind: Literal["licence"] = "licence"
    licence_id: Identifier
    institution_id: Identifier
    business: Identifier


class Filing(Validity):
    """What an institution has filed. At most `cap_minor` may move under it in any `period_days`.

    `party_id`: the other party of it, `product_id`: the product it is for, where it names one.
    No cap: none was filed. No period: the cap is for as long as the filing holds.
    """

    kind: Literal["filing"] = "filing"
    filing_id: Identifier
    institution_id: Identifier
    filing_kind: FilingKind
    party_id: Identifier | None = None
    product_id: Identifier | None = None
    cap_minor: Annotated[int, Field(ge=0)] | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"
    period_days: Annotated[int, Field(ge=1, le=3_660)] | None = None


class FeedPolicy(StrEnum):
    """What one bad record does to its batch. A control-total mismatch always rejects the batch."""

    line = "line"
    batch = "batch"


class FeedFormat(StrEnum):
    json = "json"
    csv = "csv"
    camt053 = "camt053"
    camt054 = "camt054"
    pacs008 = "pacs008"


class Feed(Validity):
    """A stream of batches that one custody bank agreed to send.

    `lateness_seconds`: how far behind the newest transaction of the feed one may still be in time.
    `key_sha256`: SHA-256, in hex, of the key that the bank shows when it pushes; None: no push
    is taken unless the service runs as the demo.
    """

    kind: Literal["feed"] = "feed"
    feed_id: Identifier
    bank: Identifier
    format: FeedFormat | None = None
    policy: FeedPolicy = FeedPolicy.line
    lateness_seconds: Annotated[int, Field(ge=0, le=30 * 86_400)] = 86_400
    key_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


RegistryRecord = Annotated[
    Institution | Party | Relation | Account | Product | Licence | Filing | Feed, Field(discriminator="kind")
]
REGISTRY_RECORD: TypeAdapter[RegistryRecord] = TypeAdapter(RegistryRecord)
KINDS = ("institution", "party", "relation", "account", "product", "licence", "filing", "feed")


def key_of(record: RegistryRecord) -> str:
    """Identity of the thing described, without its validity: "account:…", "relation:…"."""
    match record:
        case Institution():
            return f"institution:{record.institution_id}"
        case Party():
            return f"party:{record.party_id}"
        case Relation():
            tie = content_id(record.from_id, record.to_id, record.relation)
            return f"relation:{tie}"
        case Account():
            return f"account:{record.account_id}:{record.institution_id or ''}"
        case Product():
            return f"product:{record.product_id}"
        case Licence():
            return f"licence:{record.licence_id}"
        case Filing():
            return f"filing:{record.filing_id}"
        case Feed():
            return f"feed:{record.feed_id}"


def version_key(record: RegistryRecord) -> str:
    """Key on the compacted topic: a later record with the same one replaces the earlier."""
    return f"{key_of(record)}@{record.valid_from}"
