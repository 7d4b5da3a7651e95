from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from schemas.record import content_id
from services.api.application import create_app
from services.api.settings import Settings
from tests.api.world import World, bearer

pytestmark = pytest.mark.parametrize("database", ["embedded"], indirect=True, scope="module")

A1 = content_id("a1")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    with caplog.at_level(logging.INFO, logger="lookthrough.access"):
        yield lambda: [
            json.loads(record.getMessage())
            for record in caplog.records
            if record.name == "lookthrough.access"
        ]


@pytest.mark.parametrize(
    ("url", "key", "expected"),
    [
        (
            "/v1/alerts?sector=cbrc&sector=pboc&limit=2",
            "all",
            {
                "principal": "all",
                "path": "/v1/alerts",
                "status": 200,
                "query": {"sector": ["cbrc", "pboc"], "limit": ["2"]},
            },
        ),
        (f"/v1/alerts/{A1}", "shanghai", {"principal": "shanghai", "status": 404, "rows": 0}),
        (f"/v1/alerts/{A1}", "beijing", {"principal": "beijing", "status": 200, "rows": 1}),
        ("/v1/rejects", "no-rejects", {"principal": "no-rejects", "status": 403, "rows": 0}),
        ("/v1/alerts", "unheard-of", {"principal": None, "status": 401, "rows": 0}),
        ("/v1/alerts?limit=0", "all", {"principal": "all", "status": 422}),
    ],
)
def test_every_read_is_logged(
    client: TestClient, lines: Any, url: str, key: str, expected: dict[str, Any]
) -> None:
    client.get(url, headers=bearer(key))
    (line,) = lines()
    assert {name: line[name] for name in expected} == expected
    assert line["method"] == "GET"
    assert line["duration_ms"] > 0


def test_secrets_are_not_logged(client: TestClient, lines: Any) -> None:
    client.get("/v1/alerts?api_key=hunter2&limit=1")
    assert lines()[0]["query"] == {"api_key": ["…"], "limit": ["1"]}
    assert "key of all" not in json.dumps(lines())


@pytest.mark.parametrize("url", ["/health", "/ready", "/metrics", "/docs", "/openapi.json", "/v1/none"])
def test_what_reads_nothing_is_not_logged(client: TestClient, lines: Any, url: str) -> None:
    client.get(url)
    assert lines() == []


def test_requests_are_counted_by_route(world: World) -> None:
    with TestClient(create_app(world.database, Settings(demo=True))) as client:
        for url in ("/v1/alerts/x", "/v1/alerts/y", "/v1/nowhere/1", "/v1/nowhere/2"):
            client.get(url)
        client.request("BREW", "/v1/coffee")
        text = client.get("/metrics").text
    assert (
        'lookthrough_api_requests_total{method="GET",route="/v1/alerts/{alert_id}",status="404"} 2.0' in text
    )
    assert 'lookthrough_api_requests_total{method="GET",route="unmatched",status="404"} 2.0' in text
    assert 'method="other",route="unmatched"' in text
    assert 'lookthrough_api_request_seconds_count{route="/v1/alerts/{alert_id}"} 2.0' in text
    assert "lookthrough_api_requests_in_flight 1.0" in text
    assert "nowhere" not in text


def test_too_many_requests_at_once_are_refused_and_health_is_not(world: World) -> None:
    router, entered, leave = APIRouter(), threading.Event(), threading.Event()

    @router.get("/v1/slow")
    def slow() -> None:
        entered.set()
        leave.wait(30)

    settings = Settings(demo=True, requests=1)
    with TestClient(create_app(world.database, settings, routers=[router])) as client:
        first = threading.Thread(target=client.get, args=("/v1/slow",))
        first.start()
        try:
            assert entered.wait(30)
            refused = client.get("/v1/alerts")
            healthy = client.get("/health")
        finally:
            leave.set()
            first.join()
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"] == "5"
        assert healthy.status_code == 200
        assert client.get("/v1/alerts").status_code == 200
