"""Episodes: one alert for one suspicion that goes on, raised in version as it grows.

(typology, subject, matter, event time of the first detection) gives the alert its id. A later finding
on the same raises the version when it is material: the amount is a tenth or more above that of the
last version, a further account is the subject's, or the confidence has risen by ten points. The rest
is taken as seen. An episode that has had no finding for `quiet_us` is over; the next one is new.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from schemas.alert import Alert, alert_id
from schemas.instant import DAY
from schemas.record import Bilingual, content_id
from schemas.registry import Institution
from services.detector.evidence import EvidenceEdges, evidence_of
from services.detector.severity import class_of
from services.detector.typology import Context, Finding, points, told

_GROWTH_BP: Final = 11_000
_CONFIDENCE_STEP: Final = 10


class _Subject(NamedTuple):
    typology: str
    kind: str
    id: str
    matter: str


@dataclass(slots=True)
class _Episode:
    start_us: int
    last_us: int
    version: int = 0
    amount_minor: int = 0
    confidence: int = 0
    accounts: frozenset[int] = frozenset()


class Episodes:
    """At most `max_open` are open; past it the one whose last finding is oldest is closed (`evicted`).
    `made`: evidence shown before, by other typologies too."""

    def __init__(self, made: EvidenceEdges, quiet_us: int = 30 * DAY, max_open: int = 100_000) -> None:
        self._made = made
        self._quiet_us = quiet_us
        self._max_open = max_open
        self._open: OrderedDict[_Subject, _Episode] = OrderedDict()
        self.evicted = 0

    def take(self, typology: str, name: Bilingual, context: Context, finding: Finding) -> Alert | None:
        """The alert, new or raised; None when the finding adds nothing material."""
        key = _Subject(typology, finding.subject.kind.value, finding.subject.id, finding.matter)
        episode = self._current(key, context.now_us)
        confidence = points(finding.confidence)
        material = (
            finding.amount_minor * 10_000 >= episode.amount_minor * _GROWTH_BP
            or not episode.accounts.issuperset(finding.accounts)
            or confidence >= episode.confidence + _CONFIDENCE_STEP
        )
        if episode.version and not material:
            return None
        episode.version += 1
        episode.amount_minor = max(episode.amount_minor, finding.amount_minor)
        episode.confidence = max(episode.confidence, confidence)
        episode.accounts = episode.accounts.union(finding.accounts)
        return self._alert(typology, name, context, finding, episode)

    def _current(self, key: _Subject, now_us: int) -> _Episode:
        episode = self._open.get(key)
        if episode is None or now_us - episode.last_us > self._quiet_us:
            episode = self._open[key] = _Episode(start_us=now_us, last_us=now_us)
        episode.last_us = now_us
        self._open.move_to_end(key)
        if len(self._open) > self._max_open:
            self._open.popitem(last=False)
            self.evicted += 1
        return episode

    def _alert(
        self, typology: str, name: Bilingual, context: Context, finding: Finding, episode: _Episode
    ) -> Alert:
        evidence, cut = evidence_of(context, self._made, told(finding.attributed), finding.earlier)
        severity = told(finding.severity)
        severity_points = points(severity)
        institution = institution_at(context, finding.institution_id)
        return Alert(
            alert_id=alert_id(typology, finding.subject, episode.start_us, finding.matter),
            version=episode.version,
            typology=typology,
            name=name,
            subject=finding.subject,
            institution_id=finding.institution_id,
            sector=institution.sector if institution else None,
            regions=regions_of(institution),
            accounts=tuple(sorted(context.graph.tokens(np.array(finding.accounts, np.int32)))),
            episode_at=episode.start_us,
            first_at=evidence.edges[0].ts if evidence.edges else context.now_us,
            last_at=evidence.edges[-1].ts if evidence.edges else context.now_us,
            detected_at=context.now_us,
            amount_minor=finding.amount_minor,
            currency=finding.currency,
            confidence=points(finding.confidence),
            confidence_factors=finding.confidence,
            severity=class_of(severity_points),
            severity_points=severity_points,
            severity_factors=severity,
            law=finding.law,
            rule_version=_rule_version(typology, tuple(sorted(finding.parameters.items()))),
            parameters=dict(finding.parameters),
            explanation=told(finding.explanation),
            missing=finding.missing,
            limits=(*finding.limits, *cut),
            evidence=evidence,
        )


@lru_cache(maxsize=1_000)
def _rule_version(typology: str, parameters: tuple[tuple[str, int | str], ...]) -> str:
    """Changes with any parameter in force."""
    return f"{typology}@{content_id(*(f'{name}={value}' for name, value in parameters))[:8]}"


def institution_at(context: Context, institution_id: str | None) -> Institution | None:
    return context.registry.institution(institution_id, context.now_us) if institution_id else None


def regions_of(institution: Institution | None) -> tuple[str, ...]:
    """Where it is registered first, then where it operates."""
    if institution is None:
        return ()
    return tuple(dict.fromkeys((institution.registered_region, *institution.operating_regions)))
