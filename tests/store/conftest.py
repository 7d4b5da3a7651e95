"""`database`: each test of the contract runs on chDB and on a real server, migrated.

One a module, since opening takes longer than most cases: a case uses keys or tables of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store.clickhouse import ServerDatabase
from store.database import Database
from store.embedded import EmbeddedDatabase
from store.migrations import migrate
from store.settings import Server

KINDS = ("embedded", "server")


@pytest.fixture(scope="module", params=KINDS)
def empty_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    with closing(_open(request, tmp_path_factory.mktemp("chdb"))) as database:
        yield database


@pytest.fixture(scope="module")
def database(empty_database: Database) -> Database:
    migrate(empty_database)
    return empty_database


def _open(request: pytest.FixtureRequest, folder: Path) -> EmbeddedDatabase | ServerDatabase:
    if request.param == "embedded":
        return EmbeddedDatabase(folder)
    fresh: Callable[[], Server] = request.getfixturevalue("fresh_clickhouse")
    return ServerDatabase(fresh())
