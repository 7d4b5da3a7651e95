"""One case told through every answer of the API: what its documentation shows.

Investors' money, disbursed for a listing of the lending platform p2p-001, reaches the platform's
own shareholder two days later.
"""

from __future__ import annotations

from typing import Any, Final

from attribution import Method
from schemas.alert import (
    Alert,
    Citation,
    Evidence,
    EvidenceEdge,
    EvidenceNode,
    Factor,
    Limit,
    Severity,
    Subject,
    SubjectKind,
    alert_id,
)
from schemas.feed import BatchStatus, ControlTotals, Receipt
from schemas.instant import DAY, HOUR, MINUTE, to_micros
from schemas.record import Bilingual, content_id
from schemas.registry import FeedFormat, FeedPolicy, Institution, InstitutionKind
from schemas.reject import Reject
from schemas.risk import Contribution, RiskClass, RiskScore
from services.api.answers import (
    AlertSummary,
    CitedArticle,
    ClassedScore,
    FeedDetail,
    FeedState,
    Gap,
    InstitutionSummary,
    RejectSummary,
    Trace,
    TracedPayment,
    TraceEnd,
    TypologySummary,
    VersionSummary,
)
from services.api.evidence import graphml, node_link
from services.api.tracing import EndKind

_START: Final = to_micros("2016-05-04T09:30:00+08:00")
_CUSTODY, _BORROWER, _SHAREHOLDER = (content_id("example", name) for name in ("custody", "borrower", "owner"))
_SUBJECT: Final = Subject(kind=SubjectKind.institution, id="p2p-001")
_LAW: Final = (Citation(document="RP", article="二.1.1"),)


def _transfer(number: str, src: str, dst: str, after_us: int, minor: int, purpose: str) -> EvidenceEdge:
    return EvidenceEdge(
        tx_id=number,
        feed_id="bank_b",
        src=src,
        dst=dst,
        ts=_START + after_us,
        amount_minor=minor,
        attributed_minor=min(minor, 180_000_00),
        currency="CNY",
        purpose=purpose,
    )


ALERT: Final = Alert(
    alert_id=alert_id("self_lending", _SUBJECT, _START),
    version=2,
    typology="self_lending",
    name=Bilingual(zh="自融", en="Self-lending"),
    subject=_SUBJECT,
    institution_id="p2p-001",
    sector="cbrc",
    regions=("CN-11", "CN-37"),
    accounts=(_CUSTODY, _BORROWER, _SHAREHOLDER),
    episode_at=_START,
    first_at=_START,
    last_at=_START + 2 * DAY,
    detected_at=_START + 2 * DAY,
    amount_minor=180_000_00,
    currency="CNY",
    confidence=85,
    confidence_factors=(
        Factor(name="path", points=60, because=Bilingual(zh="资金路径完整", en="The path is complete")),
        Factor(name="share", points=25, because=Bilingual(zh="九成资金可归属", en="90% is attributed")),
    ),
    severity=Severity.high,
    severity_points=70,
    severity_factors=(
        Factor(name="amount", points=70, because=Bilingual(zh="金额十八万元", en="180,000.00 CNY involved")),
    ),
    law=_LAW,
    rule_version="1",
    parameters={"max_legs": 4, "window_days": 30},
    explanation=Bilingual(
        zh="投资人出借的200,000.00元放款后，其中180,000.00元于两日内流入平台股东账户。",
        en="Of 200,000.00 CNY disbursed, 180,000.00 reached the platform's shareholder in 2 days.",
    ),
    limits=(Limit(name="legs", bound=4),),
    evidence=Evidence(
        nodes=(
            EvidenceNode(account=_CUSTODY, role="custody", party_id="C-001", institution_id="p2p-001"),
            EvidenceNode(account=_BORROWER, role="client", party_id="P-118", institution_id="p2p-001"),
            EvidenceNode(account=_SHAREHOLDER, role="external", party_id="P-007"),
        ),
        edges=(
            _transfer("20160504-0017", _CUSTODY, _BORROWER, 0, 200_000_00, "disburse"),
            _transfer("20160506-0203", _BORROWER, _SHAREHOLDER, 2 * DAY, 180_000_00, "transfer"),
        ),
    ),
)
INSTITUTION: Final = Institution(
    institution_id="p2p-001",
    name="某某网络借贷平台",
    institution_kind=InstitutionKind.p2p,
    sector="cbrc",
    party_id="C-001",
    registered_region="CN-11",
    operating_regions=("CN-11", "CN-37"),
    fee_rate_bp=300,
    valid_from=to_micros("2015-01-01"),
)
SCORE: Final = RiskScore(
    institution_id="p2p-001",
    sector="cbrc",
    regions=("CN-11", "CN-37"),
    at=_START + 2 * DAY,
    score=60,
    risk_class=RiskClass.rectify,
    contributions=(
        Contribution(
            alert_id=ALERT.alert_id,
            alert_version=2,
            typology="self_lending",
            severity_points=70,
            confidence=85,
            age_us=0,
            milli_points=59_500,
        ),
    ),
    formula="100 × (1 − Π(1 − points/100))",
)
REJECT: Final = Reject(
    reject_id=content_id("example", "reject"),
    feed_id="bank_b",
    batch_id=content_id("example", "batch"),
    record_number=3,
    tx_id="20160506-0204",
    field="amount",
    reason="'12,5' is not an unsigned decimal with at most 2 decimals",
    raw='{"tx_id":"20160506-0204","ts":"2016-05-06T09:31:00+08:00","amount":"12,5"}',
    received_at=_START + 2 * DAY + HOUR,
)
RECEIPT: Final = Receipt(
    feed_id="bank_b",
    batch_id=REJECT.batch_id,
    sequence=17,
    digest=content_id("example", "digest") * 2,
    format=FeedFormat.json,
    status=BatchStatus.partial,
    received_at=REJECT.received_at,
    records=3,
    accepted=2,
    rejected=1,
    declared=None,
    actual=ControlTotals.model_validate({"count": 3, "sum": "380012.50"}),
    first_ts=_START,
    last_ts=_START + 2 * DAY,
    rejects=(REJECT.reject_id,),
    gap_before=1,
)
FEED: Final = FeedDetail(
    feed_id="bank_b",
    bank="bank_b",
    format=FeedFormat.json,
    policy=FeedPolicy.line,
    lateness_seconds=86_400,
    state="gapped",
    batches=16,
    accepted=31_988,
    rejected=12,
    last_sequence=17,
    last_transaction_at=_START + 2 * DAY,
    last_received_at=_START + 2 * DAY + HOUR,
    missing_batches=1,
    gaps=(Gap(first=16, last=16),),
)
TRACE: Final = Trace(
    account=_CUSTODY,
    direction="forward",
    attribution=Method.fifo,
    currency="CNY",
    from_at=_START,
    to_at=_START + 31 * DAY + 1,
    asked_minor=200_000_00,
    ends=(
        TraceEnd(
            account=_SHAREHOLDER,
            role="external",
            party_id="P-007",
            institution_id=None,
            amount_minor=180_000_00,
            kind=EndKind.rests,
        ),
        TraceEnd(
            account=_BORROWER,
            role="client",
            party_id="P-118",
            institution_id="p2p-001",
            amount_minor=20_000_00,
            kind=EndKind.rests,
        ),
    ),
    payments=tuple(
        TracedPayment(
            **edge.model_dump(exclude={"attributed_minor", "currency"}), carried_minor=edge.amount_minor
        )
        for edge in ALERT.evidence.edges
    ),
    limits=(),
)
STANDING: Final = InstitutionSummary.standing(INSTITUTION, SCORE, 1)
CLASSED_SCORE: Final = ClassedScore.of(SCORE)
SUMMARY: Final = AlertSummary.of(ALERT, _START + 2 * DAY - 30 * MINUTE)
VERSION: Final = VersionSummary.of(ALERT)
REJECT_SUMMARY: Final = RejectSummary(**REJECT.model_dump(exclude={"raw", "raw_encoding"}))
FEED_STATE: Final = FeedState(**FEED.model_dump(exclude={"gaps"}))
TYPOLOGY: Final = TypologySummary(
    typology="self_lending",
    name=ALERT.name,
    law=(
        CitedArticle(
            document="RP",
            article="二.1.1",
            number="国办发〔2016〕21号",
            title=Bilingual(zh="网贷平台红线", en="Red lines for lending platforms"),
            meaning=Bilingual(
                zh="网贷平台不得设资金池、自融自保。",
                en="A lending platform must not pool money, or finance or guarantee itself.",
            ),
        ),
    ),
    rule_version="1",
    alerts=1,
    last_detected_at=ALERT.detected_at,
)
EVIDENCE: Final[dict[str, Any]] = node_link(ALERT)
EVIDENCE_GRAPHML: Final = graphml(ALERT).decode()
