import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import Forbidden, InvalidSetting, Unauthenticated
from services.api.access import DEMO, Key, Keyring, Principal, load
from services.api.settings import Settings

KEY: dict[str, Any] = {"name": "bj", "key_sha256": "0" * 64, "sectors": ["cbrc"], "regions": "*"}


def write(path: Path, content: object) -> Settings:
    path.write_text(json.dumps(content))
    return Settings(keys=path)


def test_the_demo_has_no_keyring_and_sees_everything() -> None:
    assert load(Settings(demo=True)) is None
    assert (DEMO.sectors, DEMO.regions, DEMO.feeds, DEMO.rejects) == ("*", "*", "*", True)


def test_a_key_opens_its_own_scope(tmp_path: Path) -> None:
    digest = sha256(b"open sesame").hexdigest()
    keyring = load(write(tmp_path / "keys.json", [KEY | {"key_sha256": digest}]))
    assert keyring is not None
    principal = keyring.principal("open sesame")
    assert (principal.name, principal.sectors, principal.regions) == ("bj", ("cbrc",), "*")
    assert (principal.feeds, principal.rejects) == ((), False)
    with pytest.raises(Unauthenticated):
        keyring.principal("open barley")
    with pytest.raises(Unauthenticated):
        keyring.principal(digest)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([], "too_short|at least 1"),
        ({}, "as a whole"),
        ([KEY | {"key_sha256": "open sesame"}], "0.key_sha256"),
        ([KEY | {"sectors": "cbrc"}], "0.sectors"),
        ([KEY | {"regions": ["*"]}], "0.regions"),
        ([KEY | {"reject": True}], "0.reject"),
        ([{"name": "bj", "key_sha256": "0" * 64, "sectors": "*"}], "0.regions"),
        ([KEY, KEY | {"name": "other"}], "share"),
        ([KEY, KEY | {"key_sha256": "1" * 64}], "share"),
    ],
)
def test_a_wrong_key_file_is_refused_by_name(tmp_path: Path, content: object, named: str) -> None:
    with pytest.raises(InvalidSetting, match=named):
        load(write(tmp_path / "keys.json", content))


def test_a_missing_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="No such file"):
        load(Settings(keys=tmp_path / "none.json"))


def test_a_key_file_error_never_shows_what_was_in_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting) as refused:
        load(write(tmp_path / "keys.json", [KEY | {"key_sha256": "my secret in clear"}]))
    assert "secret" not in str(refused.value)


def test_rejects_take_a_permission_of_their_own() -> None:
    Principal(name="a", sectors="*", regions="*", rejects=True).require_rejects()
    with pytest.raises(Forbidden, match="rejects"):
        Principal(name="a", sectors="*", regions="*", feeds="*").require_rejects()


def test_keyring_refuses_a_key_that_is_not_text() -> None:
    with pytest.raises(Unauthenticated):
        Keyring((Key.model_validate(KEY),)).principal("\ud800")
