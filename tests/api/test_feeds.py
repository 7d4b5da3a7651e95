from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from schemas.feed import Receipt
from schemas.instant import to_rfc3339
from services.api.queries.feeds import MAX_GAPS
from tests.api.world import World, receipt


def test_every_feed_agreed_or_heard_of_is_listed(client: TestClient) -> None:
    feeds = {feed["feed_id"]: feed for feed in client.get("/v1/feeds").json()["items"]}
    assert {name: feed["state"] for name, feed in feeds.items() if name.startswith("bank_")} == {
        "bank_a": "no_data",
        "bank_b": "gapped",
        "bank_x": "receiving",
    }
    assert (feeds["bank_a"]["bank"], feeds["bank_x"]["bank"]) == ("bank_a", None)


def test_no_data_is_told_apart_from_no_alert(client: TestClient) -> None:
    silent = client.get("/v1/feeds/bank_a").json()
    assert (silent["state"], silent["batches"]) == ("no_data", 0)
    assert silent["last_transaction_at"] is silent["last_received_at"] is silent["last_sequence"] is None


def test_what_never_came_is_named(client: TestClient, world: World) -> None:
    feed = client.get("/v1/feeds/bank_b").json()
    assert (feed["last_sequence"], feed["missing_batches"], feed["batches"]) == (15, 7, 6)
    assert feed["gaps"] == [
        {"first": 5, "last": 6},
        {"first": 8, "last": 8},
        {"first": 11, "last": 14},
    ]
    last = receipt("bank_b", 15)
    assert feed["last_received_at"] == to_rfc3339(last.received_at)
    assert feed["last_transaction_at"] == to_rfc3339(last.last_ts or 0)


def test_a_batch_that_comes_late_fills_its_gap(client: TestClient, world: World) -> None:
    world.add_receipts([receipt("late", sequence) for sequence in (0, 2)])
    assert client.get("/v1/feeds/late").json()["gaps"] == [{"first": 1, "last": 1}]
    world.add_receipts([receipt("late", 1)])
    world.add_receipts([receipt("late", 1)])
    filled = client.get("/v1/feeds/late").json()
    assert (filled["state"], filled["batches"], filled["gaps"]) == ("receiving", 3, [])


def test_gaps_are_counted_beyond_those_named(client: TestClient, world: World) -> None:
    world.add_receipts([receipt("torn", 2 * n) for n in range(MAX_GAPS + 10)])
    torn = client.get("/v1/feeds/torn").json()
    assert torn["missing_batches"] == MAX_GAPS + 9
    assert len(torn["gaps"]) == MAX_GAPS
    assert torn["gaps"][-1] == {"first": 2 * MAX_GAPS - 1, "last": 2 * MAX_GAPS - 1}


def test_the_key_of_a_feed_is_never_shown(client: TestClient) -> None:
    for path in ("/v1/feeds", "/v1/feeds/bank_b"):
        text = client.get(path).text
        assert "5e5e" not in text
        assert "key" not in text


def test_receipts_newest_first(client: TestClient) -> None:
    items = client.get("/v1/feeds/bank_b/receipts").json()["items"]
    assert [item["sequence"] for item in items] == [15, 10, 9, 7, 4, 3]
    assert Receipt.model_validate(items[0]) == receipt("bank_b", 15)


def test_a_batch_without_a_sequence_is_listed(client: TestClient) -> None:
    items = client.get("/v1/feeds/bank_x/receipts").json()["items"]
    assert sorted(item["batch_id"] for item in items) == sorted(
        receipt("bank_x", sequence).batch_id for sequence in (0, 1, None)
    )


def test_one_receipt(client: TestClient) -> None:
    assert Receipt.model_validate(client.get("/v1/receipts/bank_x/0").json()) == receipt("bank_x", 0)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/feeds/nobody", 404),
        ("/v1/feeds/nobody/receipts", 404),
        ("/v1/feeds/bank_a/receipts", 200),
        ("/v1/receipts/bank_b/5", 404),
        ("/v1/receipts/nobody/1", 404),
        ("/v1/receipts/bank_x/-1", 422),
        ("/v1/receipts/bank_x/one", 422),
        (f"/v1/receipts/bank_x/{2**63}", 422),
    ],
)
def test_what_is_not_there(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status
