from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from schemas.instant import to_rfc3339
from schemas.record import content_id
from schemas.reject import Reject, RejectStatus
from services.api import examples
from tests.api.world import World, bearer, insert_rejects

R1, (R2, R3, R4) = examples.REJECT.reject_id, (content_id(name) for name in ("r2", "r3", "r4"))
RECEIVED = examples.REJECT.received_at


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [R2, *sorted([R1, R3, R4])]),
        ({"feed": "bank_x"}, [R4]),
        ({"feed": ["bank_x", "bank_b"], "status": "resent"}, [R3]),
        ({"status": "open", "feed": "bank_b"}, [R2, R1]),
        ({"received_from": to_rfc3339(RECEIVED + 1)}, [R2]),
        ({"received_to": to_rfc3339(RECEIVED)}, []),
    ],
    ids=str,
)
def test_filters(client: TestClient, query: dict[str, Any], expected: list[str]) -> None:
    answer = client.get("/v1/rejects", params=query)
    assert [item["reject_id"] for item in answer.json()["items"]] == expected


def test_the_list_leaves_out_the_record_itself(client: TestClient) -> None:
    assert all("raw" not in item for item in client.get("/v1/rejects").json()["items"])


def test_one_reject_is_whole(client: TestClient) -> None:
    assert Reject.model_validate(client.get(f"/v1/rejects/{R1}").json()) == examples.REJECT


def test_a_resent_record_is_open_no_longer(client: TestClient, world: World) -> None:
    was = examples.REJECT.model_copy(update={"reject_id": content_id("r5"), "feed_id": "mending"})
    insert_rejects(world.database, [was], appended_us=1)
    insert_rejects(world.database, [was.model_copy(update={"status": RejectStatus.resent})], appended_us=2)
    assert client.get("/v1/rejects?feed=mending&status=open").json()["items"] == []
    assert client.get(f"/v1/rejects/{was.reject_id}").json()["status"] == "resent"


@pytest.mark.parametrize("path", ["/v1/rejects", f"/v1/rejects/{R1}", "/v1/rejects/none"])
def test_without_permission_nothing_is_told(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=bearer("no-rejects"))
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:lookthrough:forbidden"
    assert "operator" in answer.json()["detail"]


def test_an_unknown_reject_is_said_so(client: TestClient) -> None:
    assert client.get("/v1/rejects/none").status_code == 404
