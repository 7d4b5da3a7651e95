"""Every error Lookthrough raises on purpose, as one tree.

Foreign errors (Kafka, ClickHouse, HTTP, parsers) are translated into these once, at the edge that
meets them. Each class carries a stable `code`, used as the problem+json `type` and as a metric label.

    LookthroughError
    ├── InvalidInput          the caller's data or request is wrong; sending it again unchanged is useless
    │   ├── MalformedBatch    a batch that cannot be read as its format at all
    │   ├── InvalidRecord     one record of a batch, named by number, field and reason
    │   ├── ControlMismatch   declared count or sum differ from what was read
    │   ├── BatchTooLarge     over a stated bound
    │   └── InvalidSetting    a configuration value that cannot be used
    ├── Unknown               a feed, institution, alert or reject that does not exist
    ├── Conflict              the same feed and sequence with other content
    ├── Forbidden             the caller may not read or write this
    │   └── Unauthenticated   the caller showed no key, or one that nobody holds
    └── Unavailable           a log, store or peer that does not answer; trying again later may help
"""

from __future__ import annotations

from typing import ClassVar


class LookthroughError(Exception):
    """Base of every deliberate error. `str(error)` is a sentence fit for a person."""

    code: ClassVar[str] = "error"


class InvalidInput(LookthroughError):
    code = "invalid-input"


class MalformedBatch(InvalidInput):
    code = "malformed-batch"


class InvalidRecord(InvalidInput):
    """One record is wrong: `field` is its path in the feed's own vocabulary, "" for the whole record."""

    code = "invalid-record"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class ControlMismatch(InvalidInput):
    code = "control-mismatch"


class BatchTooLarge(InvalidInput):
    code = "batch-too-large"


class InvalidSetting(InvalidInput):
    code = "invalid-setting"


class Unknown(LookthroughError):
    code = "unknown"


class Conflict(LookthroughError):
    code = "conflict"


class Forbidden(LookthroughError):
    code = "forbidden"


class Unauthenticated(Forbidden):
    code = "unauthenticated"


class Unavailable(LookthroughError):
    code = "unavailable"
