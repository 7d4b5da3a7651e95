from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import InvalidSetting
from store.settings import VARIABLE, Folder, Server, from_environment, parse

GOOD = {
    "clickhouse://127.0.0.1": Server("127.0.0.1"),
    "clickhouse://db.example:19000/fundflow": Server("db.example", 19000, "fundflow"),
    "clickhouse://me:s%26%22e%3Cc@db/x": Server("db", 9000, "x", "me", 's&"e<c'),
    "clickhouses://db": Server("db", 9440, secure=True),
    "clickhouse://[::1]:9001": Server("::1", 9001),
    "chdb:var/store": Folder(Path("var/store")),
    "chdb:/srv/a b": Folder(Path("/srv/a b")),
}
BAD = (
    "",
    "chdb:",
    "chdb",
    "clickhouse",
    "clickhouse:",
    "clickhouse://",
    "clickhouse://:9000",
    "http://127.0.0.1:8123",
    "clickhouse://host:port/x",
    "clickhouse://host:70000/x",
    "clickhouse://host/x/y",
    "clickhouse://host/x?secure=1",
    "clickhouse://host/x#y",
    "clickhouse://[::1",
)


@pytest.mark.parametrize(("url", "where"), GOOD.items(), ids=GOOD)
def test_a_url_names_a_store(url: str, where: Server | Folder) -> None:
    assert parse(url) == where
    assert from_environment({VARIABLE: url}) == where


@pytest.mark.parametrize("url", BAD)
def test_any_other_text_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match=VARIABLE):
        parse(url)


def test_it_must_be_set() -> None:
    with pytest.raises(InvalidSetting, match=VARIABLE):
        from_environment({})


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(parse("clickhouse://me:secret@db"))
    with pytest.raises(InvalidSetting) as refused:
        parse("clickhouse://me:secret@db:x")
    assert "secret" not in str(refused.value)
