from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from schemas.instant import DAY, to_rfc3339
from schemas.registry import Institution
from services.api import examples
from services.api.answers import InstitutionSummary
from tests.api.world import NOW_US, START_US, World, insert_registry


def listed(client: TestClient, query: dict[str, Any]) -> list[str]:
    answer = client.get("/v1/institutions", params=query)
    assert answer.status_code == 200, answer.text
    return [item["institution_id"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["p2p-001", "p2p-002", "pay-01"]),
        ({"sector": "pboc"}, ["pay-01"]),
        ({"sector": ["pboc", "cbrc"]}, ["p2p-001", "p2p-002", "pay-01"]),
        ({"region": "CN-31"}, ["pay-01"]),
        ({"region": "CN-37"}, ["p2p-001", "p2p-002"]),
        ({"risk_class": "ban"}, ["p2p-001"]),
        ({"risk_class": ["ban", "rectify"]}, ["p2p-001", "pay-01"]),
        ({"risk_class": "compliant"}, []),
        ({"risk_class": "ban", "sector": "pboc"}, []),
    ],
    ids=str,
)
def test_filters(client: TestClient, query: dict[str, Any], expected: list[str]) -> None:
    assert listed(client, query) == expected


def test_how_an_institution_stands(client: TestClient) -> None:
    standing = InstitutionSummary.model_validate(client.get("/v1/institutions/p2p-001").json())
    assert (standing.name, standing.score, standing.open_alerts) == ("某某网络借贷平台", 85, 2)
    assert standing.scored_at == START_US + 2 * DAY
    assert standing.risk_class_name is not None
    assert (standing.risk_class_name.zh, standing.risk_class_name.en) == ("取缔", "Ban")


def test_never_scored_is_not_a_score_of_zero(client: TestClient) -> None:
    quiet = client.get("/v1/institutions/p2p-002").json()
    assert (quiet["score"], quiet["risk_class"], quiet["open_alerts"]) == (None, None, 0)
    answer = client.get("/v1/institutions/p2p-002/risk-score")
    assert answer.status_code == 404
    assert "/v1/feeds" in answer.json()["detail"]


def test_the_registry_is_read_as_of_now(client: TestClient, world: World) -> None:
    moved = examples.INSTITUTION.model_copy(update={"institution_id": "mov-01", "sector": "moved"})
    insert_registry(
        world.database,
        [
            moved,
            moved.model_copy(update={"valid_from": NOW_US, "name": "now"}),
            moved.model_copy(update={"valid_from": NOW_US + 1, "sector": "later"}),
        ],
    )
    assert client.get("/v1/institutions/mov-01").json()["name"] == "now"
    assert listed(client, {"sector": "moved"}) == ["mov-01"]
    assert listed(client, {"sector": "later"}) == []


@pytest.mark.parametrize(
    ("at_us", "score"),
    [
        (START_US, 20),
        (START_US + DAY - 1, 20),
        (START_US + DAY, 60),
        (START_US + 2 * DAY, 85),
        (START_US + 900 * DAY, 85),
    ],
)
def test_the_score_in_force_at_a_time(client: TestClient, at_us: int, score: int) -> None:
    answer = client.get("/v1/institutions/p2p-001/risk-score", params={"at": to_rfc3339(at_us)})
    assert answer.json()["score"] == score


def test_before_the_first_score_there_is_none(client: TestClient) -> None:
    at = to_rfc3339(START_US - 1)
    answer = client.get("/v1/institutions/p2p-001/risk-score", params={"at": at})
    assert answer.status_code == 404
    assert at in answer.json()["detail"]


def test_a_score_shows_its_arithmetic_and_class(client: TestClient) -> None:
    score = client.get("/v1/institutions/p2p-001/risk-score").json()
    assert score["risk_class_name"] == {"zh": "取缔", "en": "Ban"}
    assert score["contributions"][0]["milli_points"] == 59_500
    assert score["formula"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [85, 60, 20]),
        ({"at_from": to_rfc3339(START_US + DAY)}, [85, 60]),
        ({"at_to": to_rfc3339(START_US + 2 * DAY)}, [60, 20]),
        ({"at_from": to_rfc3339(START_US + 1), "at_to": to_rfc3339(START_US + DAY)}, []),
    ],
    ids=str,
)
def test_history(client: TestClient, query: dict[str, str], expected: list[int]) -> None:
    answer = client.get("/v1/institutions/p2p-001/risk-scores", params=query)
    assert [score["score"] for score in answer.json()["items"]] == expected


@pytest.mark.parametrize("path", ["", "/risk-score", "/risk-scores"])
def test_an_unknown_institution_is_said_so(client: TestClient, path: str) -> None:
    answer = client.get(f"/v1/institutions/nobody{path}")
    assert answer.status_code == 404
    assert "/v1/institutions" in answer.json()["detail"]


def test_a_summary_is_the_institution_and_more() -> None:
    assert set(Institution.model_fields) < set(InstitutionSummary.model_fields)
