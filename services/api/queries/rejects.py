"""Records that were not let in. They hold account numbers in clear: see Principal.rejects."""

from __future__ import annotations

from typing import Any, Final

from schemas.errors import Unknown
from schemas.instant import MAX_INSTANT
from schemas.reject import Reject
from services.api import cursors
from services.api.answers import RejectSummary
from services.api.cursors import Stretch
from services.api.inquiry import Inquiry, chosen
from services.api.parameters import RejectParameters

_PAGE: Final = """
SELECT reject_id, feed_id, batch_id, record_number, tx_id, field, reason, received_us, status, resent_as
FROM rejects FINAL
WHERE (%(all_feeds)s OR feed_id IN %(feeds)s)
    AND (%(any_feed)s OR feed_id IN %(feed)s)
    AND (%(any_status)s OR status IN %(status)s)
    AND received_us >= %(received_from_us)s AND received_us < %(received_to_us)s
    AND (received_us < %(after_us)s OR (received_us = %(after_us)s AND reject_id > %(after_id)s))
ORDER BY received_us DESC, reject_id
LIMIT %(limit)s
"""

_ONE: Final = """
SELECT body
FROM rejects FINAL
WHERE reject_id = %(reject_id)s
    AND (%(all_feeds)s OR feed_id IN %(feeds)s)
LIMIT 1
"""


def page(inquiry: Inquiry, asked: RejectParameters) -> Stretch[RejectSummary]:
    """The newest first. Raises Forbidden when the caller may not read rejects."""
    inquiry.principal.require_rejects()
    after_us, after_id = cursors.decode("rejects", asked.cursor, (MAX_INSTANT + 1, ""))
    found = inquiry.query(
        _PAGE,
        **chosen("feed", asked.feed),
        **chosen("status", asked.status),
        received_from_us=asked.received_from,
        received_to_us=asked.received_to,
        after_us=after_us,
        after_id=after_id,
        limit=asked.limit + 1,
    )
    shown = cursors.cut("rejects", found, asked.limit, lambda row: (row[7], row[0]))
    return Stretch([_summary(row) for row in shown.rows], shown.cursor)


def one(inquiry: Inquiry, reject_id: str) -> Reject:
    """Raises Forbidden like `page`; Unknown when there is none in scope."""
    inquiry.principal.require_rejects()
    found = inquiry.query(_ONE, reject_id=reject_id)
    if not found:
        raise Unknown("no such reject, or none that you may see; /v1/rejects lists those you may")
    return Reject.model_validate_json(found[0][0])


def _summary(row: tuple[Any, ...]) -> RejectSummary:
    return RejectSummary.model_validate(dict(zip(RejectSummary.model_fields, row, strict=True)))
