"""The store in this process: chDB, ClickHouse's own engine, on a folder.

One process at a time may hold a folder, and a process may hold one folder at a time.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from chdb.session import Session

from schemas.errors import Unavailable
from store.columns import STRUCTURE, typed
from store.database import Columns, Rows
from store.parameters import render

_open: Any = Session  # chDB says that it is typed, and is so in part


class EmbeddedDatabase:
    """Reads and writes have a chDB session each, so that a long insert delays no query."""

    def __init__(self, folder: Path) -> None:
        """Opens or creates `folder`. Raises Unavailable when another process holds it."""
        self._folder = folder.absolute()
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._structures: dict[str, dict[str, str]] = {}
        self._closed = False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._reader = _open(str(self._folder))
            self._writer = _open(str(self._folder))
        except (OSError, RuntimeError) as error:
            reason = "another process holds it" if _is_held(self._folder) else str(error)
            raise Unavailable(f"the store in {folder} cannot be opened: {reason}") from None

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        statement = render(sql, parameters)
        with self._reading:
            answer = self._run(self._reader, statement, "Arrow")
        if not answer:
            return []
        table = pa.ipc.open_file(pa.py_buffer(answer)).read_all()
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        statement = render(sql, parameters)
        with self._writing:
            self._run(self._writer, statement, "Null")

    def insert(self, table: str, columns: Columns) -> None:
        if table not in self._structures:
            self._structures[table] = dict(self.query(STRUCTURE, {"table": table}))
        rows = typed(table, columns, self._structures[table])
        if rows.num_rows == 0:
            return
        names = ", ".join(rows.column_names)
        with self._writing:
            # A file, because chDB's way to read a Python variable looks it up in whatever frames
            # are on the stack and misses it when several threads insert.
            block = self._folder / "insert.arrow"
            try:
                with pa.OSFile(str(block), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
                    writer.write_table(rows)
            except OSError as error:
                raise Unavailable(f"the store in {self._folder} cannot be written: {error}") from None
            statement = f"INSERT INTO {table} ({names}) SELECT * FROM file(%(path)s, Arrow)"  # noqa: S608 - names of the table's own columns
            settings = " SETTINGS max_partitions_per_insert_block = 0"
            self._run(self._writer, render(statement + settings, {"path": str(block)}), "Null")

    def ping(self) -> None:
        self.query("SELECT 1")

    def close(self) -> None:
        """Idempotent. Waits for what is running."""
        with self._reading, self._writing:
            self._closed = True
            self._reader.close()
            self._writer.close()

    def _run(self, connection: Any, statement: str, output: str) -> bytes:
        if self._closed:
            raise Unavailable(f"the store in {self._folder} is closed")
        try:
            answer: bytes = connection.query(statement, output).bytes()
        except RuntimeError as error:
            # chDB would put what the failed statement had written before the next one's answer.
            connection.query("SELECT 1", "Null")
            raise Unavailable(f"the store refused a statement: {error}") from None
        return answer


def _is_held(folder: Path) -> bool:
    """Whether a process holds the lock that ClickHouse takes on its folder."""
    try:
        with (folder / "status").open("rb") as status:
            fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
