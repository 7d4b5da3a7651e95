"""Tracing over the stores: what a supervisor is told of an account's money."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from schemas.instant import DAY, HOUR, to_rfc3339
from services.api.queries import payments
from tests.api.world import START_US, World, bearer, token

NAMES = {token(name): name for name in ("investor", "saver", "custody", "borrower", "shareholder", "across")}


def trace(client: TestClient, account: str, name: str = "all", **asked: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/accounts/{token(account)}/trace", params=asked, headers=bearer(name))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ends(traced: dict[str, Any]) -> dict[str, tuple[int, str]]:
    return {NAMES[end["account"]]: (end["amount_minor"], end["kind"]) for end in traced["ends"]}


def test_where_an_investors_money_went(client: TestClient) -> None:
    traced = trace(client, "investor")
    assert ends(traced) == {"shareholder": (1000, "rests")}
    assert [(row["amount_minor"], row["carried_minor"]) for row in traced["payments"]] == [
        (1000, 1000),
        (1500, 1000),
        (1200, 1000),
    ]
    assert (traced["asked_minor"], traced["currency"], traced["limits"]) == (1000, "CNY", [])
    assert (traced["from_at"], traced["to_at"]) == (to_rfc3339(START_US), to_rfc3339(START_US + 31 * DAY + 1))


@pytest.mark.parametrize(
    ("attribution", "found"),
    [
        ("fifo", {"shareholder": (1000, "rests")}),
        ("pro_rata", {"shareholder": (600, "rests"), "borrower": (150, "rests"), "custody": (250, "rests")}),
        (
            "lowest_balance",
            {"shareholder": (200, "rests"), "borrower": (300, "rests"), "custody": (500, "rests")},
        ),
    ],
)
def test_the_query_chooses_how_money_is_attributed(
    client: TestClient, attribution: str, found: dict[str, tuple[int, str]]
) -> None:
    traced = trace(client, "investor", attribution=attribution)
    assert traced["attribution"] == attribution
    assert ends(traced) == found


def test_where_a_shareholders_money_came_from(client: TestClient) -> None:
    traced = trace(client, "shareholder", direction="backward")
    assert ends(traced) == {"investor": (1000, "rests"), "saver": (200, "rests")}
    assert [row["carried_minor"] for row in traced["payments"]] == [None] * 4


def test_the_registry_says_who_holds_an_account(client: TestClient) -> None:
    (end,) = trace(client, "investor")["ends"]
    assert (end["role"], end["party_id"], end["institution_id"]) == ("own", "P-007", "p2p-001")
    (end,) = trace(client, "investor", legs=1)["ends"]
    assert (end["role"], end["party_id"], end["kind"]) == ("unknown", None, "bound")


def test_one_payment_or_a_period_is_followed(client: TestClient) -> None:
    assert trace(client, "custody", tx_id="bank_b-custody-borrower-2")["asked_minor"] == 1500
    early = client.get(
        f"/v1/accounts/{token('custody')}/trace", params={"paid_to": to_rfc3339(START_US + 2 * HOUR)}
    )
    assert early.status_code == 404
    assert "widen" in early.json()["detail"]


def test_money_is_followed_no_further_than_the_feeds_one_may_read(client: TestClient, world: World) -> None:
    world.add_payments("bank_b", ((5, "far", "across", 10),))
    assert ends(trace(client, "far", "beijing")) == {"across": (10, "rests")}


def test_what_is_left_out_is_said(client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "MAX_ASKED", 1)
    monkeypatch.setattr(payments, "MAX_SHOWN", 1)
    world.add_payments("bank_b", ((6, "many", "one", 10), (7, "many", "two", 10), (8, "one", "two", 3)))
    traced = trace(client, "many")
    assert traced["asked_minor"] == 10
    assert len(traced["ends"]) == len(traced["payments"]) == 1
    assert [(limit["name"], limit["bound"]) for limit in traced["limits"]] == [("asked", 1), ("shown", 1)]


@pytest.mark.parametrize("attribution", ["fifo", "pro_rata", "lowest_balance"])
def test_a_thousand_payments_through_a_hub_of_others(
    client: TestClient, world: World, attribution: str
) -> None:
    crowd = [(n % 48, f"member{n}", f"pool-{attribution}", 100) for n in range(400)]
    world.add_payments("bank_b", (*crowd, (60, f"pool-{attribution}", f"exit-{attribution}", 40_000)))
    traced = trace(client, f"exit-{attribution}", direction="backward", attribution=attribution)
    assert len(traced["ends"]) == 400
    assert {end["amount_minor"] for end in traced["ends"]} == {100}
