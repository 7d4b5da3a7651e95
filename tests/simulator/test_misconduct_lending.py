"""The planted cases on lending platforms are what they say, seen with nothing but the data set."""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from schemas.currency import to_minor
from schemas.instant import DAY, to_micros
from schemas.registry import AccountRole, Product
from simulator.misconduct.case import UPKEEP


def minor(row):
    return to_minor(row["amount"], "CNY")


@pytest.fixture(scope="module")
def cases(written):
    """Each planted case's variant and labelled transfers, by typology."""
    found = defaultdict(list)
    for row in written.patterns:
        if row["is_illicit"] == "1" and row["variant"] != UPKEEP:
            found[row["pattern_type"]].append((row, written.transfers_of(row["pattern_id"])))
    return found


def test_a_round_trip_comes_home_in_time_order_nearly_whole(cases):
    assert len(cases["round_tripping"]) >= 4
    for case, rows in cases["round_tripping"]:
        source = rows[0]["src"]
        out = sum(minor(row) for row in rows if row["src"] == source)
        home = sum(minor(row) for row in rows if row["dst"] == source)
        assert 0.85 * out <= home <= out, case["variant"]
        assert len({row["dst"] for row in rows} - {source}) >= 2
        assert to_micros(rows[-1]["ts"]) - to_micros(rows[0]["ts"]) <= 30 * DAY


def test_who_guarantees_pays_what_the_borrower_never_did(cases, written):
    borrower_of = {p.product_id: p.borrower_party_id for p in written.of_kind(Product)}
    for case, rows in cases["self_guarantee"]:
        product = next(row["product"] for row in rows if row["product"])
        paid = [row for row in rows if written.role(row["dst"]) is AccountRole.client]
        assert len(paid) >= 8, case["variant"]
        if case["care"] != "careful":
            payers = {row["src"] for row in rows if written.role(row["src"]) is not AccountRole.custody}
            assert all(written.account_of[payer].party_id != borrower_of[product] for payer in payers)


def test_straws_bring_what_they_borrowed_to_one_receiver(cases):
    for case, rows in cases["straw_borrowers"]:
        lent = [row for row in rows if row["purpose"] == "disburse"]
        assert len({row["dst"] for row in lent}) >= 5
        got = sum(minor(row) for row in rows if row["dst"] == case["main_account"])
        assert got >= 0.6 * sum(map(minor, lent)), case["variant"]


@pytest.mark.parametrize(
    ("typology", "end"),
    [
        ("margin_funding", AccountRole.securities_margin),
        ("down_payment_loan", AccountRole.property_developer),
    ],
)
def test_the_money_ends_where_it_must_not(cases, written, typology, end):
    for case, rows in cases[typology]:
        first = sum(minor(row) for row in rows if row["src"] == rows[0]["src"])
        arrived = sum(minor(row) for row in rows if written.role(row["dst"]) is end)
        assert arrived >= 0.5 * first, case["variant"]


@pytest.mark.parametrize("typology", ["commingling", "misappropriation"])
def test_client_money_goes_where_it_does_not_belong(cases, written, typology):
    clients = {AccountRole.custody, AccountRole.client}
    for case, rows in cases[typology]:
        crossing = [
            row
            for row in rows
            if (written.role(row["src"]) in clients) and written.role(row["dst"]) not in clients
        ]
        assert crossing, case["variant"]
        assert all(row["product"] == "" or case["variant"] == "other_payee" for row in crossing)


def test_who_bypasses_custody_is_paid_from_cards_at_another_account(cases, written):
    platforms = {a.bank for a in written.account_of.values() if a.role is AccountRole.custody}
    for case, rows in cases["custody_bypass"]:
        own = set(case["accounts"].split(";"))
        taken = [row for row in rows if row["src"] not in own]
        assert len({row["src"] for row in taken}) >= 8, case["variant"]
        assert not any(written.role(row["dst"]) in (AccountRole.custody, AccountRole.client) for row in rows)
    assert len(platforms) >= 3, "several custody banks"


def test_a_borrower_over_the_cap_has_more_disbursed_than_anybody_may_owe(cases, written):
    for case, rows in cases["borrower_cap"]:
        by_platform = Counter()
        for row in rows:
            by_platform[row["src"]] += minor(row)
        over_one = max(by_platform.values()) > 200_000_00
        assert over_one or sum(by_platform.values()) > 1_000_000_00, case["variant"]


def test_honest_borrowers_stay_within_what_they_may_owe(written):
    """What was disbursed within two months, which nobody has repaid much of."""
    roles = {number: account.role for number, account in written.account_of.items()}
    lent = defaultdict(int)
    for row in written.honest:
        if row["purpose"] == "disburse" and roles.get(row["src"]) is AccountRole.custody:
            lent[row["src"], row["dst"]] += minor(row)
    firms = {a.account_id for a in written.account_of.values() if a.party_id.startswith("company")}
    assert len(lent) > 200
    for (_, borrower), total in lent.items():
        assert total <= (1_000_000_00 if borrower in firms else 200_000_00)


def test_who_was_paid_out_before_the_loan_was_repaid_was_paid_by_later_investors(cases, written):
    assert cases["maturity_mismatch"]
    due = {p.product_id: p.due_at for p in written.of_kind(Product)}
    for case, rows in cases["maturity_mismatch"]:
        borrowers = {row["dst"] for row in rows if row["purpose"] == "disburse"}
        assert not any(row["src"] in borrowers for row in rows), case["variant"]
        back = [
            row for row in rows if written.role(row["dst"]) is AccountRole.client and row["src"] != row["dst"]
        ]
        assert len(back) >= 10, case["variant"]
        assert all(to_micros(row["ts"]) < due[row["product"]] for row in rows if row["product"])


def test_each_listing_of_a_split_term_repays_the_one_before(cases):
    for case, rows in cases["term_splitting"]:
        order = list(dict.fromkeys(row["product"] for row in rows if row["purpose"] == "invest"))
        assert len(order) >= 3
        for before, after in pairwise(order):
            lent = next(r for r in rows if r["product"] == after and r["purpose"] == "disburse")
            repaid = next(r for r in rows if r["product"] == before and r["purpose"] == "repay")
            assert 0 <= to_micros(repaid["ts"]) - to_micros(lent["ts"]) <= 8 * DAY, case["variant"]
            assert minor(repaid) <= minor(lent) * 1.05
