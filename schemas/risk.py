"""Risk score of an institution, with the arithmetic shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.instant import Instant
from schemas.record import Identifier, Percent, Record


class RiskClass(StrEnum):
    """What the rectification plan does with an institution (RP 五.2)."""

    compliant = "compliant"  # 合规
    rectify = "rectify"  # 整改
    ban = "ban"  # 取缔


CLASS_ZH = {RiskClass.compliant: "合规", RiskClass.rectify: "整改", RiskClass.ban: "取缔"}


class Contribution(Record):
    """What one alert adds. milli_points: thousandths of a point, before the scores are combined."""

    alert_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    alert_version: int
    typology: Identifier
    severity_points: Percent
    confidence: Percent
    age_us: Annotated[int, Field(ge=0)]
    milli_points: Annotated[int, Field(ge=0, le=100_000)]


class RiskScore(Record):
    """Score of one institution at one instant of event time; `formula` says how it was reached."""

    institution_id: Identifier
    sector: Identifier | None
    regions: tuple[Identifier, ...]
    at: Instant
    score: Percent
    risk_class: RiskClass
    contributions: tuple[Contribution, ...]
    formula: str
