"""Severity points: how grave a suspicion is if true. The sum is cut to 0–100."""

from __future__ import annotations

from typing import Final

from schemas.alert import Factor, Severity
from schemas.currency import decimals_of
from services.detector.typology import factor
from services.detector.wording import amount

_BY_MAJOR: Final = ((100_000_000, 35), (10_000_000, 25), (1_000_000, 15), (100_000, 5), (0, 0))
"""(amount in major units, points); assumption: each tenfold adds ten."""

_CLASSES: Final = (
    (80, Severity.critical),
    (60, Severity.high),
    (40, Severity.medium),
    (0, Severity.low),
)


def by_amount(minor: int, currency: str) -> Factor:
    """By orders of magnitude, in whichever currency: there is no exchange rate here."""
    major = minor // 10 ** decimals_of(currency)
    points = next(points for least, points in _BY_MAJOR if major >= least)
    shown = amount(minor, currency)
    return factor("amount", points, f"涉及金额 {shown}", f"{shown} involved")


def class_of(points: int) -> Severity:
    return next(severity for least, severity in _CLASSES if points >= least)
