import pytest

from schemas.errors import InvalidSetting
from services.detector.settings import Settings


def test_defaults_are_loopback() -> None:
    assert Settings.from_environment({}) == Settings("127.0.0.1:9092", 0)


def test_environment_is_read() -> None:
    environ = {
        "LOOKTHROUGH_KAFKA_BOOTSTRAP": "kafka-1:9092,kafka-2:9092",
        "LOOKTHROUGH_DETECTOR_METRICS_PORT": "9101",
    }
    assert Settings.from_environment(environ) == Settings("kafka-1:9092,kafka-2:9092", 9101)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOOKTHROUGH_KAFKA_BOOTSTRAP", ""),
        ("LOOKTHROUGH_KAFKA_BOOTSTRAP", "kafka"),
        ("LOOKTHROUGH_KAFKA_BOOTSTRAP", ":9092"),
        ("LOOKTHROUGH_KAFKA_BOOTSTRAP", "kafka:0"),
        ("LOOKTHROUGH_KAFKA_BOOTSTRAP", "kafka:65536"),
        ("LOOKTHROUGH_KAFKA_BOOTSTRAP", "kafka:9092,"),
        ("LOOKTHROUGH_DETECTOR_METRICS_PORT", "65536"),
        ("LOOKTHROUGH_DETECTOR_METRICS_PORT", "-1"),
        ("LOOKTHROUGH_DETECTOR_METRICS_PORT", "٣"),
        ("LOOKTHROUGH_DETECTOR_METRICS_PORT", ""),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        Settings.from_environment({name: value})
