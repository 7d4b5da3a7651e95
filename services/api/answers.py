"""What the API answers with, where it is not a record of schemas/ as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from fastapi import Request
from pydantic import Field

from attribution import Method
from schemas.account import AccountToken
from schemas.alert import Alert, Citation, Limit, MinorAmount, Severity, Subject
from schemas.instant import Instant
from schemas.law import Law
from schemas.record import Bilingual, Percent, Record
from schemas.registry import FeedFormat, FeedPolicy, Institution
from schemas.reject import RejectStatus
from schemas.risk import CLASS_ZH, RiskClass, RiskScore
from services.api.tracing import EndKind

Item = TypeVar("Item")

CLASS_NAMES: Final = {
    RiskClass.compliant: Bilingual(zh=CLASS_ZH[RiskClass.compliant], en="Compliant"),
    RiskClass.rectify: Bilingual(zh=CLASS_ZH[RiskClass.rectify], en="Rectify"),
    RiskClass.ban: Bilingual(zh=CLASS_ZH[RiskClass.ban], en="Ban"),
}


class Page(Record, Generic[Item]):
    items: tuple[Item, ...]
    next: str | None
    """Path and query of the page after this one; None on the last."""


def page_of(request: Request, items: Sequence[Item], cursor: str | None) -> Page[Item]:
    """`items` and, where there is a `cursor`, the link that the next page is read by."""
    if cursor is None:
        return Page[Any](items=tuple(items), next=None)
    url = request.url.include_query_params(cursor=cursor)
    return Page[Any](items=tuple(items), next=f"{url.path}?{url.query}")


class AlertSummary(Record):
    """An alert without its proof: the rest is at /v1/alerts/{alert_id}."""

    alert_id: str
    version: int
    typology: str
    name: Bilingual
    subject: Subject
    institution_id: str | None
    sector: str | None
    regions: tuple[str, ...]
    accounts: tuple[AccountToken, ...]
    raised_at: Instant
    """Event time at which the first version became provable: what the list is ordered by."""
    episode_at: Instant
    first_at: Instant
    last_at: Instant
    detected_at: Instant
    amount_minor: MinorAmount
    currency: str
    confidence: Percent
    severity: Severity
    severity_points: Percent
    law: tuple[Citation, ...]
    explanation: Bilingual
    missing: tuple[str, ...]
    limits: tuple[Limit, ...]

    @classmethod
    def of(cls, alert: Alert, raised_us: int) -> AlertSummary:
        kept = {name: getattr(alert, name) for name in cls.model_fields if name != "raised_at"}
        return cls(raised_at=raised_us, **kept)


class VersionSummary(Record):
    """What one version of an alert said, in short."""

    version: int
    detected_at: Instant
    last_at: Instant
    amount_minor: MinorAmount
    currency: str
    confidence: Percent
    severity: Severity
    severity_points: Percent
    transfers: int
    explanation: Bilingual

    @classmethod
    def of(cls, alert: Alert) -> VersionSummary:
        kept = {name: getattr(alert, name) for name in cls.model_fields if name != "transfers"}
        return cls(transfers=len(alert.evidence.edges), **kept)


class TraceEnd(Record):
    """An account where the money traced ended, or began; `kind` says why it was not followed further."""

    account: AccountToken
    role: str
    party_id: str | None
    institution_id: str | None
    amount_minor: MinorAmount
    kind: EndKind


class TracedPayment(Record):
    """`carried_minor`: how much of it is the money traced; null backward, where that is known only of
    who paid first."""

    tx_id: str
    feed_id: str
    src: AccountToken
    dst: AccountToken
    ts: Instant
    amount_minor: MinorAmount
    carried_minor: MinorAmount | None
    purpose: str


class Trace(Record):
    """Where the payments of an account went, or came from, by one method of attribution.

    `asked_minor` is their sum. Forward, `ends` add up to it. Backward, what they lack of it lay in the
    accounts before, or is past a limit. `payments` are those that the money took, in the order of
    time. What was cut short is named in `limits`.
    """

    account: AccountToken
    direction: Literal["forward", "backward"]
    attribution: Method
    currency: str
    from_at: Instant
    """Payments of [from_at, to_at) were looked at."""
    to_at: Instant
    asked_minor: MinorAmount
    ends: tuple[TraceEnd, ...]
    payments: tuple[TracedPayment, ...]
    limits: tuple[Limit, ...]


class NodeLink(Record):
    """networkx.node_link_data(graph, edges="edges"): read it back with node_link_graph."""

    directed: Literal[True]
    multigraph: Literal[True]
    graph: dict[str, str | int]
    nodes: tuple[dict[str, str], ...]
    edges: tuple[dict[str, str | int], ...]


class InstitutionSummary(Institution):
    """An institution as registered now, and how it stands. No score: no alert or day was scored yet."""

    score: Percent | None
    scored_at: Instant | None
    risk_class: RiskClass | None
    risk_class_name: Bilingual | None
    open_alerts: Annotated[int, Field(ge=0)]

    @classmethod
    def standing(
        cls, institution: Institution, score: RiskScore | None, open_alerts: int
    ) -> InstitutionSummary:
        return cls(
            **institution.model_dump(),
            score=score and score.score,
            scored_at=score and score.at,
            risk_class=score and score.risk_class,
            risk_class_name=score and CLASS_NAMES[score.risk_class],
            open_alerts=open_alerts,
        )


class ClassedScore(RiskScore):
    """A risk score with its class named: 合规, 整改, 取缔."""

    risk_class_name: Bilingual

    @classmethod
    def of(cls, score: RiskScore) -> ClassedScore:
        return cls(**score.model_dump(), risk_class_name=CLASS_NAMES[score.risk_class])


class Gap(Record):
    """Sequence numbers `first` to `last`, both included, that never came."""

    first: int
    last: int


class FeedState(Record):
    """How a feed stands. Silence is not safety: no alert means something only where data came.

    no_data: no batch ever came. gapped: batches are missing between the first and the last that came.
    receiving: none is. `last_transaction_at` is event time, `last_received_at` wall-clock time.
    """

    feed_id: str
    bank: str | None
    format: FeedFormat | None
    policy: FeedPolicy | None
    lateness_seconds: int | None
    state: Literal["no_data", "gapped", "receiving"]
    batches: int
    accepted: int
    rejected: int
    last_sequence: int | None
    last_transaction_at: Instant | None
    last_received_at: Instant | None
    missing_batches: int


class FeedDetail(FeedState):
    """`gaps` names the first 100 stretches of missing batches; `missing_batches` counts them all."""

    gaps: tuple[Gap, ...]


class RejectSummary(Record):
    """A reject without the record itself, which is at /v1/rejects/{reject_id}."""

    reject_id: str
    feed_id: str
    batch_id: str
    record_number: int
    tx_id: str
    field: str
    reason: str
    received_at: Instant
    status: RejectStatus
    resent_as: str


class CitedArticle(Citation):
    """A citation with what schemas/law says of it; None where the law is not held here."""

    number: str | None
    title: Bilingual | None
    meaning: Bilingual | None

    @classmethod
    def of(cls, citation: Citation, law: Law) -> CitedArticle:
        document = law.documents.get(citation.document)
        article = law.article(citation.document, citation.article)
        return cls(
            document=citation.document,
            article=citation.article,
            number=document and document.number,
            title=article and article.title,
            meaning=article and article.meaning,
        )


class TypologySummary(Record):
    """A typology that has raised alerts within the caller's scope, as its newest alert cites it."""

    typology: str
    name: Bilingual
    law: tuple[CitedArticle, ...]
    rule_version: str
    alerts: int
    last_detected_at: Instant


class Health(Record):
    status: Literal["ok"]
