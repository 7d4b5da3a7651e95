from base64 import b64encode
from pathlib import Path

import pytest

from schemas.errors import InvalidSetting
from services.ingest.settings import DEMO_TOKEN_KEY, Settings

KEY = "ab" * 32


def read(**environ):
    return Settings.from_environment({"LOOKTHROUGH_TOKEN_KEY": KEY, **environ})


def test_defaults_are_safe():
    settings = read()
    assert settings.token_key == bytes.fromhex(KEY)
    assert (settings.demo, settings.host, settings.port) == (False, "127.0.0.1", 8001)
    assert settings.operator_key_sha256 is None
    assert settings.max_batch_bytes == 4 << 30


def test_everything_can_be_set(tmp_path):
    settings = Settings.from_environment(
        {
            "LOOKTHROUGH_TOKEN_KEY": b64encode(b"z" * 32).decode(),
            "LOOKTHROUGH_DEMO": "false",
            "LOOKTHROUGH_OPERATOR_KEY_SHA256": "0" * 64,
            "LOOKTHROUGH_KAFKA_BOOTSTRAP": "a:1,b:2",
            "LOOKTHROUGH_INGEST_HOST": "0.0.0.0",
            "LOOKTHROUGH_INGEST_PORT": "9000",
            "LOOKTHROUGH_MAX_BATCH_BYTES": "1048576",
            "LOOKTHROUGH_CONCURRENT_BATCHES": "2",
            "LOOKTHROUGH_SPOOL_FOLDER": str(tmp_path),
        }
    )
    assert settings == Settings(
        b"z" * 32, False, "0" * 64, "a:1,b:2", "0.0.0.0", 9000, 1 << 20, 2, Path(tmp_path)
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LOOKTHROUGH_DEMO", "False", "one of true, false, 1, 0"),
        ("LOOKTHROUGH_DEMO", "yes", "one of true, false, 1, 0"),
        ("LOOKTHROUGH_DEMO", "", "one of true, false, 1, 0"),
        ("LOOKTHROUGH_INGEST_PORT", "65536", "from 0 to 65535"),
        ("LOOKTHROUGH_INGEST_PORT", "80.0", "whole number"),
        ("LOOKTHROUGH_INGEST_PORT", "-1", "whole number"),
        ("LOOKTHROUGH_INGEST_PORT", "١", "whole number"),
        ("LOOKTHROUGH_INGEST_HOST", "", "is empty"),
        ("LOOKTHROUGH_MAX_BATCH_BYTES", "4GiB", "whole number"),
        ("LOOKTHROUGH_CONCURRENT_BATCHES", "0", "from 1 to 64"),
        ("LOOKTHROUGH_OPERATOR_KEY_SHA256", "secret", "64 lower-case hex"),
        ("LOOKTHROUGH_SPOOL_FOLDER", "/does/not/exist", "folder that exists"),
        ("LOOKTHROUGH_TOKEN_KEY", "ab" * 31, "at least 32 bytes"),
        ("LOOKTHROUGH_TOKEN_KEY", "not a key!", "at least 32 bytes"),
        ("LOOKTHROUGH_TOKEN_KEY", "", "at least 32 bytes"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_can(name, value, expected):
    with pytest.raises(InvalidSetting, match=expected) as refused:
        read(**{name: value})
    assert name in str(refused.value)


def test_a_secret_is_never_repeated():
    with pytest.raises(InvalidSetting) as refused:
        read(LOOKTHROUGH_TOKEN_KEY="too-short-a-secret")
    assert "too-short-a-secret" not in str(refused.value)
    assert KEY not in repr(read())
    assert repr(bytes.fromhex(KEY)) not in repr(read())


def test_only_the_demo_has_a_token_key_of_its_own():
    with pytest.raises(InvalidSetting, match="LOOKTHROUGH_TOKEN_KEY is not set"):
        Settings.from_environment({})
    assert Settings.from_environment({"LOOKTHROUGH_DEMO": "1"}).token_key == DEMO_TOKEN_KEY


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "bank.example"])
def test_the_demo_stays_on_this_machine(host):
    with pytest.raises(InvalidSetting, match="loopback"):
        read(LOOKTHROUGH_DEMO="true", LOOKTHROUGH_INGEST_HOST=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_the_demo_may_listen_on_loopback(host):
    assert read(LOOKTHROUGH_DEMO="true", LOOKTHROUGH_INGEST_HOST=host).host == host
