"""What each list may be asked. A parameter that a route does not know is refused, not ignored:
a misspelt filter must not look like an answer about everything."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from attribution import Method
from schemas.account import AccountToken
from schemas.alert import Severity
from schemas.instant import MAX_INSTANT, MIN_INSTANT, Instant
from schemas.record import Identifier, Percent
from schemas.reject import RejectStatus
from schemas.risk import RiskClass
from services.api import cursors

MAX_LIMIT: Final = 500
MAX_CHOICES: Final = 50

_LOST_PLUS = re.compile(r"(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d:?\d\d)")


def _restore_plus(value: Any) -> Any:
    """A "+" that was not written %2B reaches us as a blank: "…T09:30:00 08:00" means +08:00."""
    return _LOST_PLUS.sub(r"\1+\2", value) if isinstance(value, str) else value


Moment = Annotated[Instant, BeforeValidator(_restore_plus)]
Choices = Annotated[list[Identifier], Field(max_length=MAX_CHOICES)]
PathId = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class NoParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PageParameters(NoParameters):
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Items a page")] = 50
    cursor: Annotated[
        str | None, Field(max_length=cursors.MAX_LENGTH, description="From `next` of the page before")
    ] = None


class AlertParameters(PageParameters):
    typology: Annotated[Choices, Field(description="Any of these typologies, e.g. self_lending")] = []
    institution: Annotated[Choices, Field(description="Any of these institution ids")] = []
    region: Annotated[Choices, Field(description="Any of these administrative codes, e.g. CN-11")] = []
    sector: Annotated[Choices, Field(description="Any of these sectors")] = []
    severity: Annotated[list[Severity], Field(description="Any of these severities")] = []
    min_severity: Annotated[Severity, Field(description="This severity or a worse one")] = Severity.low
    min_confidence: Annotated[Percent, Field(description="Confidence of at least this, 0–100")] = 0
    account: Annotated[AccountToken | None, Field(description="An account of the alert, by token")] = None
    detected_from: Annotated[Moment, Field(description="Newest version provable at or after")] = MIN_INSTANT
    detected_to: Annotated[Moment, Field(description="Newest version provable before")] = MAX_INSTANT


class VersionParameter(NoParameters):
    version: Annotated[
        int | None, Field(ge=1, lt=2**63, description="This version; the newest without it")
    ] = None


class EvidenceParameters(VersionParameter):
    format: Annotated[Literal["json", "graphml"] | None, Field(description="Wins over the header Accept")] = (
        None
    )


class InstitutionParameters(PageParameters):
    sector: Annotated[Choices, Field(description="Any of these sectors")] = []
    region: Annotated[Choices, Field(description="Registered or operating in any of these regions")] = []
    risk_class: Annotated[list[RiskClass], Field(description="合规 compliant, 整改 rectify, 取缔 ban")] = []


class ScoreParameters(NoParameters):
    at: Annotated[Moment, Field(description="The score in force at this event time")] = MAX_INSTANT


class HistoryParameters(PageParameters):
    at_from: Annotated[Moment, Field(description="Scores at or after this event time")] = MIN_INSTANT
    at_to: Annotated[Moment, Field(description="Scores before this event time")] = MAX_INSTANT


class RejectParameters(PageParameters):
    feed: Annotated[Choices, Field(description="Any of these feeds")] = []
    status: Annotated[list[RejectStatus], Field(description="Still open, or resent")] = []
    received_from: Annotated[Moment, Field(description="Received at or after")] = MIN_INSTANT
    received_to: Annotated[Moment, Field(description="Received before")] = MAX_INSTANT


class TraceParameters(NoParameters):
    """Bounds are of one trace: see services/api/tracing.py."""

    direction: Annotated[
        Literal["forward", "backward"], Field(description="Where its payments went, or came from")
    ] = "forward"
    attribution: Annotated[
        Method, Field(description="Whose money left where money of several lay together")
    ] = Method.fifo
    paid_from: Annotated[Moment, Field(description="Payments of the account at or after")] = MIN_INSTANT
    paid_to: Annotated[Moment, Field(description="Payments of the account before")] = MAX_INSTANT
    tx_id: Annotated[
        str | None,
        Field(min_length=1, max_length=128, description="Only this payment of the account, by its bank's id"),
    ] = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="Of every payment")] = "CNY"
    days: Annotated[int, Field(ge=1, le=366, description="Followed this long after, or before")] = 31
    legs: Annotated[int, Field(ge=1, le=8, description="Payments one after the other, at most")] = 4
    hub: Annotated[
        int,
        Field(ge=1, le=5_000, description="Accounts with more payments in or out are not looked through"),
    ] = 500


def _names(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(model.model_fields).union(*(_names(kind) for kind in model.__subclasses__()))


NAMES: Final = _names(NoParameters)
"""Every query parameter that some route takes."""
