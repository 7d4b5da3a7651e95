from __future__ import annotations

from starlette.testclient import TestClient

from schemas.alert import Citation
from tests.api.world import World, alert, bearer


def test_each_typology_with_its_law_and_count(client: TestClient) -> None:
    found = {item["typology"]: item for item in client.get("/v1/typologies").json()["items"]}
    assert {name: item["alerts"] for name, item in found.items()} == {
        "gather_scatter": 1,
        "pooling": 1,
        "reserve_misuse": 1,
        "self_lending": 1,
    }
    assert found["self_lending"]["name"] == {"zh": "自融", "en": "Self-lending"}
    (article,) = found["self_lending"]["law"]
    assert (article["document"], article["article"], article["number"]) == (
        "RP",
        "二.1.1",
        "国办发〔2016〕21号",
    )
    assert article["title"]["zh"] == "网贷平台红线"


def test_only_alerts_in_scope_count(client: TestClient) -> None:
    items = client.get("/v1/typologies", headers=bearer("shanghai")).json()["items"]
    assert [item["typology"] for item in items] == ["reserve_misuse"]


def test_an_article_not_held_here_is_cited_all_the_same(client: TestClient, world: World) -> None:
    cited = Citation(document="XX", article="1")
    world.add_alerts([alert("z1", 1, typology="elsewhere", law=(cited,))])
    items = client.get("/v1/typologies").json()["items"]
    (article,) = next(item["law"] for item in items if item["typology"] == "elsewhere")
    assert article == {"document": "XX", "article": "1", "number": None, "title": None, "meaning": None}
