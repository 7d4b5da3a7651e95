"""Numbered, forward-only changes of the store: schemas/migrations/NNNN_name.sql.

A file holds statements that end in ";" at a line's end, each harmless when run again, since a crash
may leave a file half applied. A comment line `-- requires: 20.1` names the first server version
that can run it: on an older one the file is recorded as skipped, and tried again after an upgrade.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from importlib.resources import files
from typing import Final

from schemas.errors import Conflict
from store.database import Database

logger = logging.getLogger(__name__)

_LEDGER: Final = """
    CREATE TABLE IF NOT EXISTS schema_migrations
    (
        number UInt64,
        name String,
        digest String,
        outcome String,
        server_version String,
        recorded_us UInt64
    )
    ENGINE = ReplacingMergeTree(recorded_us)
    ORDER BY number
"""
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_REQUIRES = re.compile(r"^-- requires: (\d+)\.(\d+)$", re.MULTILINE)


class Outcome(StrEnum):
    applied = "applied"
    skipped = "skipped"


@dataclass(frozen=True, slots=True)
class Migration:
    """`digest` is the SHA-256 of the statements, so that a comment may be corrected later."""

    number: int
    name: str
    statements: tuple[str, ...]
    requires: tuple[int, int]
    digest: str


def parse(filename: str, text: str) -> Migration:
    """Raises Conflict when the file is not named NNNN_name.sql or holds no statement."""
    match = _FILE.fullmatch(filename)
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    statements = tuple(part.strip() for part in re.split(r";\s*$", code, flags=re.MULTILINE) if part.strip())
    if match is None or not statements:
        raise Conflict(f"{filename} is no migration: NNNN_name.sql with at least one statement")
    requires = _REQUIRES.search(text)
    return Migration(
        number=int(match[1]),
        name=match[2],
        statements=statements,
        requires=(int(requires[1]), int(requires[2])) if requires else (0, 0),
        digest=sha256("\0".join(statements).encode()).hexdigest(),
    )


def shipped() -> tuple[Migration, ...]:
    """The migrations of this version of Lookthrough, numbered 1, 2, 3 … without a gap."""
    folder = files("schemas") / "migrations"
    sources = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    found = sorted((parse(entry.name, entry.read_text("utf-8")) for entry in sources), key=lambda m: m.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise Conflict("the migrations are not numbered 1, 2, 3 … without a gap")
    return tuple(found)


def migrate(
    database: Database, migrations: tuple[Migration, ...] | None = None
) -> list[tuple[Migration, Outcome]]:
    """Bring the store to the newest schema; returns what was done now, empty when it was current.

    Blocks. Safe to run at every start and from several processes. Raises Conflict when a migration
    recorded there was changed since or is unknown here, Unavailable when the store does not answer;
    run again then, it goes on where it stopped.
    """
    migrations = shipped() if migrations is None else migrations
    database.execute(_LEDGER)
    recorded = _recorded(database)
    _check(migrations, recorded)
    version = str(database.query("SELECT version()")[0][0])
    done = []
    for migration in migrations:
        outcome = Outcome.applied if _major_minor(version) >= migration.requires else Outcome.skipped
        if migration.number in recorded and recorded[migration.number][1] in (outcome, Outcome.applied):
            continue
        if outcome is Outcome.applied:
            for statement in migration.statements:
                database.execute(statement)
        _record(database, migration, outcome, version)
        logger.info("migration %04d %s: %s on %s", migration.number, migration.name, outcome, version)
        done.append((migration, outcome))
    return done


def _recorded(database: Database) -> dict[int, tuple[str, str]]:
    """Number → (digest, outcome)."""
    rows = database.query("SELECT number, digest, outcome FROM schema_migrations FINAL ORDER BY number")
    return {number: (digest, outcome) for number, digest, outcome in rows}


def _check(migrations: tuple[Migration, ...], recorded: dict[int, tuple[str, str]]) -> None:
    known = {migration.number: migration for migration in migrations}
    for number, (digest, outcome) in recorded.items():
        if number not in known:
            raise Conflict(f"the store has migration {number:04d}, which this version does not know")
        if outcome == Outcome.applied and digest != known[number].digest:
            name = known[number].name
            raise Conflict(f"migration {number:04d} {name} was changed after it had been applied")


def _record(database: Database, migration: Migration, outcome: Outcome, version: str) -> None:
    database.insert(
        "schema_migrations",
        {
            "number": [migration.number],
            "name": [migration.name],
            "digest": [migration.digest],
            "outcome": [outcome.value],
            "server_version": [version],
            "recorded_us": [time.time_ns() // 1000],
        },
    )


def _major_minor(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)
