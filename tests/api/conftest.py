"""The API over a small world of records, on chDB and on a real server.

One store a module, since opening takes longer than most cases; what a case adds has its own ids.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from services.api.access import Key
from services.api.application import create_app
from services.api.settings import Settings
from store.clickhouse import ServerDatabase
from store.database import Database
from store.embedded import EmbeddedDatabase
from store.migrations import migrate
from store.settings import Server
from tests.api.world import KEYS, NOW_US, World, bearer

with warnings.catch_warnings():
    # Starlette would rather have httpx2 under its test client, which is not among the dependencies.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@pytest.fixture(scope="module", params=("embedded", "server"))
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened: EmbeddedDatabase | ServerDatabase
    if request.param == "embedded":
        opened = EmbeddedDatabase(tmp_path_factory.mktemp("chdb"))
    else:
        fresh: Callable[[], Server] = request.getfixturevalue("fresh_clickhouse")
        opened = ServerDatabase(fresh())
    with closing(opened):
        migrate(opened)
        yield opened


@pytest.fixture(scope="module")
def world(database: Database) -> World:
    return World(database)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keys = [key | {"key_sha256": sha256(f"key of {key['name']}".encode()).hexdigest()} for key in KEYS]
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_bytes(TypeAdapter(list[Key]).dump_json([Key.model_validate(key) for key in keys]))
    return path


@pytest.fixture(scope="module")
def app(world: World, key_file: Path) -> FastAPI:
    return create_app(world.database, Settings(keys=key_file), clock=lambda: NOW_US)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    """Holds the key that sees everything."""
    with TestClient(app, raise_server_exceptions=False, headers=bearer("all")) as opened:
        yield opened


@pytest.fixture(scope="module")
def demo(world: World) -> Iterator[TestClient]:
    with TestClient(create_app(world.database, Settings(demo=True), clock=lambda: NOW_US)) as opened:
        yield opened
