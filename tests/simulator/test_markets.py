"""The markets besides lending and payments are honest, in the way each look-alike of the catalogue says."""

from collections import defaultdict
from itertools import pairwise

import pytest

from schemas.currency import to_minor
from schemas.instant import DAY, to_micros
from schemas.registry import AccountRole, Filing, FilingKind, Party
from simulator.dates import BEIJING_OFFSET

LOOK_ALIKES = (
    *("varying_dividend", "founders_share", "separate_products", "salary_day_peak", "festival_peak"),
    *("in_flight", "own_account_interest", "clearing_transit", "redemption_pass_through"),
    *("own_funds_moved", "marketplace", "payroll_agent", "filed_agent", "feeder_master"),
    *("secondary_sale", "group_service_fee", "periodical", "mutual", "equal_instalments"),
    *("yearly_tax", "tuition"),
)


def minor(row):
    return to_minor(row["amount"], "CNY")


def honest(written, pattern_type):
    """The labelled transfers of each honest pattern of that type."""
    return [
        written.transfers_of(row["pattern_id"])
        for row in written.patterns
        if row["pattern_type"] == pattern_type and row["is_illicit"] == "0"
    ]


def filed(written, kind):
    return [filing for filing in written.of_kind(Filing) if filing.filing_kind is kind]


@pytest.mark.parametrize("pattern_type", LOOK_ALIKES)
def test_every_look_alike_is_there(written, pattern_type):
    assert honest(written, pattern_type)


def test_dividends_vary_from_payment_to_payment(written):
    changed = 0
    for rows in honest(written, "varying_dividend"):
        paid = [minor(row) for row in rows if written.account_of[row["dst"]].role is AccountRole.custody]
        changed += sum(a != b for a, b in pairwise(paid))
        assert all(a != b for a, b in pairwise(paid))
    assert changed


def test_founders_are_declared_and_take_a_small_part(written):
    holders = {relation.from_id for relation in written.relations}
    for rows in honest(written, "founders_share"):
        assert all(written.account_of[row["src"]].party_id in holders for row in rows)


def test_a_reserve_pays_redemptions_only_after_the_funds_money_came(written):
    for rows in honest(written, "redemption_pass_through"):
        held = 0
        for row in rows:
            held += -minor(row) if written.role(row["src"]) is AccountRole.reserve else minor(row)
            assert held >= 0
        assert held == 0


def test_private_products_take_only_from_qualified_investors(written):
    qualified = {party.party_id for party in written.of_kind(Party) if party.qualified_investor}
    for pattern_type in ("private_product", "separate_products", "feeder_master"):
        for rows in honest(written, pattern_type):
            for row in rows:
                payer = written.account_of[row["src"]]
                if row["purpose"] == "invest" and payer.role is AccountRole.external:
                    assert payer.party_id in qualified
    for rows in honest(written, "secondary_sale"):
        for row in rows:
            assert {written.account_of[row[side]].party_id for side in ("src", "dst")} <= qualified


def test_feeders_are_filed(written):
    products = {filing.product_id for filing in filed(written, FilingKind.nesting)}
    for rows in honest(written, "feeder_master"):
        sold = {row["product"] for row in rows if written.account_of[row["src"]].product_id is None}
        assert sold & products


def test_what_a_marketplaces_buyers_pay_is_settled_the_same_night(written):
    for rows in honest(written, "marketplace"):
        days = defaultdict(int)
        for row in rows:
            out = written.role(row["src"]) is AccountRole.reserve
            beijing_day = (to_micros(row["ts"]) + BEIJING_OFFSET) // DAY
            days[beijing_day] += -minor(row) if out else minor(row)
        assert set(days.values()) == {0}


def test_agents_have_filed_and_pay_out_what_they_took_less_a_fee(written):
    agencies = {filing.institution_id for filing in filed(written, FilingKind.agency)}
    for pattern_type in ("payroll_agent", "filed_agent"):
        for rows in honest(written, pattern_type):
            agent = next(row["dst"] for row in rows)
            assert written.account_of[agent].institution_id in agencies
            taken = sum(minor(row) for row in rows if row["dst"] == agent)
            paid = sum(minor(row) for row in rows if row["src"] == agent)
            assert 0.97 * taken < paid < taken


def test_transit_accounts_are_empty_at_night(written):
    transits = {rows[0]["dst"] for rows in honest(written, "clearing_transit")}
    closing = {row["balance"] for row in written.balances if row["account"] in transits}
    assert {float(balance) for balance in closing} == {0.0}


def test_services_within_a_group_stay_below_what_was_filed(written):
    caps = {filing.institution_id: filing.cap_minor for filing in filed(written, FilingKind.service)}
    for rows in honest(written, "group_service_fee"):
        for row in rows:
            assert minor(row) <= caps[written.account_of[row["src"]].institution_id]
        assert all(to_micros(b["ts"]) - to_micros(a["ts"]) > 20 * DAY for a, b in pairwise(rows))


def test_instalments_are_equal_and_loans_among_friends_come_back(written):
    for rows in honest(written, "equal_instalments"):
        assert len({row["amount"] for row in rows}) == 1
    both_ways = [rows for rows in honest(written, "mutual") if len({row["src"] for row in rows}) == 2]
    assert len(both_ways) > 50


def test_cash_and_money_abroad_say_so(written):
    channels = {row["channel"] for row in written.transactions}
    assert {"cash", "cross_border"} <= channels
