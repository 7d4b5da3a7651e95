"""Honest business is honest: what goes through custody and reserves adds up."""

from collections import defaultdict

from schemas.currency import to_minor
from schemas.registry import AccountRole, Product, ProductKind
from simulator.parameters import WITHDRAWAL_FEE


def minor(row):
    return to_minor(row["amount"], "CNY")


def by_product(written, *purposes):
    sums = defaultdict(lambda: defaultdict(int))
    for row in written.honest:
        if row["product"] and row["purpose"] in purposes:
            sums[row["product"]][row["purpose"]] += minor(row)
    return sums


def test_a_listing_is_disbursed_once_and_only_what_its_investors_paid_in(written):
    principal = {
        product.product_id: product.principal_minor
        for product in written.of_kind(Product)
        if product.product_kind in (ProductKind.listing, ProductKind.project)
    }
    disbursed = 0
    for product, sums in by_product(written, "invest", "disburse", "refund").items():
        if product not in principal:
            continue
        assert sums["disburse"] in (0, principal[product])
        if sums["disburse"]:
            disbursed += 1
            assert sums["invest"] == principal[product]
            assert not sums["refund"]
        assert sums["refund"] in (0, sums["invest"])
        assert sums["invest"] <= principal[product]
    assert disbursed > 100


def test_what_a_borrower_or_guarantor_pays_reaches_the_investors_to_the_fen(written):
    roles = {number: account.role for number, account in written.account_of.items()}
    custody = {number for number, role in roles.items() if role is AccountRole.custody}
    taken, given = defaultdict(int), defaultdict(int)
    for row in written.honest:
        if row["purpose"] in ("repay", "compensation") and row["product"]:
            if row["dst"] in custody:
                taken[row["product"]] += minor(row)
            else:
                assert roles[row["dst"]] is AccountRole.client
                given[row["product"]] += minor(row)
    assert taken == given


def test_fees_are_within_what_was_filed(written):
    sums = by_product(written, "disburse", "fee")
    seller = {product.product_id: product.institution_id for product in written.of_kind(Product)}
    charged = 0
    for product, paid in sums.items():
        filed = written.institutions[seller[product]].fee_rate_bp
        if filed is None:  # a manager's product pays no fee on the way
            assert not paid["fee"]
            continue
        assert paid["fee"] <= paid["disburse"] * filed // 10_000
        charged += paid["fee"] > 0
    lent = sum(written.institutions[seller[product]].fee_rate_bp is not None for product in sums)
    assert charged > 0.9 * lent  # the rest: the bank left the purpose out


def test_a_fee_account_takes_small_fees_and_pays_only_its_own_platform(written):
    accounts = written.account_of
    fees = {number: account for number, account in accounts.items() if account.role is AccountRole.fee}
    for row in written.honest:
        if row["dst"] in fees and not row["product"]:
            assert minor(row) == WITHDRAWAL_FEE
        if row["src"] in fees:
            receiver = accounts[row["dst"]]
            assert receiver.role is AccountRole.own
            assert receiver.institution_id == fees[row["src"]].institution_id


def test_a_payment_institution_takes_no_more_than_the_fee_it_earned(written):
    accounts = written.account_of
    settled, taken = defaultdict(int), defaultdict(int)
    for row in written.honest:
        if row["src"] not in accounts:
            continue
        src = accounts[row["src"]]
        if src.role is AccountRole.reserve and row["purpose"] == "merchant_settlement":
            settled[src.institution_id] += minor(row)
        if src.role is AccountRole.reserve and row["purpose"] == "fee":
            taken[src.institution_id] += minor(row)
            rate = written.institutions[src.institution_id].fee_rate_bp
            assert taken[src.institution_id] <= settled[src.institution_id] * rate / (10_000 - rate) + 1
    assert len(taken) == 4


def test_refunds_from_a_reserve_go_to_somebody_who_paid_that_amount(written):
    accounts = written.account_of
    bought = set()
    refunds = 0
    for row in written.honest:
        if row["purpose"] == "purchase" and row["dst"] in accounts:
            bought.add((row["dst"], row["src"], row["amount"]))
        elif row["purpose"] == "refund" and accounts[row["src"]].role is AccountRole.reserve:
            refunds += 1
            assert (row["src"], row["dst"], row["amount"]) in bought
    assert refunds > 50


def test_salaries_are_paid_on_working_days(written):
    days = {row["ts"][:10] for row in written.transactions if row["purpose"] == "salary"}
    holidays = {f"2019-02-{day:02d}" for day in range(4, 11)}
    assert days
    assert not days & holidays
