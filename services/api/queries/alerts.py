"""Alerts: the newest version of each is in `alerts`, every version in `alert_versions`.

A list is ordered by when an alert was first provable, which no later version changes: so a walk
through its pages meets every alert once, whatever arrives meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.alert import Alert, Severity
from schemas.errors import Unknown
from schemas.instant import MAX_INSTANT
from services.api import cursors
from services.api.cursors import Stretch
from services.api.inquiry import Inquiry, chosen
from services.api.parameters import AlertParameters, PageParameters

_NEWEST_FIRST: Final = (MAX_INSTANT + 1, "")
_ABOVE_EVERY_VERSION: Final = 2**63 - 1
_SEVERITIES: Final = tuple(Severity)

_PAGE: Final = """
SELECT alert_id, min(detected_us) AS raised_us
FROM alert_versions
WHERE alert_id IN (
    SELECT alert_id
    FROM alerts FINAL
    WHERE (%(all_sectors)s OR sector IN %(sectors)s)
        AND (%(all_regions)s OR hasAny(regions, %(regions)s))
        AND (%(any_typology)s OR typology IN %(typology)s)
        AND (%(any_institution)s OR institution_id IN %(institution)s)
        AND (%(any_region)s OR hasAny(regions, %(region)s))
        AND (%(any_sector)s OR sector IN %(sector)s)
        AND (%(any_account)s OR hasAny(accounts, %(account)s))
        AND severity IN %(severity)s
        AND confidence >= %(min_confidence)s
        AND detected_us >= %(detected_from_us)s AND detected_us < %(detected_to_us)s
)
GROUP BY alert_id
HAVING raised_us < %(after_us)s OR (raised_us = %(after_us)s AND alert_id > %(after_id)s)
ORDER BY raised_us DESC, alert_id
LIMIT %(limit)s
"""

_BODIES: Final = """
SELECT alert_id, body
FROM alerts FINAL
WHERE alert_id IN %(alert_ids)s
"""

_NEWEST: Final = """
SELECT body
FROM alerts FINAL
WHERE alert_id = %(alert_id)s
    AND (%(all_sectors)s OR sector IN %(sectors)s)
    AND (%(all_regions)s OR hasAny(regions, %(regions)s))
"""

_VERSIONS: Final = """
SELECT version, body
FROM alert_versions FINAL
WHERE alert_id = %(alert_id)s AND version >= %(from_version)s AND version <= %(to_version)s
ORDER BY version DESC
LIMIT %(limit)s
"""


def page(inquiry: Inquiry, asked: AlertParameters) -> Stretch[tuple[int, Alert]]:
    """(raised_us, newest version) of each alert, the one first raised last coming first."""
    after_us, after_id = cursors.decode("alerts", asked.cursor, _NEWEST_FIRST)
    found = inquiry.query(
        _PAGE,
        **chosen("typology", asked.typology),
        **chosen("institution", asked.institution),
        **chosen("sector", asked.sector),
        **chosen("region", asked.region, list),
        **chosen("account", [asked.account] if asked.account else [], list),
        severity=_severities(asked),
        min_confidence=asked.min_confidence,
        detected_from_us=asked.detected_from,
        detected_to_us=asked.detected_to,
        after_us=after_us,
        after_id=after_id,
        limit=asked.limit + 1,
    )
    shown = cursors.cut("alerts", found, asked.limit, lambda row: (row[1], row[0]))
    alerts = _read(inquiry, [alert_id for alert_id, _ in shown.rows])
    return Stretch([(raised_us, alerts[alert_id]) for alert_id, raised_us in shown.rows], shown.cursor)


def one(inquiry: Inquiry, alert_id: str, version: int | None = None) -> Alert:
    """`version` of the alert, else its newest. Raises Unknown when there is none in scope."""
    newest = inquiry.query(_NEWEST, alert_id=alert_id)
    if not newest:
        raise Unknown("no such alert, or none that you may see; /v1/alerts lists those you may")
    if version is None:
        return Alert.model_validate_json(newest[0][0])
    found = inquiry.query(_VERSIONS, alert_id=alert_id, from_version=version, to_version=version, limit=1)
    if not found:
        raise Unknown(f"this alert has no version {version}; /v1/alerts/{alert_id}/versions lists them")
    return Alert.model_validate_json(found[0][1])


def versions(inquiry: Inquiry, alert_id: str, asked: PageParameters) -> Stretch[Alert]:
    """Every version, the newest first. Raises Unknown when the alert is not in scope."""
    (below,) = cursors.decode("versions", asked.cursor, (_ABOVE_EVERY_VERSION,))
    one(inquiry, alert_id)
    found = inquiry.query(
        _VERSIONS, alert_id=alert_id, from_version=1, to_version=int(below) - 1, limit=asked.limit + 1
    )
    shown = cursors.cut("versions", found, asked.limit, lambda row: (row[0],))
    return Stretch([Alert.model_validate_json(body) for _, body in shown.rows], shown.cursor)


def _read(inquiry: Inquiry, alert_ids: Sequence[str]) -> dict[str, Alert]:
    if not alert_ids:
        return {}
    found = inquiry.query(_BODIES, alert_ids=tuple(alert_ids))
    return {alert_id: Alert.model_validate_json(body) for alert_id, body in found}


def _severities(asked: AlertParameters) -> tuple[str, ...]:
    floor = _SEVERITIES.index(asked.min_severity)
    wanted = asked.severity or _SEVERITIES
    return tuple(severity.value for severity in _SEVERITIES[floor:] if severity in wanted) or ("",)
