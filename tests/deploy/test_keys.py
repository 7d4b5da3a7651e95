from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from schemas.errors import Unauthenticated
from services.api.access import load
from services.api.settings import Settings
from tests.deploy.conftest import DEPLOY


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_keys_are_made_once_for_their_owner_alone(keys: ModuleType, tmp_path: Path) -> None:
    made = keys.keys_of(tmp_path)
    assert keys.keys_of(tmp_path) == made
    assert mode(tmp_path / "keys.json") == 0o600
    each = (made.token, made.operator, made.supervisor, made.store)
    assert len(set(each)) == 4
    assert all(len(bytes.fromhex(key)) == 32 for key in each)


def test_compose_environment_holds_no_key_it_can_do_without(tmp_path: Path) -> None:
    subprocess.run([sys.executable, DEPLOY / "keys.py", tmp_path / "made"], check=True)
    written = tmp_path / "made" / "compose.env"
    assert mode(written) == 0o600
    assert mode(tmp_path / "made") == 0o700
    variables = dict(line.split("=", 1) for line in written.read_text().splitlines())
    assert sorted(variables) == [
        "LOOKTHROUGH_ACCESS_FILE",
        "LOOKTHROUGH_OPERATOR_KEY_SHA256",
        "LOOKTHROUGH_STORE_PASSWORD",
        "LOOKTHROUGH_TOKEN_KEY",
    ]


def test_the_api_lets_the_supervisor_in(keys: ModuleType, tmp_path: Path) -> None:
    made = keys.keys_of(tmp_path)
    ring = load(Settings(keys=keys.write_access(tmp_path, made)))
    assert ring is not None
    assert ring.principal(made.supervisor).sectors == "*"
    with pytest.raises(Unauthenticated):
        ring.principal(made.operator)
    assert made.supervisor not in (tmp_path / "access.json").read_text()


def test_an_access_file_of_ones_own_is_kept(keys: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "access.json").write_text("[]")
    keys.write_access(tmp_path, keys.keys_of(tmp_path))
    assert (tmp_path / "access.json").read_text() == "[]"
