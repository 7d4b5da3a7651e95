from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import pytest

from schemas.errors import Unavailable
from store.clickhouse import ServerDatabase, insert_settings
from store.migrations import migrate
from store.opening import open_database
from store.settings import Server

Crashing = Callable[[Path, int], AbstractContextManager[Server]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def test_nobody_there_is_unavailable() -> None:
    with closing(ServerDatabase(Server("127.0.0.1", free_port()))) as database:
        for call in (database.ping, lambda: database.insert("alerts", {"alert_id": ["x"]})):
            with pytest.raises(Unavailable, match="ClickHouse at"):
                call()


def test_a_peer_that_is_no_clickhouse_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        peer = Thread(target=answer)
        peer.start()
        server = Server("127.0.0.1", listener.getsockname()[1])
        with closing(ServerDatabase(server)) as database, pytest.raises(Unavailable):
            database.ping()
        peer.join()


def test_a_wrong_password_is_unavailable_and_says_so(clickhouse_server: Server) -> None:
    wrong = replace(clickhouse_server, password="wrong")
    with closing(open_database(wrong)) as database, pytest.raises(Unavailable, match="Wrong password"):
        database.ping()


def test_a_server_that_went_and_came_back(tmp_path: Path, crashing_clickhouse: Crashing) -> None:
    port = free_port()
    with closing(ServerDatabase(Server("127.0.0.1", port))) as database:
        with crashing_clickhouse(tmp_path, port):
            migrate(database)
            database.insert("alerts", {"alert_id": ["kept"], "version": [1]})
        for _ in range(2):
            with pytest.raises(Unavailable):
                database.ping()
        with crashing_clickhouse(tmp_path, port):
            assert database.query("SELECT alert_id FROM alerts FINAL") == [("kept",)]
            database.insert("alerts", {"alert_id": ["kept"], "version": [2]})
            assert database.query("SELECT version FROM alerts FINAL") == [(2,)]


def test_more_threads_than_connections_take_turns(clickhouse_server: Server) -> None:
    together = Barrier(6)
    answers = []

    def ask(database: ServerDatabase) -> None:
        together.wait()
        answers.extend(database.query("SELECT sleep(0.05)"))

    with closing(ServerDatabase(clickhouse_server, connections=2)) as database:
        threads = [Thread(target=ask, args=(database,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        open_now = "SELECT value FROM system.metrics WHERE metric = 'TCPConnection'"
        assert len(answers) == 6
        assert database.query(open_now)[0][0] >= 1


@pytest.mark.parametrize(
    ("version", "bounded"), [((18, 16, 1), False), ((20, 1, 2), True), ((25, 8, 1), True)]
)
def test_the_bound_on_partitions_is_lifted_where_there_is_one(
    version: tuple[int, ...], bounded: bool
) -> None:
    assert bool(insert_settings(version)) is bounded
