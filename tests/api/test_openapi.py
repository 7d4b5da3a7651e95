"""The document tells the truth: its examples fit its schemas, and so do real answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from schemas.record import content_id
from services.api import examples, problems
from tests.api.world import token

pytestmark = pytest.mark.parametrize("database", ["embedded"], indirect=True, scope="module")

A1 = content_id("a1")
ANSWERS = {
    "/v1/alerts": "/v1/alerts",
    "/v1/alerts/{alert_id}": f"/v1/alerts/{A1}",
    "/v1/alerts/{alert_id}/versions": f"/v1/alerts/{A1}/versions",
    "/v1/alerts/{alert_id}/evidence": f"/v1/alerts/{A1}/evidence",
    "/v1/accounts/{account}/trace": f"/v1/accounts/{token('custody')}/trace",
    "/v1/institutions": "/v1/institutions",
    "/v1/institutions/{institution_id}": "/v1/institutions/p2p-001",
    "/v1/institutions/{institution_id}/risk-score": "/v1/institutions/p2p-001/risk-score",
    "/v1/institutions/{institution_id}/risk-scores": "/v1/institutions/p2p-001/risk-scores",
    "/v1/typologies": "/v1/typologies",
    "/v1/feeds": "/v1/feeds",
    "/v1/feeds/{feed_id}": "/v1/feeds/bank_b",
    "/v1/feeds/{feed_id}/receipts": "/v1/feeds/bank_b/receipts",
    "/v1/receipts/{feed_id}/{sequence}": "/v1/receipts/bank_b/7",
    "/v1/rejects": "/v1/rejects",
    "/v1/rejects/{reject_id}": f"/v1/rejects/{examples.REJECT.reject_id}",
    "/health": "/health",
    "/ready": "/ready",
    "/metrics": "/metrics",
}


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    served: dict[str, Any] = client.get("/openapi.json").json()
    return served


def responses(document: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for status, response in operations["get"]["responses"].items():
            for media_type, content in response["content"].items():
                yield path, status, media_type, content


def validate(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator(schema | {"components": document["components"]}).validate(value)


def test_every_route_is_described(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == set(ANSWERS)
    for path, operations in document["paths"].items():
        assert operations["get"]["summary"], path
        assert operations["get"]["description"], path
        for parameter in operations["get"].get("parameters", []):
            assert parameter["in"] != "query" or parameter["description"], (path, parameter["name"])


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    for path, status, media_type, content in responses(document):
        assert "example" in content, (path, status, media_type)
        validate(document, content["schema"], content["example"])


def test_every_problem_is_documented_as_one(document: dict[str, Any]) -> None:
    kinds = {
        (status, media_type) for _, status, media_type, _ in responses(document) if not status.startswith("2")
    }
    assert {media_type for _, media_type in kinds} == {problems.MEDIA_TYPE}
    assert {status for status, _ in kinds} == {"401", "403", "404", "422", "503"}


def test_real_answers_fit_their_schemas(client: TestClient, document: dict[str, Any]) -> None:
    for path, url in ANSWERS.items():
        answer = client.get(url)
        assert answer.status_code == 200, url
        media_type = answer.headers["content-type"].partition(";")[0]
        schema = document["paths"][path]["get"]["responses"]["200"]["content"][media_type]["schema"]
        validate(document, schema, answer.json() if media_type == "application/json" else answer.text)


@pytest.mark.parametrize("url", ["/v1/none", "/v1/alerts?limit=0", "/v1/alerts/none"])
def test_real_problems_fit_their_schema(client: TestClient, url: str) -> None:
    Draft202012Validator(problems.SCHEMA).validate(client.get(url).json())


def test_what_reads_under_v1_takes_a_key(app: FastAPI, document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        assert bool(operations["get"].get("security")) == path.startswith("/v1/"), path


def test_no_example_shows_a_key(document: dict[str, Any]) -> None:
    assert "key_sha256" not in json.dumps(document)
