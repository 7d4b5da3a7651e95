"""What cannot run, or runs without its store. These open stores of their own, and a process may hold
one at a time: so none of the shared fixtures here."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from schemas import errors
from schemas.errors import InvalidSetting
from services.api.application import create_app
from services.api.service import run
from services.api.settings import Settings
from store.embedded import EmbeddedDatabase
from store.migrations import migrate, shipped
from store.settings import Folder


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[TestClient]:
    """A store that was closed, and a route that fails."""
    router = APIRouter()

    @router.get("/v1/broken")
    def fail() -> None:
        raise RuntimeError("a secret of ours")

    @router.get("/v1/misconfigured")
    def misconfigured() -> None:
        raise errors.InvalidSetting("another secret of ours")

    with closing(EmbeddedDatabase(tmp_path)) as database:
        app = create_app(database, Settings(demo=True), routers=[router])
        database.close()
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client


@pytest.mark.parametrize("url", ["/v1/alerts", "/v1/institutions/p2p-001", "/ready"])
def test_a_store_that_does_not_answer(broken: TestClient, url: str) -> None:
    answer = broken.get(url)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "urn:lookthrough:unavailable"
    assert "try again in 5 s" in answer.json()["detail"]
    assert "closed" not in answer.text


def test_a_process_whose_store_is_gone_is_still_alive(broken: TestClient) -> None:
    assert broken.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize("url", ["/v1/broken", "/v1/misconfigured"])
def test_a_failure_of_ours_leaks_nothing_and_can_be_found(
    broken: TestClient, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="lookthrough.api"):
        answer = broken.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert "report" in answer.json()["detail"]
    reference = answer.json()["instance"].rpartition(":")[2]
    assert any(reference in record.getMessage() and record.exc_info for record in caplog.records)


def test_it_opens_no_port_with_a_wrong_key_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="key file"):
        run(Settings(keys=tmp_path / "keys.json", port=0), Folder(tmp_path / "store"))


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[EmbeddedDatabase]:
    with closing(EmbeddedDatabase(tmp_path)) as database:
        yield database


@pytest.fixture
def over_empty(empty: EmbeddedDatabase) -> Iterator[TestClient]:
    with TestClient(create_app(empty, Settings(demo=True))) as client:
        yield client


def test_a_store_without_migrations_is_alive_but_not_ready(over_empty: TestClient) -> None:
    assert over_empty.get("/health").status_code == 200
    assert over_empty.get("/ready").status_code == 503


def test_a_store_that_lacks_a_migration_is_not_ready(over_empty: TestClient, empty: EmbeddedDatabase) -> None:
    migrate(empty, shipped()[:-1])
    assert over_empty.get("/ready").status_code == 503
    migrate(empty)
    assert over_empty.get("/ready").status_code == 200
