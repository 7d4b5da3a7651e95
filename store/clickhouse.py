"""The store as a ClickHouse server, over clickhouse-driver and the native protocol."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import pyarrow as pa
from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from schemas.errors import Unavailable
from store.columns import STRUCTURE, typed
from store.database import Columns, Rows
from store.parameters import render
from store.settings import Server

CONNECTIONS: Final = 8
CONNECT_TIMEOUT_S: Final = 5
ANSWER_TIMEOUT_S: Final = 60
WAIT_FOR_CONNECTION_S: Final = 30

# It would log a traceback for each refused connection; what went wrong is in Unavailable.
logging.getLogger("clickhouse_driver.connection").setLevel(logging.CRITICAL)

_Answer = TypeVar("_Answer")


class ServerDatabase:
    """Up to CONNECTIONS connections for queries and one for inserts, each opened when first needed.

    A connection that broke while idle is opened anew, once, by the driver's ping before each
    statement; a statement that fails is not repeated, and its connection is thrown away.
    """

    def __init__(self, server: Server, connections: int = CONNECTIONS) -> None:
        """Does not connect yet."""
        self._readers = _Pool(server, connections, strings_as_bytes=False)
        # Bytes spare the driver an encoding of every value.
        self._writers = _Pool(server, 1, strings_as_bytes=True)
        self._structures: dict[str, dict[str, str]] = {}

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        statement = render(sql, parameters)
        return self._readers.use(lambda client: list(client.execute(statement)))

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        self.query(sql, parameters)

    def insert(self, table: str, columns: Columns) -> None:
        if table not in self._structures:
            self._structures[table] = dict(self.query(STRUCTURE, {"table": table}))
        rows = typed(table, columns, self._structures[table])
        if rows.num_rows == 0:
            return
        statement = f"INSERT INTO {table} ({', '.join(rows.column_names)}) VALUES"
        values = [_values(column) for column in rows.columns]

        def send(client: Client) -> None:
            if not client.connection.connected:
                client.connection.connect()
            version = client.connection.server_info.version_tuple()
            client.execute(statement, values, columnar=True, settings=insert_settings(version))

        self._writers.use(send)

    def ping(self) -> None:
        self.query("SELECT 1")

    def close(self) -> None:
        """Idempotent. Statements still running end first."""
        self._readers.close()
        self._writers.close()


class _Pool:
    """A bounded number of clients, each used by one thread at a time."""

    def __init__(self, server: Server, size: int, *, strings_as_bytes: bool) -> None:
        self._server = server
        self._size = size
        self._strings_as_bytes = strings_as_bytes
        self._slots: queue.LifoQueue[Client | None] = queue.LifoQueue()
        for _ in range(size):
            self._slots.put(None)

    def use(self, action: Callable[[Client], _Answer]) -> _Answer:
        """Raises Unavailable for whatever goes wrong between here and the server."""
        where = f"ClickHouse at {self._server.host}:{self._server.port}"
        try:
            client = self._slots.get(timeout=WAIT_FOR_CONNECTION_S)
        except queue.Empty:
            raise Unavailable(f"{where}: all {self._size} connections are busy") from None
        try:
            client = client or self._client()
            answer = action(client)
        except BaseException as error:
            if client is not None:
                client.disconnect()
            self._slots.put(None)
            if isinstance(error, Error | OSError | EOFError):
                raise Unavailable(f"{where}: {_sentence(error)}") from None
            raise
        self._slots.put(client)
        return answer

    def _client(self) -> Client:
        server = self._server
        return Client(
            host=server.host,
            port=server.port,
            database=server.database,
            user=server.user,
            password=server.password,
            secure=server.secure,
            client_name="lookthrough",
            connect_timeout=CONNECT_TIMEOUT_S,
            send_receive_timeout=ANSWER_TIMEOUT_S,
            settings={"strings_as_bytes": self._strings_as_bytes},
        )

    def close(self) -> None:
        taken = [self._slots.get() for _ in range(self._size)]
        for client in taken:
            if client is not None:
                client.disconnect()
            self._slots.put(None)


def _sentence(error: Exception) -> str:
    """What the server says, on one line and without its stack trace."""
    return " ".join(str(error).split("Stack trace:")[0].split())


def insert_settings(version: tuple[int, ...]) -> dict[str, int]:
    """One block may span any number of partitions: old or wild dates must not stop the recorder.

    Servers before 19 have neither the bound nor its setting.
    """
    return {"max_partitions_per_insert_block": 0} if version >= (19, 5) else {}


def _values(column: pa.ChunkedArray) -> list[Any]:
    """What the driver sends fastest: bytes for text, int for numbers."""
    if pa.types.is_string(column.type):
        column = column.cast(pa.binary())
    elif pa.types.is_list(column.type):
        return list(column.cast(pa.list_(pa.binary())).to_pylist())
    values: list[Any] = column.to_numpy().tolist()
    return values
