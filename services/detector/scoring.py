"""The risk score of an institution: 0–100 from its alerts, the same bytes on every machine.

Each alert is worth severity × confidence, halved with every half-life of event time since it was last
raised. Alerts combine as independent doubts do (noisy-or): 100 × (1 − Π (1 − pᵢ)). All of it is integer
arithmetic: thousandths of a point, and powers of one half in binary fixed point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isqrt
from typing import Final, TypeAlias

from registry import Registry
from schemas.alert import Alert
from schemas.instant import DAY
from schemas.law import Rules
from schemas.risk import CLASS_ZH, Contribution, RiskClass, RiskScore
from services.detector.beijing import day_of, midnight_us
from services.detector.episodes import regions_of
from services.detector.timers import NEVER_US
from services.detector.typology import in_force, parameter

_FULL: Final = 100_000  # milli-points of certainty
_BITS: Final = 48
_ONE: Final = 1 << _BITS
_STEPS: Final = 16


def _roots() -> tuple[int, ...]:
    """2 ** −½, 2 ** −¼, … in fixed point, each the square root of the one before, rounded down."""
    roots = [isqrt(_ONE * _ONE >> 1)]
    while len(roots) < _STEPS:
        roots.append(isqrt(roots[-1] << _BITS))
    return tuple(roots)


def _fractions() -> list[int]:
    """2 ** −(i ÷ 65536) for each i, by the roots that i's bits stand for, the greatest first."""
    values = [_ONE]
    for root in _roots():
        values = [each for value in values for each in (value, value * root >> _BITS)]
    return values


_FRACTIONS: Final = _fractions()


def decay(age_us: int, half_life_us: int) -> int:
    """2 ** −(age ÷ half-life) in units of 2 ** −48; the exponent is cut to 1/65536."""
    whole, rest = divmod(age_us, half_life_us)
    return _FRACTIONS[(rest << _STEPS) // half_life_us] >> whole if whole < _BITS else 0


@dataclass(frozen=True, slots=True)
class Parameters:
    rectify_from_points: int = parameter(30, "assumption")
    ban_from_points: int = parameter(70, "assumption")
    half_life_days: int = parameter(30, "assumption")


def classify(score: int, parameters: Parameters) -> RiskClass:
    if score >= parameters.ban_from_points:
        return RiskClass.ban
    if score >= parameters.rectify_from_points:
        return RiskClass.rectify
    return RiskClass.compliant


def combine(milli_points: list[int]) -> int:
    """100 × (1 − Π (1 − p)), p in milli-points; exact until it is rounded, half up."""
    doubt: int = 1
    for each in milli_points:
        doubt *= _FULL - each
    whole: int = _FULL ** len(milli_points)
    return (200 * (whole - doubt) + whole) // (2 * whole)


@dataclass(frozen=True, slots=True)
class _Standing:
    """The last version of an alert."""

    alert_id: str
    version: int
    typology: str
    severity: int
    confidence: int
    raised_us: int


_Weighed: TypeAlias = tuple[int, str, int, _Standing]
"""Minus its milli-points, its id, its age, itself: the weightiest comes first."""


class Scores:
    """Each institution keeps its `max_alerts` weightiest alerts; what an alert adds to a score is
    nothing once it has decayed below a thousandth of a point."""

    def __init__(self, max_alerts: int = 200) -> None:
        self._max_alerts = max_alerts
        self._standing: dict[str, dict[str, _Standing]] = {}
        self.next_boundary_us = NEVER_US
        """The next midnight in Beijing at which a score is due; NEVER_US while all are zero."""

    def raised(self, alert: Alert, registry: Registry, rules: Rules) -> RiskScore | None:
        """The score of the alert's institution with it; None where it has none."""
        if alert.institution_id is None:
            return None
        standing = self._standing.setdefault(alert.institution_id, {})
        standing[alert.alert_id] = _Standing(
            alert.alert_id,
            alert.version,
            alert.typology,
            alert.severity_points,
            alert.confidence,
            alert.detected_at,
        )
        if self.next_boundary_us == NEVER_US:
            self.next_boundary_us = next_midnight(alert.detected_at)
        return self._score(alert.institution_id, alert.detected_at, registry, rules)

    def at_boundary(self, registry: Registry, rules: Rules) -> list[RiskScore]:
        """The scores due at `next_boundary_us`, by institution; one that has come to zero says so once."""
        at_us = self.next_boundary_us
        scores = [self._score(one, at_us, registry, rules) for one in sorted(self._standing)]
        for score in scores:
            if score.score == 0:
                del self._standing[score.institution_id]
        self.next_boundary_us = at_us + DAY if self._standing else NEVER_US
        return scores

    def _score(self, institution_id: str, at_us: int, registry: Registry, rules: Rules) -> RiskScore:
        parameters = in_force(Parameters, "risk", rules)
        standing = self._standing[institution_id]
        kept = _weighed(standing.values(), at_us, parameters.half_life_days * DAY)[: self._max_alerts]
        if len(kept) < len(standing):
            self._standing[institution_id] = {alert_id: one for _, alert_id, _, one in kept}
        score = combine([-minus for minus, _, _, _ in kept])
        institution = registry.institution(institution_id, at_us)
        risk_class = classify(score, parameters)
        return RiskScore(
            institution_id=institution_id,
            sector=institution.sector if institution else None,
            regions=regions_of(institution),
            at=at_us,
            score=score,
            risk_class=risk_class,
            contributions=tuple([_contribution(one, age_us, -minus) for minus, _, age_us, one in kept]),
            formula=_formula(score, risk_class, parameters, len(kept)),
        )


def next_midnight(ts_us: int) -> int:
    """The first midnight in Beijing after `ts_us`."""
    return midnight_us(day_of(ts_us) + 1)


def _weighed(standing: Iterable[_Standing], at_us: int, half_life_us: int) -> list[_Weighed]:
    """Those that are worth anything, the weightiest first."""
    weighed = []
    for one in standing:
        age_us = max(0, at_us - one.raised_us)
        milli_points = one.severity * one.confidence * 10 * decay(age_us, half_life_us) >> _BITS
        if milli_points:
            weighed.append((-milli_points, one.alert_id, age_us, one))
    weighed.sort()
    return weighed


def _contribution(one: _Standing, age_us: int, milli_points: int) -> Contribution:
    """Of an alert, which was checked when it was raised."""
    return Contribution.vouched(
        {
            "alert_id": one.alert_id,
            "alert_version": one.version,
            "typology": one.typology,
            "severity_points": one.severity,
            "confidence": one.confidence,
            "age_us": age_us,
            "milli_points": milli_points,
        }
    )


def _formula(score: int, risk_class: RiskClass, parameters: Parameters, alerts: int) -> str:
    return (
        f"score = 100 × (1 − Π(1 − pᵢ)) over {alerts} alerts, pᵢ = severity% × confidence% × "
        f"½^(age ÷ {parameters.half_life_days} days); {score} points: {risk_class.value}"
        f"（{CLASS_ZH[risk_class]}）, rectify（整改） from {parameters.rectify_from_points}, "
        f"ban（取缔） from {parameters.ban_from_points}"
    )
