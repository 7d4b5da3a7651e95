"""A suspicion that was confirmed, with its proof.

An alert is an episode: (typology, subject, episode start) gives its id; later evidence raises
`version`. The same log gives the same alerts byte for byte, so nothing here is wall-clock time.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.account import AccountToken
from schemas.instant import Instant
from schemas.record import Bilingual, Identifier, Percent, Record, content_id

MinorAmount = Annotated[int, Field(ge=0, lt=2**63)]


class Severity(StrEnum):
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


class SubjectKind(StrEnum):
    account = "account"
    institution = "institution"
    product = "product"
    party = "party"


class Subject(Record):
    """What the alert is about. Accounts by token."""

    kind: SubjectKind
    id: str


class Citation(Record):
    """A law article: document "RP" or "GO" (schemas/law), article as printed ("二.1.1")."""

    document: str
    article: str


class Factor(Record):
    """One line of the arithmetic: `points` is what `name` added to (or took from) the figure."""

    name: str
    points: int
    because: Bilingual


class Limit(Record):
    """A bound that cut the search short. What it reached may be more than is shown."""

    name: str
    bound: int


class EvidenceNode(Record):
    account: AccountToken
    role: str
    party_id: str | None = None
    institution_id: str | None = None


class EvidenceEdge(Record):
    """One transfer. `attributed_minor`: how much of it belongs to the suspicion, by FIFO."""

    tx_id: str
    feed_id: str
    src: AccountToken
    dst: AccountToken
    ts: Instant
    amount_minor: MinorAmount
    attributed_minor: MinorAmount
    currency: str
    purpose: str


class Evidence(Record):
    """The minimal subgraph that proves the alert; edges in time order."""

    nodes: tuple[EvidenceNode, ...]
    edges: tuple[EvidenceEdge, ...]


class Alert(Record):
    alert_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    version: Annotated[int, Field(ge=1)]
    typology: Identifier
    name: Bilingual
    subject: Subject
    institution_id: Identifier | None
    sector: Identifier | None
    regions: tuple[Identifier, ...]
    accounts: tuple[AccountToken, ...]
    episode_at: Instant
    """Start of the episode; never changes between versions."""
    first_at: Instant
    """Time of the earliest transfer in the evidence; of the finding, where no transfer proves it."""
    last_at: Instant
    """Time of the latest transfer in the evidence."""
    detected_at: Instant
    """Event time at which this version became provable."""
    amount_minor: MinorAmount
    currency: str
    confidence: Percent
    confidence_factors: tuple[Factor, ...]
    severity: Severity
    severity_points: Percent
    severity_factors: tuple[Factor, ...]
    law: tuple[Citation, ...]
    rule_version: str
    parameters: dict[str, int | str]
    explanation: Bilingual
    missing: tuple[str, ...] = ()
    """Registry or feed data that the rule wanted and did not have; each lowered the confidence."""
    limits: tuple[Limit, ...] = ()
    evidence: Evidence


def alert_id(typology: str, subject: Subject, episode_us: int, matter: str = "") -> str:
    parts = (typology, subject.kind, subject.id, str(episode_us))
    return content_id("alert", *parts, *([matter] if matter else []))
