"""`database`: each test of the contract runs on chDB and on a real server, migrated.

One a module, since opening takes longer than most cases: a case uses keys or tables of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.batch import SCHEMA, BatchId, TransferBatch
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


@pytest.fixture(scope="session")
def transfer_batch() -> Callable[..., TransferBatch]:
    return _transfer_batch


def _transfer_batch(rows: int, batch_id: str = "0" * 32, first: int = 0) -> TransferBatch:
    """`rows` transfers of feed "bank-a", numbered from `first`, all different."""
    values = {
        "tx_id": [f"T{number}" for number in range(first, first + rows)],
        "ts_us": [1_462_353_000_000_000 + number for number in range(first, first + rows)],
        "src": [number.to_bytes(16, "big") for number in range(rows)],
        "dst": [number.to_bytes(16, "little") for number in range(rows)],
        "amount_minor": list(range(1, rows + 1)),
        "purpose": [2] * rows,
    }
    arrays = [pa.array(values.get(field.name, ["x"] * rows), field.type) for field in SCHEMA]
    columns = pa.record_batch(arrays, schema=SCHEMA)
    return TransferBatch(BatchId("bank-a", batch_id, 0), columns)
