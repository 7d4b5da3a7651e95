from pathlib import Path

import pytest

from schemas.errors import InvalidSetting
from services.api.settings import Settings, from_environment

KEYS = {"LOOKTHROUGH_API_KEYS": "/etc/lookthrough/keys.json"}
DEMO = {"LOOKTHROUGH_DEMO": "true"}


def test_defaults_listen_on_loopback() -> None:
    assert from_environment(KEYS) == Settings(
        host="127.0.0.1", port=8000, keys=Path("/etc/lookthrough/keys.json"), demo=False
    )


def test_everything_can_be_set() -> None:
    environment = KEYS | {
        "LOOKTHROUGH_API_HOST": "0.0.0.0",
        "LOOKTHROUGH_API_PORT": "0",
        "LOOKTHROUGH_API_READS": "3",
        "LOOKTHROUGH_API_READ_SECONDS": "7",
        "LOOKTHROUGH_DEMO": "0",
        "PATH": "/bin",
    }
    assert from_environment(environment) == Settings(
        host="0.0.0.0", port=0, keys=Path("/etc/lookthrough/keys.json"), reads=3, read_seconds=7
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_demo_on_loopback(host: str) -> None:
    assert from_environment(DEMO | {"LOOKTHROUGH_API_HOST": host}).host == host


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "LOOKTHROUGH_API_KEYS"),
        ({"LOOKTHROUGH_API_KEYS": ""}, "LOOKTHROUGH_API_KEYS"),
        ({"LOOKTHROUGH_DEMO": "false"}, "LOOKTHROUGH_API_KEYS"),
        ({"LOOKTHROUGH_DEMO": "False"}, "LOOKTHROUGH_DEMO"),
        ({"LOOKTHROUGH_DEMO": ""}, "LOOKTHROUGH_DEMO"),
        (DEMO | {"LOOKTHROUGH_API_HOST": "0.0.0.0"}, "0.0.0.0"),
        (DEMO | {"LOOKTHROUGH_API_HOST": "::"}, "::"),
        (DEMO | {"LOOKTHROUGH_API_HOST": "localhost.example"}, "localhost.example"),
        (KEYS | {"LOOKTHROUGH_API_PORT": "65536"}, "LOOKTHROUGH_API_PORT"),
        (KEYS | {"LOOKTHROUGH_API_PORT": "-1"}, "LOOKTHROUGH_API_PORT"),
        (KEYS | {"LOOKTHROUGH_API_PORT": "８０"}, "LOOKTHROUGH_API_PORT"),
        (KEYS | {"LOOKTHROUGH_API_READS": "0"}, "LOOKTHROUGH_API_READS"),
        (KEYS | {"LOOKTHROUGH_API_KEY": "x"}, "LOOKTHROUGH_API_KEY"),
    ],
)
def test_what_cannot_be_used_is_refused(environment: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidSetting, match=named):
        from_environment(environment)
