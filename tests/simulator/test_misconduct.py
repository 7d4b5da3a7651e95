"""Planted cases have the shape they claim, seen with nothing but the data set, networkx and the catalogue."""

import math
from itertools import pairwise

import networkx as nx
import pytest

from schemas.currency import to_minor
from schemas.instant import DAY, to_micros
from schemas.registry import AccountRole, RelationKind


def minor(row):
    return to_minor(row["amount"], "CNY")


def cases(written, typology):
    return [row for row in written.patterns if row["pattern_type"] == typology and row["is_illicit"] == "1"]


def related(written, party: str) -> set[str]:
    """Parties within three links of `party`, shares multiplied, at least 5 % (the catalogue's words)."""
    ties = nx.Graph()
    for relation in written.relations:
        share = relation.share_bp / 10_000 if relation.relation is RelationKind.shareholder else 1.0
        known = ties.get_edge_data(relation.from_id, relation.to_id, {"share": 0.0})["share"]
        ties.add_edge(relation.from_id, relation.to_id, share=max(share, known))
    near = nx.single_source_shortest_path(ties, party, cutoff=3)
    return {
        other
        for other, path in near.items()
        if math.prod(ties[a][b]["share"] for a, b in pairwise(path)) >= 0.05
    }


def parties_of_clients(written, institution_id):
    return {
        account.party_id
        for account in written.account_of.values()
        if account.role is AccountRole.client and account.institution_id == institution_id
    }


def test_pooling_takes_from_many_clients_of_one_platform_and_pays_on_unmatched(written):
    for case in cases(written, "pooling"):
        rows = written.transfers_of(case["pattern_id"])
        own = set(case["accounts"].split(";"))
        taken = [row for row in rows if row["dst"] in own and row["src"] not in own]
        paid = [row for row in rows if row["src"] in own and row["dst"] not in own]
        known = {row["src"] for row in taken} & written.account_of.keys()
        payers = {written.account_of[account].party_id for account in known}
        platforms = [
            institution.institution_id
            for institution in written.institutions.values()
            if payers <= parties_of_clients(written, institution.institution_id)
        ]
        assert len(payers) >= 20, case["variant"]
        assert len(platforms) >= 1, case["variant"]
        assert {written.account_of[a].role for a in own} <= {AccountRole.own, AccountRole.external}
        assert len({row["dst"] for row in paid}) >= 3
        amounts = {row["amount"] for row in taken}
        assert sum(row["amount"] in amounts for row in paid) <= len(paid) / 2, case["variant"]
        assert not any(row["product"] for row in rows)
        assert 0 < sum(map(minor, paid)) <= sum(map(minor, taken)) * 1.05
        assert to_micros(taken[0]["ts"]) < to_micros(paid[0]["ts"])


def arrivals(rows, source):
    """What each account can have received of `source`'s money by time-respecting paths, and over how
    many legs: the labelled transfers replayed in time order, every account passing on no more than it got."""
    got, legs = {}, {source: 0}
    for row in rows:
        amount = minor(row)
        carried = amount if row["src"] == source else min(amount, got.get(row["src"], 0))
        if carried:
            got[row["dst"]] = got.get(row["dst"], 0) + carried
            legs[row["dst"]] = min(legs.get(row["dst"], 99), legs[row["src"]] + 1)
    return got, legs


def test_self_lending_brings_a_listings_money_back_to_the_group(written):
    for case in cases(written, "self_lending"):
        rows = written.transfers_of(case["pattern_id"])
        disbursed = [row for row in rows if row["purpose"] == "disburse"]
        custody = written.account_of[disbursed[0]["src"]]
        platform = written.institutions[custody.institution_id]
        assert custody.role is AccountRole.custody
        assert all(row["product"].startswith(platform.institution_id) for row in disbursed)
        group = related(written, platform.party_id)
        got, legs = arrivals(rows, disbursed[0]["src"])
        ends = [a for a in got if a in written.account_of and written.account_of[a].party_id in group]
        reached = sum(got[account] for account in ends)
        assert ends, case["variant"]
        assert reached >= 0.6 * sum(map(minor, disbursed)), case["variant"]
        assert max(legs[account] for account in ends) <= 4
        assert to_micros(rows[-1]["ts"]) - to_micros(rows[0]["ts"]) <= 20 * DAY
        assert nx.has_path(nx.DiGraph((r["src"], r["dst"]) for r in rows), disbursed[0]["src"], ends[0])


ALLOWED = {
    AccountRole.merchant_settlement,
    AccountRole.filed_own,
    AccountRole.clearing_house,
    AccountRole.reserve,
    AccountRole.partner_reserve,
}


def test_reserve_misuse_leaves_the_reserve_without_an_instruction(written):
    for case in cases(written, "reserve_misuse"):
        rows = written.transfers_of(case["pattern_id"])
        reserves = {a.account_id for a in written.account_of.values() if a.role is AccountRole.reserve}
        out = [row for row in rows if row["src"] in reserves]
        assert out, case["variant"]
        assert all(row["instruction"] == "" for row in out)
        assert len({row["src"] for row in out}) == 1


def test_honest_money_leaves_a_reserve_only_as_it_may(written):
    illicit = {label["tx_id"] for label in written.labels if label["is_illicit"] == "1"}
    reserves = {a.account_id: a for a in written.account_of.values() if a.role is AccountRole.reserve}
    out = [row for row in written.transactions if row["src"] in reserves and row["tx_id"] not in illicit]
    assert {row["purpose"] for row in out} == {
        *("merchant_settlement", "refund", "withdraw", "fee", "reserve_transfer", "invest", "redemption")
    }
    for row in out:
        role = written.role(row["dst"])
        assert role in ALLOWED or row["instruction"]


@pytest.mark.parametrize("typology", ["pooling", "self_lending", "reserve_misuse"])
def test_only_rogue_institutions_misbehave(written, typology):
    honest = {p.institution_id for p in written.world.cast.platforms if not p.rogue}
    honest |= {p.institution_id for p in written.world.cast.payment_institutions if not p.rogue}
    for case in cases(written, typology):
        owners = {
            written.account_of[account].institution_id
            for account in case["accounts"].split(";")
            if account in written.account_of
        }
        assert not owners & honest
