import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidRecord
from schemas.instant import MAX_INSTANT, to_micros, to_rfc3339


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2023-01-01T00:00:29Z", 1_672_531_229_000_000),
        ("2023-01-01 00:00:29", 1_672_531_229_000_000),
        ("2023-01-01T08:00:29+08:00", 1_672_531_229_000_000),
        ("2023-01-01t00:00:29.000001z", 1_672_531_229_000_001),
        ("2023-01-01", 1_672_531_200_000_000),
    ],
)
def test_rfc3339_reads_to_utc_microseconds(text, micros):
    assert to_micros(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2023-13-01",
        "2023-02-30T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "20230101",
        "2023-W01-1",
        "1672531229",
    ],
)
def test_other_text_is_refused(text):
    with pytest.raises(InvalidRecord):
        to_micros(text)


@given(st.integers(0, MAX_INSTANT))
def test_text_and_back(micros):
    assert to_micros(to_rfc3339(micros)) == micros
