"""Institutions as the registry has them now, and their risk scores over event time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.errors import Unknown
from schemas.instant import MAX_INSTANT, to_rfc3339
from schemas.registry import Institution
from schemas.risk import RiskScore
from services.api import cursors
from services.api.answers import InstitutionSummary
from services.api.cursors import Stretch
from services.api.inquiry import Inquiry, chosen
from services.api.parameters import HistoryParameters, InstitutionParameters

_PAGE: Final = """
SELECT institution_id, body
FROM (
    SELECT institution_id, sector, regions, body
    FROM registry FINAL
    WHERE kind = 'institution' AND valid_from_us <= %(now_us)s
    ORDER BY institution_id, valid_from_us DESC
    LIMIT 1 BY institution_id
)
WHERE (%(all_sectors)s OR sector IN %(sectors)s)
    AND (%(all_regions)s OR hasAny(regions, %(regions)s))
    AND (%(any_sector)s OR sector IN %(sector)s)
    AND (%(any_region)s OR hasAny(regions, %(region)s))
    AND (%(any_risk_class)s OR institution_id IN (
        SELECT institution_id
        FROM risk_scores FINAL
        GROUP BY institution_id
        HAVING argMax(risk_class, at_us) IN %(risk_class)s
    ))
    AND institution_id > %(after_id)s
ORDER BY institution_id
LIMIT %(limit)s
"""

_ONE: Final = """
SELECT body
FROM (
    SELECT sector, regions, body
    FROM registry FINAL
    WHERE kind = 'institution' AND key = %(key)s AND valid_from_us <= %(now_us)s
    ORDER BY valid_from_us DESC
    LIMIT 1
)
WHERE (%(all_sectors)s OR sector IN %(sectors)s)
    AND (%(all_regions)s OR hasAny(regions, %(regions)s))
"""

_LATEST_SCORES: Final = """
SELECT institution_id, body
FROM risk_scores FINAL
WHERE institution_id IN %(institution_ids)s AND (institution_id, at_us) IN (
    SELECT institution_id, max(at_us)
    FROM risk_scores
    WHERE institution_id IN %(institution_ids)s AND at_us <= %(at_us)s
    GROUP BY institution_id
)
"""

_SCORES: Final = """
SELECT at_us, body
FROM risk_scores FINAL
WHERE institution_id = %(institution_id)s
    AND at_us >= %(from_us)s AND at_us < %(to_us)s AND at_us < %(before_us)s
ORDER BY at_us DESC
LIMIT %(limit)s
"""

_ALERTS: Final = """
SELECT institution_id, count()
FROM alerts FINAL
WHERE institution_id IN %(institution_ids)s
    AND (%(all_sectors)s OR sector IN %(sectors)s)
    AND (%(all_regions)s OR hasAny(regions, %(regions)s))
GROUP BY institution_id
"""


def page(inquiry: Inquiry, asked: InstitutionParameters) -> Stretch[InstitutionSummary]:
    """By institution id."""
    (after_id,) = cursors.decode("institutions", asked.cursor, ("",))
    found = inquiry.query(
        _PAGE,
        **chosen("sector", asked.sector),
        **chosen("region", asked.region, list),
        **chosen("risk_class", asked.risk_class),
        after_id=after_id,
        limit=asked.limit + 1,
    )
    shown = cursors.cut("institutions", found, asked.limit, lambda row: (row[0],))
    registered = [Institution.model_validate_json(body) for _, body in shown.rows]
    return Stretch(_standings(inquiry, registered), shown.cursor)


def one(inquiry: Inquiry, institution_id: str) -> InstitutionSummary:
    """Raises Unknown when it is not registered, or not in scope."""
    return _standings(inquiry, [_registered(inquiry, institution_id)])[0]


def score(inquiry: Inquiry, institution_id: str, at_us: int) -> RiskScore:
    """The newest score at or before `at_us`. Raises Unknown when there is none."""
    _registered(inquiry, institution_id)
    found = _latest_scores(inquiry, (institution_id,), at_us)
    if not found:
        when = "yet" if at_us == MAX_INSTANT else f"by {to_rfc3339(at_us)}"
        raise Unknown(
            f"{institution_id} has no score {when}: nothing was scored, which is not a score of 0; "
            "/v1/feeds tells whether its bank's data came"
        )
    return found[institution_id]


def scores(inquiry: Inquiry, institution_id: str, asked: HistoryParameters) -> Stretch[RiskScore]:
    """Scores of [at_from, at_to), the newest first. Raises Unknown when not in scope."""
    (before_us,) = cursors.decode("risk scores", asked.cursor, (MAX_INSTANT + 1,))
    _registered(inquiry, institution_id)
    found = inquiry.query(
        _SCORES,
        institution_id=institution_id,
        from_us=asked.at_from,
        to_us=asked.at_to,
        before_us=before_us,
        limit=asked.limit + 1,
    )
    shown = cursors.cut("risk scores", found, asked.limit, lambda row: (row[0],))
    return Stretch([RiskScore.model_validate_json(body) for _, body in shown.rows], shown.cursor)


def _registered(inquiry: Inquiry, institution_id: str) -> Institution:
    found = inquiry.query(_ONE, key=f"institution:{institution_id}")
    if not found:
        raise Unknown("no such institution, or none that you may see; /v1/institutions lists those you may")
    return Institution.model_validate_json(found[0][0])


def _standings(inquiry: Inquiry, registered: Sequence[Institution]) -> list[InstitutionSummary]:
    if not registered:
        return []
    ids = tuple(institution.institution_id for institution in registered)
    latest = _latest_scores(inquiry, ids, MAX_INSTANT)
    alerts: dict[str, int] = dict(inquiry.query(_ALERTS, institution_ids=ids))
    return [
        InstitutionSummary.standing(
            institution, latest.get(institution.institution_id), alerts.get(institution.institution_id, 0)
        )
        for institution in registered
    ]


def _latest_scores(inquiry: Inquiry, ids: tuple[str, ...], at_us: int) -> dict[str, RiskScore]:
    found = inquiry.query(_LATEST_SCORES, institution_ids=ids, at_us=at_us)
    return {institution_id: RiskScore.model_validate_json(body) for institution_id, body in found}
