"""As-of answers over all kinds of record."""

from __future__ import annotations

import pickle
from itertools import permutations

from registry import ROLE_BIT, Membership, Registry
from schemas.instant import FOREVER
from schemas.registry import (
    Account,
    AccountRole,
    Feed,
    Filing,
    FilingKind,
    Institution,
    InstitutionKind,
    Licence,
    Party,
    PartyKind,
    Product,
    ProductKind,
    RegistryRecord,
    Relation,
    RelationKind,
)

OWN, SUPPLIER, SHARED = "0" * 31 + "1", "0" * 31 + "2", "0" * 31 + "3"


def institution(number: int = 1, **changes: object) -> Institution:
    fields = {
        "institution_id": f"i{number}",
        "name": "平台",
        "institution_kind": InstitutionKind.p2p,
        "sector": "banking",
        "party_id": f"firm{number}",
        "registered_region": "110000",
        "group_id": "g",
    }
    return Institution.model_validate(fields | changes)


RECORDS: list[RegistryRecord] = [
    institution(1),
    institution(2, valid_from=100),
    Relation(
        from_id="boss",
        to_id="firm1",
        relation=RelationKind.shareholder,
        share_bp=6000,
        valid_from=10,
        valid_to=50,
    ),
    Relation(from_id="boss", to_id="supplier", relation=RelationKind.controller),
    Account(account_id=OWN, party_id="firm1", bank="b", role=AccountRole.own, institution_id="i1"),
    Account(
        account_id=OWN, party_id="firm1", bank="b", role=AccountRole.fee, institution_id="i1", valid_from=30
    ),
    Account(account_id=SUPPLIER, party_id="supplier", bank="b", role=AccountRole.external),
    Account(account_id=SHARED, party_id="joe", bank="b", role=AccountRole.client, institution_id="i2"),
    Account(account_id=SHARED, party_id="joe", bank="b", role=AccountRole.client, institution_id="i1"),
    Account(account_id=SHARED, party_id="joe", bank="b", role=AccountRole.external),
    Licence(licence_id="l1", institution_id="i1", business="payment", valid_to=40),
    Party(party_id="joe", party_kind=PartyKind.person),
    Product(product_id="x", institution_id="i1", borrower_party_id="joe"),
    Feed(feed_id="f", bank="b", lateness_seconds=5),
]


def registry(records: list[RegistryRecord] = RECORDS) -> Registry:
    made = Registry()
    assert all(made.apply(record) for record in records)
    return made


def answers(made: Registry) -> list[object]:
    return [
        *(made.accounts(token, ts) for token in (OWN, SUPPLIER, SHARED) for ts in (0, 35)),
        *(made.institutions_touching(token) for token in (OWN, SUPPLIER, SHARED)),
        *(made.related("i1", "supplier", ts) for ts in (9, 10, 49, 50)),
        made.accounts_of("joe"),
    ]


def test_roles_change_with_time() -> None:
    made = registry()
    assert [made.role(OWN, ts) for ts in (0, 29, 30)] == [AccountRole.own, AccountRole.own, AccountRole.fee]
    assert made.role_bits(OWN) == ROLE_BIT[AccountRole.own] | ROLE_BIT[AccountRole.fee]
    assert made.role("f" * 32, 0) is None
    assert made.role_bits("f" * 32) == 0


def test_relatedness_follows_the_relations_of_the_day() -> None:
    made = registry()
    assert [made.related("i1", "supplier", ts) is not None for ts in (9, 10, 49, 50)] == [
        False,
        True,
        True,
        False,
    ]
    tie = made.related("i1", "supplier", 10)
    assert tie is not None
    assert (tie.links, tie.share_bp) == (2, 6000)
    assert made.related("i2", "firm2", 99) is None
    own = made.related("i2", "firm2", 100)
    assert own is not None
    assert own.links == 0


def test_the_superset_is_time_free() -> None:
    made = registry()
    assert made.institutions_touching(OWN) == ("i1",)
    assert made.institutions_touching(SUPPLIER) == ("i1",)
    assert made.institutions_touching(SHARED) == ("i1", "i2")
    assert made.institutions_touching("f" * 32) == ()


def test_a_new_relation_reaches_what_was_answered_before() -> None:
    made = registry()
    assert made.institutions_touching(SHARED) == ("i1", "i2")
    assert made.related("i1", "joe", 20) is None
    made.apply(Relation(from_id="joe", to_id="supplier", relation=RelationKind.director))
    assert made.related("i1", "joe", 20) is not None
    made.apply(Relation(from_id="boss", to_id="firm2", relation=RelationKind.director))
    assert made.institutions_touching(SUPPLIER) == ("i1", "i2")


def test_an_account_of_several_institutions() -> None:
    made = registry()
    foremost = made.account(SHARED, 0)
    chosen = made.account(SHARED, 0, "i2")
    assert foremost is not None
    assert chosen is not None
    assert (foremost.institution_id, chosen.institution_id) == ("i1", "i2")
    assert made.holder(SHARED, 0) == "joe"


def test_memberships_follow_the_accounts() -> None:
    made = registry()
    assert made.memberships("joe") == (Membership("i1", 0, FOREVER), Membership("i2", 0, FOREVER))
    assert made.memberships("firm1") == ()
    made.apply(
        Account(
            account_id=SHARED,
            party_id="joe",
            bank="b",
            role=AccountRole.external,
            institution_id="i2",
            valid_from=9,
        )
    )
    assert made.memberships("joe") == (Membership("i1", 0, FOREVER), Membership("i2", 0, 9))
    made.apply(
        Account(account_id=SHARED, party_id="ann", bank="b", role=AccountRole.client, institution_id="i1")
    )
    assert made.memberships("joe") == (Membership("i2", 0, 9),)
    assert made.memberships("ann") == (Membership("i1", 0, FOREVER),)


def test_loans_by_borrower() -> None:
    made = registry()
    assert [one.product_id for one in made.borrowed_by("joe", 0)] == ["x"]
    assert made.borrowers("x") == ("joe",)
    made.apply(Product(product_id="x", institution_id="i1", borrower_party_id="ann", valid_from=9))
    assert [len(made.borrowed_by("joe", ts)) for ts in (8, 9)] == [1, 0]
    assert made.borrowers("x") == ("ann", "joe")


def test_licences_groups_products_and_feeds() -> None:
    made = registry()
    assert [len(made.licences("i1", ts)) for ts in (39, 40)] == [1, 0]
    assert [made.group_members("g", ts) for ts in (99, 100)] == [("i1",), ("i1", "i2")]
    product, feed = made.product("x", 0), made.feed("f", 0)
    assert product is not None
    assert product.borrower_party_id == "joe"
    assert feed is not None
    assert feed.lateness_seconds == 5
    assert made.feed("g", 0) is None


def test_order_and_repetition_do_not_matter() -> None:
    expected = answers(registry())
    for rotated in range(len(RECORDS)):
        again = registry(RECORDS[rotated:] + RECORDS[:rotated])
        revision = again.revision
        assert not any(again.apply(record) for record in RECORDS)
        assert again.revision == revision == len(RECORDS)
        assert answers(again) == expected
    for relations in permutations(RECORDS[:4]):
        assert answers(registry([*relations, *RECORDS[4:]])) == expected


def test_it_survives_pickling() -> None:
    made = registry()
    expected = answers(made)
    assert answers(pickle.loads(pickle.dumps(made))) == expected


def test_filings_products_and_accounts_of_an_institution() -> None:
    made = Registry()
    product = {"product_id": "x", "institution_id": "i1", "borrower_party_id": "joe"}
    filing = {"filing_id": "f", "institution_id": "i1", "filing_kind": FilingKind.subsidy, "valid_to": 50}
    for record in [*RECORDS, Product.model_validate(product), Filing.model_validate(filing)]:
        made.apply(record)
    assert [one.filing_id for one in made.filings("i1", FilingKind.subsidy, 49)] == ["f"]
    assert not made.filings("i1", FilingKind.subsidy, 50)
    assert not made.filings("i1", FilingKind.receiver, 49)
    assert [one.product_id for one in made.products_of("i1", 0)] == ["x"]
    assert made.ever_borrowed("joe")
    assert not made.ever_borrowed("boss")
    assert made.accounts_in_business("i1") == (OWN, SHARED)
    assert made.accounts_in_business("nobody") == ()


def test_of_what_kind_an_institution_ever_was() -> None:
    made = Registry()
    for kind, since in ((InstitutionKind.p2p, 0), (InstitutionKind.payment, 50)):
        names = {"institution_id": "i9", "party_id": "p9", "name": "i", "sector": "s"}
        of_kind = {"institution_kind": kind, "registered_region": "110000", "valid_from": since}
        made.apply(Institution.model_validate(names | of_kind))
    assert made.ever_was("i9", InstitutionKind.p2p)
    assert made.ever_was("i9", InstitutionKind.payment)
    assert not made.ever_was("i9", InstitutionKind.trust)
    assert not made.ever_was("nobody", InstitutionKind.p2p)


def test_products_of_a_kind_their_parts_and_their_accounts() -> None:
    made = Registry()
    parts = [
        {"product_id": "b", "parent_product_id": "a", "product_kind": ProductKind.vehicle, "valid_to": 50},
        {"product_id": "b", "product_kind": ProductKind.private, "valid_from": 50},
        {"product_id": "c", "parent_product_id": "a"},
    ]
    for part in parts:
        made.apply(Product.model_validate({"institution_id": "i1", **part}))
    assert [[one.product_id for one in made.parts_of("a", ts)] for ts in (49, 50)] == [["b", "c"], ["c"]]
    assert made.parts_of("b", 0) == ()
    assert list(made.ever_of_kind(ProductKind.vehicle)) == ["b"]
    assert list(made.ever_of_kind(ProductKind.private)) == ["b"]
    account = {"account_id": OWN, "party_id": "firm1", "bank": "b", "role": AccountRole.product_vehicle}
    made.apply(Account.model_validate(account | {"product_id": "b", "valid_to": 50}))
    made.apply(Account.model_validate(account | {"product_id": "a", "valid_from": 50}))
    assert made.products_kept(OWN) == ("a", "b")
    assert made.products_kept(SUPPLIER) == ()


def test_parties_related_to_a_party() -> None:
    made = registry()
    found = {ts: made.related_to("supplier", "firm1", ts) for ts in (9, 10, 50)}
    assert {ts: None if one is None else one.links for ts, one in found.items()} == {9: None, 10: 2, 50: None}
    itself = made.related_to("stranger", "stranger", 0)
    assert itself is not None
    assert itself.links == 0
    assert made.related_to("supplier", "stranger", 10) is None
