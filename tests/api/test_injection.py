"""Hostile strings in every parameter of every route: refused or not found, never run."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from schemas.record import content_id
from services.api import cursors
from services.api.parameters import NAMES
from tests.api.world import token

HOSTILE = [
    "' OR 1=1 --",
    "x') OR (1=1",
    "\\' OR 1=1 --",
    "\\",
    "%(all_sectors)s",
    "%s%d%",
    "{sector}",
    "\x00",
    "𠮷'\"`;--",
    "; DROP TABLE alerts",
    "../../etc/passwd",
    "a" * 200,
]
CURSOR_LISTS = {
    "/v1/alerts": ("alerts", 0),
    "/v1/institutions": ("institutions", None),
    "/v1/feeds": ("feeds", None),
    "/v1/rejects": ("rejects", 0),
    "/v1/feeds/bank_b/receipts": ("receipts", 0),
}


def routes(app: FastAPI) -> dict[str, Any]:
    return {path: operations["get"] for path, operations in app.openapi()["paths"].items()}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_in_a_path_it_names_nothing(client: TestClient, app: FastAPI, hostile: str) -> None:
    for path in routes(app):
        if "{" in path and "{sequence}" not in path:
            url = path[: path.index("{")] + "{}" + path[path.index("}") + 1 :]
            answer = client.get(url.replace("{}", _quoted(hostile)))
            assert answer.status_code in (404, 422), (url, answer.text)


@pytest.mark.parametrize("hostile", HOSTILE[:4])
def test_in_a_parameter_it_chooses_nothing(client: TestClient, app: FastAPI, hostile: str) -> None:
    for path, operation in routes(app).items():
        names = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
        for name in names:
            url = path.format(
                alert_id=content_id("a1"),
                institution_id="p2p-001",
                feed_id="bank_b",
                sequence=7,
                reject_id="none",
                account=token("custody"),
            )
            answer = client.get(url, params={name: hostile})
            expected = 404 if name == "tx_id" else 422  # a bank's id may be any text
            assert answer.status_code == expected, (url, name, answer.text)


def test_every_parameter_was_tried(app: FastAPI) -> None:
    documented = {p["name"] for op in routes(app).values() for p in op.get("parameters", [])}
    assert documented >= NAMES


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("url", CURSOR_LISTS)
def test_in_a_cursor_it_is_a_place_like_any_other(client: TestClient, url: str, hostile: str) -> None:
    name, at = CURSOR_LISTS[url]
    cursor = cursors.encode(name, (hostile,) if at is None else (at, hostile))
    answer = client.get(url, params={"cursor": cursor})
    assert answer.status_code == 200
    if at is not None:
        assert answer.json()["items"] == []


def test_half_a_character_in_a_cursor_is_refused(client: TestClient) -> None:
    cursor = base64.urlsafe_b64encode(b'["feeds","\\ud800"]').decode()
    assert client.get("/v1/feeds", params={"cursor": cursor}).status_code == 422


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
