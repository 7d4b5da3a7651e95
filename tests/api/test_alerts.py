from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from schemas.alert import Alert, Severity
from schemas.instant import DAY, to_rfc3339
from schemas.record import content_id
from services.api.answers import AlertSummary
from tests.api.world import START_US, World, alert

A1, A2, A3, A4 = (content_id(name) for name in ("a1", "a2", "a3", "a4"))
CUSTODY = alert("a1", 1).accounts[0]
V2_AT = START_US + 3 * DAY


def listed(client: TestClient, query: dict[str, Any]) -> list[str]:
    answer = client.get("/v1/alerts", params=query)
    assert answer.status_code == 200, answer.text
    return [item["alert_id"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [A4, A3, A2, A1]),
        ({"typology": "pooling"}, [A2]),
        ({"typology": ["pooling", "self_lending"]}, [A2, A1]),
        ({"institution": "pay-01"}, [A3]),
        ({"institution": "nobody"}, []),
        ({"region": "CN-31"}, [A3]),
        ({"region": ["CN-37", "CN-31"]}, [A3, A2, A1]),
        ({"sector": "cbrc"}, [A2, A1]),
        ({"severity": "low"}, [A2]),
        ({"severity": ["low", "critical"]}, [A2, A1]),
        ({"min_severity": "high"}, [A4, A3, A1]),
        ({"min_severity": "critical"}, [A1]),
        ({"min_severity": "critical", "severity": "low"}, []),
        ({"min_confidence": 40}, [A4, A3, A2, A1]),
        ({"min_confidence": 41}, [A4, A3, A1]),
        ({"account": CUSTODY}, [A4, A3, A2, A1]),
        ({"account": "f" * 32}, []),
        ({"detected_from": to_rfc3339(V2_AT)}, [A1]),
        ({"detected_from": to_rfc3339(V2_AT + 1)}, []),
        ({"detected_to": to_rfc3339(V2_AT)}, [A4, A3, A2]),
        ({"detected_to": to_rfc3339(START_US + 3_000_000)}, [A2]),
        ({"detected_from": "2016-05-04T09:30:04+08:00", "detected_to": "2016-05-05"}, [A4]),
        ({"typology": "self_lending", "severity": "high"}, []),
    ],
    ids=str,
)
def test_filters_hold_of_the_newest_version(
    client: TestClient, query: dict[str, Any], expected: list[str]
) -> None:
    assert listed(client, query) == expected


def test_an_offset_whose_plus_was_not_escaped_is_understood(client: TestClient) -> None:
    answer = client.get("/v1/alerts?detected_from=2016-05-04T09:30:04+08:00&detected_to=2016-05-05")
    assert [item["alert_id"] for item in answer.json()["items"]] == [A4]


def test_a_newer_version_written_later_hides_the_older(client: TestClient, world: World) -> None:
    world.add_alerts([alert("b1", 1, typology="growing", severity=Severity.low)])
    world.add_alerts([alert("b1", 2, typology="growing", severity=Severity.high)])
    world.add_alerts([alert("b1", 1, typology="growing", severity=Severity.low)])
    assert listed(client, {"typology": "growing", "severity": "low"}) == []
    assert listed(client, {"typology": "growing"}) == [content_id("b1")]
    versions = client.get(f"/v1/alerts/{content_id('b1')}/versions").json()["items"]
    assert [version["version"] for version in versions] == [2, 1]


def test_a_summary_is_the_alert_without_its_proof(client: TestClient, world: World) -> None:
    (item,) = client.get("/v1/alerts?typology=self_lending").json()["items"]
    assert AlertSummary.model_validate(item) == AlertSummary.of(world.alerts[1], world.alerts[0].detected_at)


def test_one_alert_is_the_whole_record(client: TestClient, world: World) -> None:
    first, newest = world.alerts[:2]
    assert Alert.model_validate(client.get(f"/v1/alerts/{A1}").json()) == newest
    assert Alert.model_validate(client.get(f"/v1/alerts/{A1}?version=1").json()) == first


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (f"/v1/alerts/{'f' * 32}", "/v1/alerts"),
        (f"/v1/alerts/{A1}?version=3", f"/v1/alerts/{A1}/versions"),
        (f"/v1/alerts/{'f' * 32}/versions", "/v1/alerts"),
        (f"/v1/alerts/{'f' * 32}/evidence", "/v1/alerts"),
        (f"/v1/alerts/{A1}/evidence?version=3", "versions"),
    ],
)
def test_what_is_not_there_is_said_so(client: TestClient, path: str, says: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert says in answer.json()["detail"]


def test_versions_come_in_pages(client: TestClient, world: World) -> None:
    world.add_alerts([alert("c1", version, typology="long") for version in range(1, 8)])
    seen, path = [], f"/v1/alerts/{content_id('c1')}/versions?limit=3"
    while path:
        page = client.get(path).json()
        seen += [version["version"] for version in page["items"]]
        path = page["next"]
    assert seen == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "accept", "graphml"),
    [
        ("", "*/*", False),
        ("", "application/json", False),
        ("", "application/graphml+xml", True),
        ("?format=graphml", "application/json", True),
        ("?format=json", "application/graphml+xml", False),
        ("?version=1&format=graphml", "*/*", True),
    ],
)
def test_evidence_comes_as_asked(client: TestClient, query: str, accept: str, graphml: bool) -> None:
    answer = client.get(f"/v1/alerts/{A1}/evidence{query}", headers={"Accept": accept})
    assert answer.status_code == 200
    kind = "application/graphml+xml" if graphml else "application/json"
    assert answer.headers["content-type"] == kind
    assert answer.text.startswith("<?xml" if graphml else '{"directed":true,"multigraph":true')
