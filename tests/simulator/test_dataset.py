"""The data set on disk: the documented layout, and a world whose money adds up."""

import csv
import gzip
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from schemas.currency import to_minor
from schemas.instant import DAY, to_micros
from schemas.registry import Account, AccountRole, Feed, Party, Product, ProductKind
from schemas.transaction import Purpose
from simulator.misconduct import scheduled
from simulator.misconduct.case import UPKEEP
from simulator.parameters import SIZES

OUTSIDE = {"EXT_SOURCE", "EXT_SINK"}
LOOK_ALIKES = {
    *("shop", "payroll", "utilities_tax", "fee_account", "custody_main", "licensed_lender"),  # pooling
    *("platform_fee", "related_supplier", "salary_related", "listing_refund"),  # self-lending
    *("merchant_settlement", "refund_to_payer", "filed_fee_transfer"),  # reserve misuse
    *("cancelled_order", "two_way_trade", "own_account_transfer"),  # round-tripping
    *("licensed_compensation", "risk_reserve"),  # self-guarantee
    *("fee_sweep", "custody_correction", "private_dealings"),  # commingling, misappropriation, bypass
    *("claim_transfer", "later_loan", "repaid_and_borrowed_again"),  # terms, caps
    *("growing_platform", "signup_gift", "withdrawal_to_broker", "building_material_loan"),
}


def minor(row, field="amount"):
    return to_minor(row[field], "CNY")


@pytest.mark.parametrize(
    ("file", "header"),
    [
        (
            "transactions.csv",
            "tx_id,ts,src,dst,amount,currency,channel,src_bank,dst_bank,purpose,product,instruction,reversal_of",
        ),
        ("labels.csv", "tx_id,pattern_id,pattern_type,is_illicit,label_source"),
        (
            "patterns.csv",
            "pattern_id,pattern_type,is_illicit,n_tx,n_accounts,first_ts,last_ts,total_amount,shape_ok,"
            "label_source,main_account,accounts,variant,care,also,detectable_ts",
        ),
        ("balances.csv", "account,as_of,kind,balance,currency"),
        ("accounts.csv", "account,bank,kind,opening_balance"),
    ],
)
def test_the_columns_are_the_documented_ones(written, file, header):
    with (written.folder / file).open(encoding="utf-8") as lines:
        assert next(lines).rstrip("\n") == header


def test_the_layout_starts_with_the_shared_data_sets(written, shared_data):
    for name in ("transactions", "labels", "patterns", "accounts"):
        with gzip.open(shared_data / "amlgentex_s0" / f"{name}.csv.gz", "rt", encoding="utf-8") as lines:
            theirs = next(csv.reader(lines))
        with (written.folder / f"{name}.csv").open(encoding="utf-8") as lines:
            ours = next(csv.reader(lines))
        assert ours[: len(theirs)] == theirs


def test_transfers_are_in_time_order_and_numbered_once(written):
    times = [to_micros(row["ts"]) for row in written.transactions]
    assert all(a <= b for a, b in pairwise(times))
    assert len(written.by_id) == len(written.transactions)


def test_transfers_lie_in_the_order_in_which_banks_report_them(written):
    """Late ones among those of the day on which they come, within a day and after more; all are labelled."""
    latest, late = 0, {}
    for row in written.arrived:
        at_us = to_micros(row["ts"])
        if at_us < latest:
            late[row["tx_id"]] = latest - at_us
        latest = max(latest, at_us)
    assert 0 < len(late) < len(written.arrived) / 50
    assert max(late.values()) > DAY
    labelled = {label["tx_id"] for label in written.labels}
    assert late.keys() <= labelled
    only = {label["tx_id"] for label in written.labels if label["pattern_type"] == "late_report"}
    assert only


def test_nobody_ever_spends_what_he_has_not_got_and_no_money_is_made(written):
    opening = {row["account"]: minor(row, "opening_balance") for row in written.accounts}
    balance, entered, left = dict(opening), 0, 0
    for row in written.transactions:
        amount = minor(row)
        assert amount > 0
        if row["src"] in OUTSIDE:
            entered += amount
        else:
            balance[row["src"]] -= amount
            assert balance[row["src"]] >= 0, row
        if row["dst"] in OUTSIDE:
            left += amount
        else:
            balance[row["dst"]] += amount
    assert sum(balance.values()) == sum(opening.values()) + entered - left


def test_every_account_that_moves_money_is_listed_with_its_bank(written):
    banks = {row["account"]: row["bank"] for row in written.accounts}
    assert len(banks) == len(written.accounts)
    for row in written.transactions:
        for side in ("src", "dst"):
            assert row[side] in OUTSIDE or banks[row[side]] == row[f"{side}_bank"]
            assert row[side] not in OUTSIDE or row[f"{side}_bank"] == ""
        assert row["src"] != row["dst"]


def test_values_are_in_the_vocabulary(written):
    purposes = {purpose.name for purpose in Purpose} | {""}
    products = {product.product_id for product in written.of_kind(Product)} | {""}
    for row in written.transactions:
        assert row["purpose"] in purposes
        assert row["product"] in products
        assert row["currency"] == "CNY"


def test_a_reversal_undoes_an_earlier_transfer_exactly(written):
    undone = [row for row in written.transactions if row["reversal_of"]]
    assert undone
    for row in undone:
        original = written.by_id[row["reversal_of"]]
        assert (row["src"], row["dst"], row["amount"]) == (
            original["dst"],
            original["src"],
            original["amount"],
        )
        assert to_micros(original["ts"]) < to_micros(row["ts"])


def test_labels_and_patterns_agree_with_the_transfers(written):
    patterns = {row["pattern_id"]: row for row in written.patterns}
    assert set(patterns) == {label["pattern_id"] for label in written.labels}
    assert max(Counter(label["tx_id"] for label in written.labels).values()) == 1
    for label in written.labels:
        pattern = patterns[label["pattern_id"]]
        assert label["tx_id"] in written.by_id
        assert (label["pattern_type"], label["is_illicit"]) == (
            pattern["pattern_type"],
            pattern["is_illicit"],
        )
    for pattern_id, pattern in patterns.items():
        rows = written.transfers_of(pattern_id)
        assert int(pattern["n_tx"]) == len(rows)
        assert (pattern["first_ts"], pattern["last_ts"]) == (rows[0]["ts"], rows[-1]["ts"])
        assert minor(pattern, "total_amount") == sum(map(minor, rows))
        accounts = pattern["accounts"].split(";") if pattern["accounts"] else []
        assert int(pattern["n_accounts"]) == len(accounts)
        assert pattern["main_account"] in accounts or not accounts
        assert set(accounts) <= {row[side] for row in rows for side in ("src", "dst")}


def test_misconduct_says_how_careful_it_was_and_when_it_could_be_proven(written):
    for row in written.patterns:
        if row["is_illicit"] == "0":
            assert (row["care"], row["also"], row["detectable_ts"]) == ("", "", "")
            continue
        assert row["care"] in {"clumsy", "ordinary", "careful"} or row["variant"] == UPKEEP
        assert row["first_ts"] <= row["detectable_ts"]
        evening = row["detectable_ts"].endswith("T16:00:00Z")
        corrected = row["pattern_type"] == "misappropriation"
        assert evening if corrected else row["detectable_ts"] <= row["last_ts"]
        assert row["pattern_type"] not in row["also"].split(";")


def test_balances_are_those_of_the_transfers(written):
    """Every evening, of every account of an institution but its clients' and its merchants'."""
    balance = {row["account"]: minor(row, "opening_balance") for row in written.accounts}
    stated = [row for row in written.balances if row["kind"] == "booked"]
    transfers = iter([*written.transactions, {"ts": "9999"}])
    row = next(transfers)
    for statement in stated:
        while row["ts"] <= statement["as_of"]:
            for side, sign in (("src", -1), ("dst", 1)):
                if row[side] not in OUTSIDE:
                    balance[row[side]] += sign * minor(row)
            row = next(transfers)
        assert minor(statement, "balance") == balance[statement["account"]]
    mine = {
        number
        for number, account in written.account_of.items()
        if account.institution_id
        and account.role not in (AccountRole.client, AccountRole.merchant_settlement)
    }
    assert Counter(row["account"] for row in stated) == dict.fromkeys(mine, written.world.length)


def test_an_honest_payment_institution_has_in_its_reserve_what_it_owes(written):
    booked, owed = ({}, {})
    for row in written.balances:
        (booked if row["kind"] == "booked" else owed)[row["account"], row["as_of"]] = minor(row, "balance")
    honest = {firm.institution_id for firm in written.world.cast.payment_institutions if not firm.rogue}
    reserves = {account for account, _ in owed}
    assert {written.account_of[account].role for account in reserves} == {AccountRole.reserve}
    under_way = defaultdict(int)  # booked in the forty minutes after the balance was stated
    for label in written.labels:
        if label["pattern_type"] == "in_flight":
            row = written.by_id[label["tx_id"]]
            under_way[row["dst"], row["ts"][:10]] += minor(row)
    last = max(as_of for _, as_of in owed)
    for (account, as_of), clients in owed.items():
        if as_of < last and written.account_of[account].institution_id in honest:
            assert clients <= booked[account, as_of] + under_way[account, as_of[:10]]


def test_every_look_alike_of_the_catalogue_is_there(written):
    honest = {row["pattern_type"] for row in written.patterns if row["is_illicit"] == "0"}
    assert honest >= LOOK_ALIKES


def test_every_case_planted_comes_to_its_end(written):
    world = written.world
    cases = scheduled(world.seed, SIZES["small"], world.start_us, world.length)
    expected = Counter((case.typology, case.variant.name, case.variant.care) for case in cases)
    planted = [row for row in written.patterns if row["is_illicit"] == "1" and row["variant"] != UPKEEP]
    assert Counter((row["pattern_type"], row["variant"], row["care"]) for row in planted) == expected
    assert {row["shape_ok"] for row in planted} == {"1"}


def test_several_typologies_are_complete_within_four_days(written):
    end = written.world.start_us + 4 * 86_400_000_000
    early = {
        row["pattern_type"]
        for row in written.patterns
        if row["is_illicit"] == "1" and to_micros(row["last_ts"]) < end
    }
    assert early >= {"pooling", "self_lending", "reserve_misuse", "round_tripping", "custody_bypass"}


def test_the_registry_refers_only_to_what_it_holds(written):
    parties = {party.party_id for party in written.of_kind(Party)}
    listed = {row["account"]: row["bank"] for row in written.accounts}
    for account in written.of_kind(Account):
        assert account.party_id in parties
        assert listed[account.account_id] == account.bank
        assert account.institution_id is None or account.institution_id in written.institutions
    for relation in written.relations:
        assert {relation.from_id, relation.to_id} <= parties
    for product in written.of_kind(Product):
        assert product.borrower_party_id in parties or product.product_kind is ProductKind.fund
        assert product.institution_id in written.institutions
    assert len({product.product_id for product in written.of_kind(Product)}) == len(written.of_kind(Product))
    assert {feed.bank for feed in written.of_kind(Feed)} == set(listed.values())


def test_one_file_a_kind(written):
    names = {path.stem for path in (written.folder / "registry").iterdir()}
    assert names == {"institution", "party", "relation", "account", "product", "licence", "filing", "feed"}
