"""What each key sees of each route. A route without a case here fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from schemas.record import content_id
from services.api import examples
from tests.api.world import KEYS, alert, bearer, receipt, token

A1, A2, A3, A4 = (content_id(name) for name in ("a1", "a2", "a3", "a4"))
R1, R2, R3, R4 = examples.REJECT.reject_id, *(content_id(name) for name in ("r2", "r3", "r4"))
NAMES = [key["name"] for key in KEYS]
PUBLIC = {"/", "/docs", "/health", "/ready", "/metrics", "/openapi.json"}


@dataclass(frozen=True)
class Items:
    """A list at `url`: which ids of its items each key sees; a key not named sees none."""

    url: str
    id: str
    seen: dict[str, set[str]]


@dataclass(frozen=True)
class One:
    """A resource at `url`: the keys that see it; it does not exist for the others."""

    url: str
    by: set[str]


INSTITUTIONS = {"p2p-001", "p2p-002"}
ALL_RECEIPTS = {receipt("bank_b", sequence).batch_id for sequence in (3, 4, 7, 9, 10, 15)}
FULL, BEIJING, SHANGHAI = {"all", "no-rejects"}, {"all", "no-rejects", "beijing"}, {"shanghai"}

CASES: dict[str, list[Items | One]] = {
    "/v1/alerts": [
        Items(
            "/v1/alerts",
            "alert_id",
            {
                "all": {A1, A2, A3, A4},
                "no-rejects": {A1, A2, A3, A4},
                "beijing": {A1, A2},
                "shanghai": {A3},
            },
        )
    ],
    "/v1/alerts/{alert_id}": [
        One(f"/v1/alerts/{A1}", BEIJING),
        One(f"/v1/alerts/{A1}?version=1", BEIJING),
        One(f"/v1/alerts/{A3}", FULL | SHANGHAI),
        One(f"/v1/alerts/{A4}", FULL),
    ],
    "/v1/alerts/{alert_id}/versions": [One(f"/v1/alerts/{A1}/versions", BEIJING)],
    "/v1/alerts/{alert_id}/evidence": [
        One(f"/v1/alerts/{A1}/evidence", BEIJING),
        One(f"/v1/alerts/{A1}/evidence?format=graphml&version=1", BEIJING),
    ],
    "/v1/accounts/{account}/trace": [
        One(f"/v1/accounts/{token('custody')}/trace", BEIJING),
        One(f"/v1/accounts/{token('across')}/trace", FULL | SHANGHAI),
    ],
    "/v1/institutions": [
        Items(
            "/v1/institutions",
            "institution_id",
            {
                "all": {*INSTITUTIONS, "pay-01"},
                "no-rejects": {*INSTITUTIONS, "pay-01"},
                "beijing": INSTITUTIONS,
                "shanghai": {"pay-01"},
            },
        )
    ],
    "/v1/institutions/{institution_id}": [
        One("/v1/institutions/p2p-001", BEIJING),
        One("/v1/institutions/pay-01", FULL | SHANGHAI),
    ],
    "/v1/institutions/{institution_id}/risk-score": [One("/v1/institutions/p2p-001/risk-score", BEIJING)],
    "/v1/institutions/{institution_id}/risk-scores": [One("/v1/institutions/p2p-001/risk-scores", BEIJING)],
    "/v1/typologies": [
        Items(
            "/v1/typologies",
            "typology",
            {
                "all": {"self_lending", "pooling", "reserve_misuse", "gather_scatter"},
                "no-rejects": {"self_lending", "pooling", "reserve_misuse", "gather_scatter"},
                "beijing": {"self_lending", "pooling"},
                "shanghai": {"reserve_misuse"},
            },
        )
    ],
    "/v1/feeds": [
        Items(
            "/v1/feeds",
            "feed_id",
            {
                "all": {"bank_a", "bank_b", "bank_x"},
                "no-rejects": {"bank_a", "bank_b", "bank_x"},
                "beijing": {"bank_b"},
                "shanghai": {"bank_x"},
            },
        )
    ],
    "/v1/feeds/{feed_id}": [
        One("/v1/feeds/bank_b", BEIJING),
        One("/v1/feeds/bank_a", FULL),
    ],
    "/v1/feeds/{feed_id}/receipts": [
        One("/v1/feeds/bank_x/receipts", FULL | SHANGHAI),
        One("/v1/feeds/bank_b/receipts", BEIJING),
    ],
    "/v1/receipts/{feed_id}/{sequence}": [One("/v1/receipts/bank_b/7", BEIJING)],
    "/v1/rejects": [
        Items(
            "/v1/rejects",
            "reject_id",
            {"all": {R1, R2, R3, R4}, "beijing": {R1, R2, R3}, "shanghai": {R4}},
        )
    ],
    "/v1/rejects/{reject_id}": [
        One(f"/v1/rejects/{R1}", {"all", "beijing"}),
        One(f"/v1/rejects/{R4}", {"all", "shanghai"}),
    ],
}
FORBIDDEN = {"no-rejects", "wrong-region"}
"""Keys that may not read rejects: 403 before anything is looked up."""

URLS = [(path, case) for path, cases in CASES.items() for case in cases]


def paths(app: FastAPI) -> Iterator[str]:
    for route in iter_route_contexts(app.routes):
        assert route.path is not None
        yield route.path


def test_every_route_has_a_case(app: FastAPI) -> None:
    assert set(paths(app)) == set(CASES) | PUBLIC


@pytest.mark.parametrize("name", NAMES)
def test_a_key_sees_its_scope_and_no_more(client: TestClient, name: str) -> None:
    for path, case in URLS:
        answer = client.get(case.url, headers=bearer(name))
        if path.startswith("/v1/rejects") and name in FORBIDDEN:
            assert answer.status_code == 403, case.url
        elif isinstance(case, One):
            assert answer.status_code == (200 if name in case.by else 404), case.url
        else:
            assert answer.status_code == 200, case.url
            assert {item[case.id] for item in answer.json()["items"]} == case.seen.get(name, set())


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic YWxsOmFsbA==", "Bearer a b"])
def test_without_a_key_that_someone_holds_nothing_is_answered(client: TestClient, authorization: str) -> None:
    for _, case in URLS:
        answer = client.get(case.url, headers={"Authorization": authorization})
        assert answer.status_code == 401, case.url
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["type"] == "urn:lookthrough:unauthenticated"


def test_the_demo_sees_everything_without_a_key(demo: TestClient) -> None:
    for _, case in URLS:
        answer = demo.get(case.url)
        assert answer.status_code == 200, case.url
        if isinstance(case, Items):
            assert {item[case.id] for item in answer.json()["items"]} == case.seen["all"]


def test_filters_do_not_widen_the_scope(client: TestClient) -> None:
    for query in ("sector=pboc", "region=CN-31", "institution=pay-01"):
        answer = client.get(f"/v1/alerts?{query}", headers=bearer("beijing"))
        assert answer.json()["items"] == []


def test_alerts_of_an_institution_count_only_in_scope(client: TestClient) -> None:
    assert alert("a1", 1).institution_id == "p2p-001"
    assert client.get("/v1/institutions/p2p-001", headers=bearer("beijing")).json()["open_alerts"] == 2
