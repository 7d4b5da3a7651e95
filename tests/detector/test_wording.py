"""Amounts, dates and shares as a supervisor reads them."""

from __future__ import annotations

import pytest

from schemas.alert import Severity
from schemas.instant import to_micros
from schemas.registry import AccountRole
from services.detector import wording
from services.detector.severity import by_amount, class_of


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123_456_789, "CNY", "CNY 1,234,567.89"),
        (5, "CNY", "CNY 0.05"),
        (1_000, "JPY", "JPY 1,000"),
        (1_234_567, "KWD", "KWD 1,234.567"),
    ],
)
def test_amounts_are_exact(minor: int, currency: str, text: str) -> None:
    assert wording.amount(minor, currency) == text


def test_days_are_beijings() -> None:
    assert wording.day(to_micros("2021-06-01T15:59:59Z")) == "2021-06-01"
    assert wording.day(to_micros("2021-06-01T16:00:00Z")) == "2021-06-02"


@pytest.mark.parametrize(("part", "text"), [(0, "0.0%"), (1999, "19.9%"), (10_000, "100.0%")])
def test_shares_are_rounded_down(part: int, text: str) -> None:
    assert wording.percent(part, 10_000) == text


def test_every_role_has_a_name() -> None:
    names = {wording.role(role).zh for role in (*AccountRole, None)}
    assert len(names) == len(AccountRole) + 1


@pytest.mark.parametrize(
    ("yuan", "points"),
    [(99_999, 0), (100_000, 5), (1_000_000, 15), (10_000_000, 25), (100_000_000, 35)],
)
def test_severity_grows_with_the_amount(yuan: int, points: int) -> None:
    assert by_amount(yuan * 100, "CNY").points == points
    assert by_amount(yuan, "JPY").points == points


@pytest.mark.parametrize(
    ("points", "severity"),
    [
        (39, Severity.low),
        (40, Severity.medium),
        (60, Severity.high),
        (79, Severity.high),
        (80, Severity.critical),
    ],
)
def test_classes_of_severity(points: int, severity: Severity) -> None:
    assert class_of(points) is severity
