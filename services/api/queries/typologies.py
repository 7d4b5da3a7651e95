"""The typologies that have raised alerts, as their newest alerts describe them."""

from __future__ import annotations

from typing import Final

from schemas.alert import Alert
from schemas.law import Law
from services.api.answers import CitedArticle, TypologySummary
from services.api.inquiry import Inquiry

_RAISED: Final = """
SELECT typology, count(), argMax(alert_id, detected_us), max(detected_us)
FROM alerts FINAL
WHERE (%(all_sectors)s OR sector IN %(sectors)s)
    AND (%(all_regions)s OR hasAny(regions, %(regions)s))
GROUP BY typology
ORDER BY typology
LIMIT 1000
"""

_BODIES: Final = """
SELECT alert_id, body
FROM alerts FINAL
WHERE alert_id IN %(alert_ids)s
"""


def raised(inquiry: Inquiry, law: Law) -> list[TypologySummary]:
    """By id, each with the articles its newest alert cites."""
    found = inquiry.query(_RAISED)
    if not found:
        return []
    bodies = inquiry.query(_BODIES, alert_ids=tuple(alert_id for _, _, alert_id, _ in found))
    newest = {alert_id: Alert.model_validate_json(body) for alert_id, body in bodies}
    return [
        TypologySummary(
            typology=typology,
            name=newest[alert_id].name,
            law=tuple(CitedArticle.of(citation, law) for citation in newest[alert_id].law),
            rule_version=newest[alert_id].rule_version,
            alerts=alerts,
            last_detected_at=last_us,
        )
        for typology, alerts, alert_id, last_us in found
    ]
