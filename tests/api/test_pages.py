"""Walking a list page by page meets each item once, whatever is inserted meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from schemas.alert import Alert
from schemas.instant import SECOND
from schemas.record import content_id
from services.api import examples
from tests.api.world import START_US, World, bearer, insert_registry, insert_rejects, receipt

_walks = count()


def walk(client: TestClient, path: str, key: str, between: Callable[[], None] = lambda: None) -> list[str]:
    seen: list[str] = []
    following: str | None = path
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += [item[key] for item in page["items"]]
        following = page["next"]
        between()
    return seen


def _alert(typology: str, number: int, version: int, chance: random.Random) -> Alert:
    """Few distinct times, so that many alerts share one; a later version is provable later."""
    at = START_US + chance.randrange(4) * SECOND + version * 60 * SECOND
    changes = {"alert_id": content_id(typology, str(number)), "typology": typology, "detected_at": at}
    return examples.ALERT.model_copy(update=changes | {"version": version})


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32), limit=st.integers(1, 9), alerts=st.integers(0, 25))
def test_alerts_under_concurrent_inserts(
    client: TestClient, world: World, seed: int, limit: int, alerts: int
) -> None:
    chance = random.Random(seed)
    typology = f"walk-{next(_walks)}-{id(world)}"

    made = [_alert(typology, number, 1, chance) for number in range(alerts)]
    if made:
        world.add_alerts(made)
    numbers = count(alerts)

    def disturb() -> None:
        newer = _alert(typology, next(numbers), 1, chance)
        grown = [_alert(typology, chance.randrange(alerts), 2, chance)] if alerts else []
        world.add_alerts([newer, *grown])

    seen = walk(client, f"/v1/alerts?typology={typology}&limit={limit}", "alert_id", disturb)
    assert len(seen) == len(set(seen))
    assert {one.alert_id for one in made} <= set(seen)


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_every_list_gives_each_item_once(client: TestClient, world: World, limit: int) -> None:
    names = [f"w{limit}-{number}" for number in range(5)]
    institutions = [examples.INSTITUTION.model_copy(update={"institution_id": name}) for name in names]
    insert_registry(world.database, institutions)
    insert_rejects(
        world.database,
        [
            examples.REJECT.model_copy(update={"reject_id": content_id(name), "feed_id": f"walk-{limit}"})
            for name in names
        ],
    )
    world.add_receipts([receipt(f"walk-{limit}", sequence) for sequence in (None, 0, 1, 2, 3)])
    found = walk(client, f"/v1/institutions?limit={limit}", "institution_id")
    assert found == sorted(set(found))
    assert set(names) <= set(found)
    rejects = walk(client, f"/v1/rejects?feed=walk-{limit}&limit={limit}", "reject_id")
    assert sorted(rejects) == sorted(content_id(name) for name in names)
    receipts = walk(client, f"/v1/feeds/walk-{limit}/receipts?limit={limit}", "batch_id")
    assert len(receipts) == len(set(receipts)) == 5
    feeds = walk(client, f"/v1/feeds?limit={limit}", "feed_id")
    assert feeds == sorted(set(feeds))
    assert {"bank_a", "bank_b", "bank_x", f"walk-{limit}"} <= set(feeds)
    scores = walk(client, f"/v1/institutions/p2p-001/risk-scores?limit={limit}", "at")
    assert len(scores) == len(set(scores)) == 3
    assert scores == sorted(scores, reverse=True)


def test_the_next_link_keeps_the_filters(client: TestClient) -> None:
    following = client.get("/v1/alerts?sector=cbrc&sector=pboc&limit=1").json()["next"]
    assert following.startswith("/v1/alerts?sector=cbrc&sector=pboc&limit=1&cursor=")


def test_a_cursor_of_someone_else_shows_nothing_beyond_ones_scope(client: TestClient) -> None:
    following = client.get("/v1/alerts?limit=1").json()["next"]
    items = client.get(following, headers=bearer("shanghai")).json()["items"]
    assert {item["sector"] for item in items} <= {"pboc"}


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1e2", ""])
def test_the_limit_has_bounds(client: TestClient, limit: str) -> None:
    assert client.get("/v1/alerts", params={"limit": limit}).status_code == 422
