from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.errors import Conflict, Unavailable
from store.database import Database
from store.migrations import Migration, Outcome, migrate, parse, shipped

TABLES = "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name"
LEDGER = "SELECT number, outcome FROM schema_migrations FINAL ORDER BY number"


def scratch(name: str, *statements: str, number: int = 1, requires: str = "") -> Migration:
    header = f"-- requires: {requires}\n" if requires else ""
    return parse(f"{number:04d}_{name}.sql", header + ";\n".join(statements) + ";\n")


def test_the_shipped_ones_say_what_and_why() -> None:
    assert [migration.number for migration in shipped()] == list(range(1, len(shipped()) + 1))
    assert any(migration.requires > (18, 16) for migration in shipped())


def test_every_shipped_one_is_done_once(empty_database: Database) -> None:
    done = migrate(empty_database)
    version = tuple(int(part) for part in empty_database.query("SELECT version()")[0][0].split(".")[:2])
    wanted = [(m.number, Outcome.applied if version >= m.requires else Outcome.skipped) for m in shipped()]
    assert [(migration.number, outcome) for migration, outcome in done] == wanted
    assert empty_database.query(LEDGER) == wanted
    tables = empty_database.query(TABLES)
    assert migrate(empty_database) == []
    assert empty_database.query(TABLES) == tables


def test_every_shipped_statement_may_run_again(empty_database: Database) -> None:
    """A crash between a statement and its record leaves the file to be run again."""
    migrate(empty_database)
    tables = empty_database.query(TABLES)
    empty_database.execute("TRUNCATE TABLE schema_migrations")
    assert len(migrate(empty_database)) == len(shipped())
    assert empty_database.query(TABLES) == tables


def test_codecs_where_the_server_has_them(empty_database: Database) -> None:
    migrate(empty_database)
    (row,) = empty_database.query("SHOW CREATE TABLE transactions")
    has_codecs = empty_database.query(LEDGER)[9][1] == Outcome.applied
    assert ("ZSTD" in row[0]) is has_codecs


def test_a_changed_one_is_refused(empty_database: Database) -> None:
    migrate(empty_database)
    first, *rest = shipped()
    with pytest.raises(Conflict, match="0001 transactions was changed"):
        migrate(empty_database, (replace(first, digest="0" * 64), *rest))


def test_one_from_a_newer_version_is_refused(empty_database: Database) -> None:
    migrate(empty_database)
    with pytest.raises(Conflict, match="does not know"):
        migrate(empty_database, shipped()[:-1])


def test_one_that_fails_is_tried_again(empty_database: Database) -> None:
    migrate(empty_database)
    last = len(shipped()) + 1
    bad = scratch(
        "extra", "CREATE TABLE IF NOT EXISTS made_half (a Int64) ENGINE = Memory", "NO", number=last
    )
    with pytest.raises(Unavailable):
        migrate(empty_database, (*shipped(), bad))
    good = scratch("extra", "CREATE TABLE IF NOT EXISTS made_half (a Int64) ENGINE = Memory", number=last)
    assert [outcome for _, outcome in migrate(empty_database, (*shipped(), good))] == [Outcome.applied]
    # Nothing of this case stays, since the module shares the database.
    empty_database.execute("DROP TABLE made_half")
    empty_database.execute("TRUNCATE TABLE schema_migrations")


def test_a_skipped_one_is_applied_after_an_upgrade(empty_database: Database) -> None:
    migrate(empty_database)
    last = len(shipped()) + 1
    statement = "CREATE TABLE IF NOT EXISTS after_upgrade (a Int64) ENGINE = Memory"
    future = scratch("future", statement, number=last, requires="999.1")
    assert migrate(empty_database, (*shipped(), future)) == [(future, Outcome.skipped)]
    assert ("after_upgrade",) not in empty_database.query(TABLES)
    assert migrate(empty_database, (*shipped(), future)) == []
    now = scratch("future", statement, number=last, requires="1.1")
    assert migrate(empty_database, (*shipped(), now)) == [(now, Outcome.applied)]
    assert ("after_upgrade",) in empty_database.query(TABLES)
    empty_database.execute("DROP TABLE after_upgrade")
    empty_database.execute("TRUNCATE TABLE schema_migrations")


def test_a_file_is_cut_into_statements_and_its_comments_are_not_its_digest() -> None:
    text = "-- what; why\n-- requires: 20.1\nCREATE TABLE a\n(\n    b String -- c\n);\n\nSELECT 'x;y';\n"
    migration = parse("0012_two_things.sql", text)
    assert (migration.number, migration.name, migration.requires) == (12, "two_things", (20, 1))
    assert migration.statements == ("CREATE TABLE a\n(\n    b String -- c\n)", "SELECT 'x;y'")
    assert parse("0012_two_things.sql", "-- better said\n" + text).digest == migration.digest
    assert parse("0012_two_things.sql", text.replace("b", "c")).digest != migration.digest
    assert parse("0001_plain.sql", "SELECT 1").requires == (0, 0)


@pytest.mark.parametrize(
    ("name", "text"),
    [("1_short.sql", "SELECT 1;"), ("0001_.sql", "SELECT 1;"), ("0001_none.sql", "-- nothing\n")],
)
def test_what_is_no_migration(name: str, text: str) -> None:
    with pytest.raises(Conflict, match="no migration"):
        parse(name, text)
