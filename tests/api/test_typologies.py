from __future__ import annotations

from starlette.testclient import TestClient

from tests.api.world import bearer


def test_each_typology_with_its_law_and_count(client: TestClient) -> None:
    found = {item["typology"]: item for item in client.get("/v1/typologies").json()["items"]}
    assert {name: item["alerts"] for name, item in found.items()} == {
        "gather_scatter": 1,
        "pooling": 1,
        "reserve_misuse": 1,
        "self_lending": 1,
    }
    assert found["self_lending"]["name"] == {"zh": "自融", "en": "Self-lending"}
    assert found["self_lending"]["law"] == [{"document": "RP", "article": "二.1.1"}]


def test_only_alerts_in_scope_count(client: TestClient) -> None:
    items = client.get("/v1/typologies", headers=bearer("shanghai")).json()["items"]
    assert [item["typology"] for item in items] == ["reserve_misuse"]
