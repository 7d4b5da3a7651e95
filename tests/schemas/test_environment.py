import pytest

from schemas.environment import Environment, is_loopback
from schemas.errors import InvalidSetting


@pytest.mark.parametrize(("value", "read"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_booleans(value, read):
    assert Environment({"X": value}).boolean("X") is read


@pytest.mark.parametrize(
    ("reader", "arguments", "value"),
    [
        ("boolean", (), "False"),
        ("boolean", (), "yes"),
        ("boolean", (), ""),
        ("text", ("a",), ""),
        ("integer", (5, 1, 9), "10"),
        ("integer", (5, 1, 9), "-1"),
        ("integer", (5, 1, 9), "five"),
        ("integer", (5, 1, 9), "٣"),
        ("sha256", (), "secret"),
        ("folder", (), "/nowhere/at/all"),
    ],
)
def test_other_values_are_refused_by_name(reader, arguments, value):
    with pytest.raises(InvalidSetting, match=r"^X"):
        getattr(Environment({"X": value}), reader)("X", *arguments)


def test_a_mistyped_secret_is_not_repeated():
    with pytest.raises(InvalidSetting) as refused:
        Environment({"X": "hunter2"}).sha256("X")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", ["", "kafka", "kafka:0", "kafka:99999", "a:1,,b:2", ":9092"])
def test_brokers_are_host_and_port(value):
    with pytest.raises(InvalidSetting, match="KAFKA"):
        Environment({"LOOKTHROUGH_KAFKA_BOOTSTRAP": value}).kafka_bootstrap()


@pytest.mark.parametrize(
    ("host", "yes"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("x", False)],
)
def test_loopback(host, yes):
    assert is_loopback(host) is yes
