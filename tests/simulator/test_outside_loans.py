"""Misconduct outside loans has the shape it claims, seen with nothing but the data set and the catalogue."""

from collections import Counter, defaultdict

import pytest

from schemas.currency import to_minor
from schemas.registry import Account, AccountRole, Filing, FilingKind, LegalForm, Party, Product, ProductKind

OUTSIDE = {"EXT_SOURCE", "EXT_SINK"}


def minor(row):
    return to_minor(row["amount"], "CNY")


def cases(written, typology, variant=None):
    """(variant, transfers) of each planted case."""
    found = [
        (row["variant"], written.transfers_of(row["pattern_id"]))
        for row in written.patterns
        if row["pattern_type"] == typology and row["is_illicit"] == "1" and variant in (None, row["variant"])
    ]
    assert found
    return found


def accounts_of_role(written, role):
    return {account.account_id for account in written.of_kind(Account) if account.role is role}


def degrees(rows):
    pairs = {(row["src"], row["dst"]) for row in rows}
    return Counter(dst for _, dst in pairs), Counter(src for src, _ in pairs)


@pytest.mark.parametrize(
    ("typology", "most_in", "most_out", "hubs"),
    [
        ("fan_in", 14, 1, 1),
        ("fan_out", 1, 14, 1),
        ("gather_scatter", 9, 9, 1),
        ("scatter_gather", 9, 9, 2),
        ("bipartite", 5, 6, 0),
        ("stack", 6, 6, 0),
    ],
)
def test_shapes(written, typology, most_in, most_out, hubs):
    for variant, rows in cases(written, typology):
        taken, given = degrees(rows)
        assert max(taken.values()) == most_in, variant
        assert max(given.values()) == most_out, variant
        busy = {a for a in (*taken, *given) if taken[a] >= 9 or given[a] >= 9}
        assert len(busy) == hubs, variant


def test_nobody_in_a_shape_pays_before_he_was_paid(written):
    for typology in ("gather_scatter", "scatter_gather", "stack"):
        for variant, rows in cases(written, typology):
            first_in = {}
            for row in rows:
                first_in.setdefault(row["dst"], row["ts"])
                if row["src"] in first_in:
                    assert first_in[row["src"]] < row["ts"], variant


def test_structuring_keeps_each_part_below_the_limit_and_a_day_above(written):
    limits = {
        "cash_counter": 5_000_000,
        "many_banks": 5_000_000,
        "person": 50_000_000,
        "border": 20_000_000,
        "sister_firm": 200_000_000,
    }
    for variant, rows in cases(written, "structuring"):
        days = defaultdict(int)
        for row in rows:
            assert minor(row) < limits[variant]
            days[row["ts"][:10]] += minor(row)
        assert min(days.values()) >= limits[variant], variant


def test_pass_through_leaves_next_to_nothing(written):
    for variant, rows in cases(written, "pass_through"):
        taken, given = defaultdict(int), defaultdict(int)
        for row in rows:
            taken[row["dst"]] += minor(row)
            given[row["src"]] += minor(row)
        hands = set(taken) & set(given)
        assert hands
        assert all(given[hand] > 0.9 * taken[hand] for hand in hands), variant


def test_an_unlicensed_firm_takes_from_many_and_settles_less_a_small_fee(written):
    for variant, rows in cases(written, "unlicensed_payment"):
        taken = sum(minor(row) for row in rows if row["channel"] == "online")
        buyers = {row["src"] for row in rows if row["channel"] == "online"}
        final = {row["dst"] for row in rows} - {row["src"] for row in rows}
        settled = sum(minor(row) for row in rows if row["dst"] in final)
        assert len(buyers) > 100
        assert len(final) >= 9
        assert 0.97 * taken < settled < taken, variant
        assert all(written.account_of[seller].institution_id is None for seller in final)


def test_disguised_clearing_never_touches_a_clearing_house(written):
    clearing = accounts_of_role(written, AccountRole.clearing_house)
    for variant, rows in cases(written, "disguised_clearing"):
        assert not clearing & {row[side] for row in rows for side in ("src", "dst")}
        own = {
            a for a in accounts_of_role(written, AccountRole.own) if any(a in row.values() for row in rows)
        }
        assert len({written.account_of[account].bank for account in own}) == 2
        taken = sum(minor(row) for row in rows if row["dst"] in own)
        paid = sum(minor(row) for row in rows if row["src"] in own)
        assert 0.98 * taken < paid <= taken, variant


def test_a_reserve_advances_redemptions(written):
    reserves = accounts_of_role(written, AccountRole.reserve)
    for variant, rows in cases(written, "fund_advance"):
        held, lowest = 0, 0
        for row in rows:
            held += -minor(row) if row["src"] in reserves else minor(row)
            lowest = min(lowest, held)
        assert lowest < 0, variant


def test_clients_money_lies_where_it_may_not(written):
    banks = {row["account"]: row["bank"] for row in written.accounts}
    for variant, rows in cases(written, "reserve_location"):
        kept = {row["dst"] for row in rows if row["purpose"] == "top_up"}
        assert {banks[account] for account in kept} - {"pbc"}, variant


def test_a_shortfall_shows_in_the_balances(written):
    stated = defaultdict(dict)
    for row in written.balances:
        stated[row["account"], row["as_of"][:10]][row["kind"]] = to_minor(row["balance"], "CNY")
    reserves = accounts_of_role(written, AccountRole.reserve)
    for variant, rows in cases(written, "reserve_shortfall"):
        reserve = next(row[side] for row in rows for side in ("src", "dst") if row[side] in reserves)
        evening = stated[reserve, rows[-1]["ts"][:10]]
        assert evening["booked"] < evening["clients"], variant


def test_private_products_are_sold_beyond_their_limits(written):
    forms = {product.product_id: product.legal_form for product in written.of_kind(Product)}
    for variant, rows in cases(written, "investor_limit"):
        payers = {row["src"] for row in rows} - {row["dst"] for row in rows}
        form = next(forms[row["product"]] for row in rows if row["product"])
        assert len(payers) > (200 if form is LegalForm.contract else 50), variant


def test_money_passes_two_or_more_unfiled_vehicles(written):
    filed = {f.product_id for f in written.of_kind(Filing) if f.filing_kind is FilingKind.nesting}
    vehicles = accounts_of_role(written, AccountRole.product_vehicle)
    for variant, rows in cases(written, "nested_products"):
        layers = {row["src"] for row in rows} & vehicles
        assert len(layers) >= 2, variant
        assert not {written.account_of[layer].product_id for layer in layers} & filed


def test_a_split_product_ends_with_people_who_may_not_hold_it(written):
    qualified = {party.party_id for party in written.of_kind(Party) if party.qualified_investor}
    may_buy = {a.account_id for a in written.of_kind(Account) if a.party_id in qualified}
    private = {p.product_id for p in written.of_kind(Product) if p.product_kind is ProductKind.private}
    for variant, rows in cases(written, "split_sale"):
        assert {row["product"] for row in rows} - {""} <= private
        buyers = {row["src"] for row in rows if minor(row) < 10_000_000}
        assert len(buyers - may_buy) >= 25, variant


def test_a_drain_takes_most_of_what_the_institution_has(written):
    opening = {row["account"]: to_minor(row["opening_balance"], "CNY") for row in written.accounts}
    for variant, rows in cases(written, "exit_drain"):
        sources = {row["src"] for row in rows if written.account_of.get(row["src"]) is not None}
        own = {a for a in sources if written.account_of[a].role is AccountRole.own}
        gone = sum(minor(row) for row in rows if row["src"] in own)
        assert gone > 0.8 * sum(opening[account] for account in own), variant


def test_a_firewall_is_breached_beyond_the_filed_cap(written):
    for variant, rows in cases(written, "firewall_breach"):
        payer = written.account_of[rows[0]["src"]]
        cap = next(f.cap_minor for f in written.of_kind(Filing) if f.institution_id == payer.institution_id)
        assert sum(minor(row) for row in rows if row["src"] == rows[0]["src"]) > cap, variant


def test_planted_people_live_within_office_hours_like_others(written):
    """No moment of the day gives a case away."""
    seconds = Counter()
    for row in written.patterns:
        if row["is_illicit"] == "1":
            seconds.update(transfer["ts"][11:19] for transfer in written.transfers_of(row["pattern_id"]))
    _, most = seconds.most_common(1)[0]
    assert most < 0.02 * seconds.total()
