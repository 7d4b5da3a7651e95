from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from schemas.errors import Unavailable
from store.embedded import EmbeddedDatabase
from store.migrations import migrate
from store.opening import open_database
from store.settings import Folder

HOLD = """
import sys
from pathlib import Path
from store.embedded import EmbeddedDatabase
database = EmbeddedDatabase(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
database.close()
"""


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    for version in (1, 2):
        with closing(open_database(Folder(tmp_path / "new" / "store"))) as database:
            migrate(database)
            database.insert("alerts", {"alert_id": ["a"], "version": [version]})
            assert database.query("SELECT version FROM alerts FINAL") == [(version,)]


def test_a_folder_that_another_process_holds(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Unavailable, match="another process holds it"):
            EmbeddedDatabase(tmp_path)
        holder.communicate("\n")
    with closing(EmbeddedDatabase(tmp_path)) as database:
        database.ping()


def test_a_second_folder_in_one_process(tmp_path: Path) -> None:
    with closing(EmbeddedDatabase(tmp_path / "one")) as database:
        with pytest.raises(Unavailable, match="two cannot be opened"):
            EmbeddedDatabase(tmp_path / "two")
        database.ping()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be opened"):
        EmbeddedDatabase(tmp_path / "file")


def test_a_folder_with_a_quote_in_its_name(tmp_path: Path) -> None:
    with closing(EmbeddedDatabase(tmp_path / 'it\'s, "穿透"')) as database:
        migrate(database)
        database.insert("alerts", {"alert_id": ["a"]})
        assert database.query("SELECT alert_id FROM alerts") == [("a",)]


def test_closed_is_unavailable_and_closing_again_is_nothing(tmp_path: Path) -> None:
    database = EmbeddedDatabase(tmp_path)
    database.close()
    database.close()
    with pytest.raises(Unavailable, match="closed"):
        database.ping()


def test_a_statement_that_fails_halfway_leaves_nothing_in_the_next_answer(tmp_path: Path) -> None:
    with closing(EmbeddedDatabase(tmp_path)) as database:
        with pytest.raises(Unavailable, match="throwIf"):
            database.query("SELECT number, throwIf(number = 100000) FROM system.numbers")
        assert database.query("SELECT 7, 8") == [(7, 8)]
