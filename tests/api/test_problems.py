"""Every error is a problem that says what to do next and leaks nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from schemas import errors
from schemas.errors import LookthroughError
from schemas.record import content_id
from services.api import problems

A1 = content_id("a1")


def tree(kind: type[LookthroughError]) -> Iterator[type[LookthroughError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


EXPECTED = {
    "error": 500,
    "invalid-input": 422,
    "malformed-batch": 422,
    "invalid-record": 422,
    "control-mismatch": 422,
    "batch-too-large": 413,
    "invalid-setting": 500,
    "unknown": 404,
    "conflict": 409,
    "forbidden": 403,
    "unauthenticated": 401,
    "unavailable": 503,
}


def test_every_error_has_its_status() -> None:
    assert {kind.code: problems.status_of(kind) for kind in tree(LookthroughError)} == EXPECTED


def is_problem(answer: Any, status: int, code: str) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == (f"urn:lookthrough:{code}", status)
    assert body["title"]
    detail: str = body["detail"]
    return detail


@pytest.mark.parametrize(
    ("method", "url", "status", "code", "says"),
    [
        ("GET", "/v1/nothing", 404, "not-found", "/docs"),
        ("GET", "/v1/alerts/", 404, "not-found", "/docs"),
        ("GET", "/v1/{0}%s", 404, "not-found", "/v1/{0}"),
        ("POST", "/v1/alerts", 405, "method-not-allowed", "Allow"),
        ("DELETE", f"/v1/alerts/{A1}", 405, "method-not-allowed", "Allow"),
        ("GET", f"/v1/alerts/{A1}0", 404, "unknown", "/v1/alerts"),
        ("GET", "/v1/alerts?limit=501", 422, "invalid-input", "query.limit"),
        ("GET", "/v1/alerts?institutions=p2p-001", 422, "invalid-input", "no such parameter"),
        ("GET", "/v1/alerts?cursor=WyJ4Il0", 422, "invalid-input", "start anew"),
        ("GET", "/v1/alerts?detected_from=yesterday", 422, "invalid-input", "RFC 3339"),
        ("GET", "/v1/alerts?detected_from=1462325400", 422, "invalid-input", "RFC 3339"),
        ("GET", "/v1/alerts?severity=worst", 422, "invalid-input", "critical"),
        ("GET", "/v1/alerts?min_confidence=101", 422, "invalid-input", "100"),
        ("GET", "/v1/alerts?account=6217000010001234567", 422, "invalid-input", "query.account"),
        ("GET", "/v1/alerts?" + "typology=a&" * 51, 422, "invalid-input", "at most 50"),
        ("GET", f"/v1/alerts/{A1}?version=0", 422, "invalid-input", "query.version"),
        ("GET", f"/v1/alerts/{A1}/evidence?format=pdf", 422, "invalid-input", "graphml"),
        ("GET", "/v1/institutions?risk_class=bad", 422, "invalid-input", "rectify"),
        ("GET", "/v1/rejects/" + "x" * 129, 422, "invalid-input", "path.reject_id"),
    ],
)
def test_what_the_caller_did_wrong(
    client: TestClient, method: str, url: str, status: int, code: str, says: str
) -> None:
    assert says in is_problem(client.request(method, url), status, code)


def test_a_wrong_method_names_the_right_one(client: TestClient) -> None:
    assert client.post("/v1/alerts").headers["allow"] == "GET"


def test_every_parameter_at_fault_is_named(client: TestClient) -> None:
    faults = client.get("/v1/alerts?limit=0&min_confidence=x").json()["errors"]
    assert {fault["field"] for fault in faults} == {"query.limit", "query.min_confidence"}
    assert all(fault["reason"] for fault in faults)


def test_what_was_sent_is_not_sent_back(client: TestClient) -> None:
    assert "hunter2" not in client.get("/v1/alerts?limit=hunter2&password=hunter2").text
