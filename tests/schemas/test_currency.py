import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.currency import DECIMALS, MAX_MINOR, to_major, to_minor
from schemas.errors import InvalidRecord


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("617.2", "SEK", 61720),
        ("0.01", "CNY", 1),
        ("1.", "CNY", 100),
        ("12.3400", "CNY", 1234),
        ("5", "JPY", 5),
        ("5.0", "JPY", 5),
        ("1.234", "KWD", 1234),
        ("92233720368547758.07", "CNY", MAX_MINOR),
    ],
)
def test_amounts_read_exactly(amount, currency, minor):
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "field"),
    [
        ("92233720368547758.08", "CNY", "amount"),
        ("1.001", "CNY", "amount"),
        ("1.5", "JPY", "amount"),
        ("-1", "CNY", "amount"),
        ("+1", "CNY", "amount"),
        ("1e3", "CNY", "amount"),
        ("1,000", "CNY", "amount"),
        (".5", "CNY", "amount"),
        ("", "CNY", "amount"),
        ("NaN", "CNY", "amount"),
        (" 1", "CNY", "amount"),
        ("１", "CNY", "amount"),
        ("9" * 40, "CNY", "amount"),
        ("1", "XXX", "currency"),
        ("1", "cny", "currency"),
    ],
)
def test_other_amounts_are_refused_by_field(amount, currency, field):
    with pytest.raises(InvalidRecord) as refused:
        to_minor(amount, currency)
    assert refused.value.field == field


@given(st.integers(0, MAX_MINOR), st.sampled_from(sorted(DECIMALS)))
def test_major_and_back(minor, currency):
    assert to_minor(to_major(minor, currency), currency) == minor
